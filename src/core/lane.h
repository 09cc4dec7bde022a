/*
 * lane: an unbounded queue of indices, from one producer to one consumer.
 *
 * FOR     many queues of which few hold anything, over one set of small integers, each of
 *         which is in one queue at most: the integers themselves are linked, so that a
 *         queue is two words, however many it may have to hold. What an index stands for
 *         belongs to whoever holds the index, as in index_queue.h.
 *
 * USE     uint32_t links[SLOTS];              // one for each index, shared by all lanes
 *         telar_lane lane = {0};              // zeroes are an empty lane
 *         telar_lane_push(&lane, links, 7);   // the producer
 *         uint32_t slot;
 *         telar_lane_pop(&lane, links, &slot) // the consumer
 *
 * THREADS One producer, one consumer. Passing either role on to another thread needs a
 *         happens-before edge between the two.
 *
 * PROGRESS pop is wait-free, a push tries again only when the consumer took the chain in
 *         between.
 *
 * HOW     The producer chains what it pushes, last in first. The consumer takes the whole
 *         chain at once, turns it round and keeps it to itself: each index is turned once.
 *         Nothing is ever taken out of the middle, so no ABA.
 */
#ifndef TELAR_CORE_LANE_H
#define TELAR_CORE_LANE_H

#include "atomic.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct telar_lane {
  _Atomic uint32_t pushed; /* 1 + the index pushed last, 0: none */
  uint32_t taken;          /* the consumer's: 1 + the oldest of those that it took, 0: none */
} telar_lane;

/* Adds an index that is in no lane at the end. The producer. */
static inline void telar_lane_push(telar_lane *lane, uint32_t *links, uint32_t index) {
  /* Relaxed: a guess, which the CAS checks; the producer's own links need no order. */
  uint32_t before = atomic_load_explicit(&lane->pushed, memory_order_relaxed);
  do {
    links[index] = before;
    /* R1: released to A1. */
  } while (!atomic_compare_exchange_weak_explicit(&lane->pushed, &before, index + 1,
                                                  memory_order_release, memory_order_relaxed));
}

/* True if the next pop finds an index. The consumer; a push that ended before the sleeper's
 * fence (sched_wake.c) is seen. */
static inline bool telar_lane_has_next(const telar_lane *lane) {
  return lane->taken != 0 || atomic_load_explicit(&lane->pushed, memory_order_relaxed) != 0;
}

/* Takes the oldest index; false: there is none. The consumer. */
static inline bool telar_lane_pop(telar_lane *lane, uint32_t *links, uint32_t *index) {
  if (!telar_lane_has_next(lane)) return false;
  uint32_t oldest = lane->taken;
  if (oldest == 0) {
    /* A1: acquires R1 of the last push, and with it the producer's earlier ones. */
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
