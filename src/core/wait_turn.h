/*
 * wait_turn.h - one turn of waiting for another thread that is between two stores.
 *
 * USE     for (uint32_t turns = 0; try() == TELAR_AGAIN;) telar_wait_turn(&turns);
 */
#ifndef TELAR_CORE_WAIT_TURN_H
#define TELAR_CORE_WAIT_TURN_H

#include <stdint.h>

#include "../os/os.h"

/* The other thread may have lost its processor: from time to time, offer ours. */
static inline void telar_wait_turn(uint32_t *turns) {
  if (++*turns % 64 == 0) {
    telar_os_yield();
  } else {
    telar_os_relax();
  }
}

#endif
