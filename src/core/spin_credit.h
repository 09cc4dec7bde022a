/*
 * spin_credit.h - whether it pays to spin before a sleep, learned from the last spins.
 *
 * A spin that succeeds saves two context switches. One that fails has taken time from whoever
 * shares the processor, who may be the very thread that is waited for: on a busy machine a thread
 * that spins keeps its partner from running. So spins earn and spend credit. Without credit only
 * one wait in a few spins, to find out whether times have changed.
 */
#ifndef TELAR_SPIN_CREDIT_H
#define TELAR_SPIN_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

#define TELAR_SPIN_CREDIT_MAX 12
/* Spins pay if three of five succeed. */
#define TELAR_SPIN_EARNED 2
#define TELAR_SPIN_SPENT 3
#define TELAR_SPIN_ONE_IN 16u

/* Of one thread. Zeroed: has no credit yet, and spins the first time. */
typedef struct telar_spin_credit {
  int32_t credit;
  uint32_t waits;
} telar_spin_credit;

static inline bool telar_spin_pays(telar_spin_credit *spin) {
  return spin->credit > 0 || spin->waits++ % TELAR_SPIN_ONE_IN == 0;
}

static inline void telar_spin_note(telar_spin_credit *spin, bool has_succeeded) {
  if (!has_succeeded) {
    spin->credit -= spin->credit < TELAR_SPIN_SPENT ? spin->credit : TELAR_SPIN_SPENT;
  } else if (spin->credit < TELAR_SPIN_CREDIT_MAX) {
    spin->credit += TELAR_SPIN_EARNED;
  }
}

#endif
