/*
 * backoff.h - one step of spinning while another thread is between two stores.
 *
 * USE     for (uint32_t turns = 0; try() == TELAR_AGAIN;) telar_backoff(&turns);
 *
 * THREADS any. Internal to the core.
 */
#ifndef TELAR_CORE_BACKOFF_H
#define TELAR_CORE_BACKOFF_H

#include <stdint.h>

#include "../os/os.h"

/* Relaxes, and yields on every 64th call: the other thread may have been preempted. */
static inline void telar_backoff(uint32_t *turns) {
  if (++*turns % 64 == 0) {
    telar_os_yield();
  } else {
    telar_os_relax();
  }
}

#endif
