/*
 * lane: an unbounded queue of indices, from one producer to one consumer.
 *
 * FOR     many queues, most of them empty, over one set of small integers, each of which is in
 *         at most one queue. The integers themselves are linked, so a queue is only two words,
 *         whatever its length. What an index stands for belongs to the thread that holds the
 *         index, as in index_queue.h.
 *
 * USE     uint32_t links[SLOTS];              // one for each index, shared by all lanes
 *         telar_lane lane = {0};              // all zeroes: an empty lane
 *         telar_lane_push(&lane, links, 7);   // the producer
 *         uint32_t slot;
 *         telar_lane_pop(&lane, links, &slot) // the consumer
 *
 * THREADS One producer, one consumer. Passing either role to another thread needs a
 *         happens-before edge between the two threads.
 *
 * PROGRESS Both calls are lock-free. pop is also wait-free: it takes at most one step for each
 *         index in the lane. A push retries only if the consumer took the stack in the meantime.
 *
 * METHOD  The producer pushes onto a linked stack. The consumer takes the whole stack at once
 *         and reverses it into a private list, so each index is reversed once. The consumer
 *         never removes a single index from the shared stack, so there is no ABA problem.
 */
#ifndef TELAR_CORE_LANE_H
#define TELAR_CORE_LANE_H

#include "atomic.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct telar_lane {
  _Atomic uint32_t pushed; /* 1 + the index pushed last; 0: none */
  uint32_t taken; /* private to the consumer: 1 + the oldest index that it has taken; 0: none */
} telar_lane;

/* Adds an index at the end. pre: the index is in no lane. The producer only. */
static inline void telar_lane_push(telar_lane *lane, uint32_t *links, uint32_t index) {
  /* Relaxed: a guess, which the CAS verifies; the producer's own links need no order. */
  uint32_t before = atomic_load_explicit(&lane->pushed, memory_order_relaxed);
  do {
    links[index] = before;
    /* R1: released to A1. */
  } while (!atomic_compare_exchange_weak_explicit(&lane->pushed, &before, index + 1,
                                                  memory_order_release, memory_order_relaxed));
}

/* True if the next pop would find an index. The consumer only. A push that ended before the
 * sleeper's fence (sched_wake.c) is seen. */
static inline bool telar_lane_has_next(const telar_lane *lane) {
  return lane->taken != 0 || atomic_load_explicit(&lane->pushed, memory_order_relaxed) != 0;
}

/* Takes the oldest index; false: the lane is empty. The consumer only. */
static inline bool telar_lane_pop(telar_lane *lane, uint32_t *links, uint32_t *index) {
  if (!telar_lane_has_next(lane)) return false;
  uint32_t oldest = lane->taken;
  if (oldest == 0) {
    /* A1: acquires R1 of the last push, and with it the earlier pushes of the producer. */
    uint32_t next = atomic_exchange_explicit(&lane->pushed, 0, memory_order_acquire);
    while (next != 0) {
      uint32_t before = links[next - 1];
      links[next - 1] = oldest;
      oldest = next;
      next = before;
    }
  }
  lane->taken = links[oldest - 1];
  *index = oldest - 1;
  return true;
}

#endif
