/*
 * wake_cost.h - what it costs here to wake a thread that sleeps.
 *
 * A thread that waits may spin or sleep. If it spins for as long as a wake-up takes and then
 * sleeps, a wait costs at most twice what the better choice would have cost, however long it is
 * (ski rental; A. R. Karlin et al., "Competitive Randomized Algorithms for Nonuniform Problems",
 * SODA 1990). How long a wake-up takes differs by a factor of ten between machines: a virtual one
 * has to wake a halted processor. So it is measured, from the ring of a bell until the thread runs.
 *
 * What is kept is an estimate of the lower quartile. A wake-up that takes long because other
 * programs use the processor does not count: to spin would have taken as long. The estimate moves
 * by small steps, down by three where it moves up by one, so that a quarter of the samples is
 * below it (stochastic approximation; H. Robbins, S. Monro, 1951).
 */
#ifndef TELAR_WAKE_COST_H
#define TELAR_WAKE_COST_H

#include <stdint.h>

#include "atomic.h"

#define TELAR_WAKE_COST_FIRST_GUESS_NS UINT32_C(10000)
/* Bounds: of what processors need at least, and of what a thread may spin. */
#define TELAR_WAKE_COST_MIN_NS UINT32_C(4000)
#define TELAR_WAKE_COST_MAX_NS UINT32_C(40000)

typedef struct telar_wake_cost {
  _Atomic uint32_t ns;
} telar_wake_cost;

static inline void telar_wake_cost_init(telar_wake_cost *cost) {
  atomic_init(&cost->ns, TELAR_WAKE_COST_FIRST_GUESS_NS);
}

/* Any thread. Relaxed, as everything here: an estimate, of which a lost step does no harm. */
static inline uint32_t telar_wake_cost_ns(const telar_wake_cost *cost) {
  return atomic_load_explicit(&cost->ns, memory_order_relaxed);
}

/* Any thread: a wake-up took `took_ns`. */
static inline void telar_wake_cost_note(telar_wake_cost *cost, uint64_t took_ns) {
  uint32_t ns = telar_wake_cost_ns(cost);
  uint32_t step = ns / 64;
  ns = took_ns < ns ? ns - 3 * step : ns + step;
  if (ns < TELAR_WAKE_COST_MIN_NS) {
    ns = TELAR_WAKE_COST_MIN_NS;
  }
  if (ns > TELAR_WAKE_COST_MAX_NS) {
    ns = TELAR_WAKE_COST_MAX_NS;
  }
  atomic_store_explicit(&cost->ns, ns, memory_order_relaxed);
}

#endif
