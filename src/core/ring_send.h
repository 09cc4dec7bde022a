/*
 * What the files of producers share: room after tail, and publishing what was written there. Not
 * for the binding.
 */
#ifndef TELAR_CORE_RING_SEND_H
#define TELAR_CORE_RING_SEND_H

#include "ring_internal.h"

/* ---- ring_send.c ---- */

/* Reads how much room there is after tail, and sweeps if it is less than wanted. OK: released_seen
 * is up to date. */
telar_status telar_ring_refresh_room(telar_ring_end *end, uint64_t tail, uint64_t wanted);
/* Why there is no room after tail. OK: tail has moved, try again there. */
telar_status telar_ring_no_room(telar_ring_end *end, uint64_t *tail, telar_status swept);

/* ---- room ---- */

/* Free granules after tail, given released; UINT32_MAX if the two positions contradict each
 * other. */
static inline uint32_t ring_room_after(const telar_ring_end *end, uint64_t tail,
                                       uint64_t released) {
  uint64_t used = ring_distance(released, tail);
  return used > end->mask ? UINT32_MAX : end->mask - (uint32_t)used;
}

static inline uint32_t ring_left_to_end(const telar_ring_end *end, uint64_t tail) {
  return end->mask + 1 - ((uint32_t)tail & end->mask);
}

/* Granules between tail and the end of the ring that a record of that size cannot use. */
static inline uint32_t ring_pad_before(const telar_ring_end *end, uint64_t tail,
                                       uint32_t granules) {
  uint32_t left = ring_left_to_end(end, tail);
  return granules > left ? left : 0;
}

static inline uint64_t ring_read_tail(telar_ring_end *end) {
  /* Relaxed: a guess, which the compare-and-swap verifies. */
  return ring_has(end, TELAR_RING_SINGLE_PRODUCER)
             ? end->tail
             : atomic_load_explicit(&end->shared->tail, memory_order_relaxed) & RING_POSITION_MASK;
}

/* Advances tail. False: another producer was faster, and *tail is the new value. */
static inline bool ring_move_tail(telar_ring_end *end, uint64_t *tail, uint64_t granules) {
  uint64_t to = (*tail + granules) & RING_POSITION_MASK;
  /* R4: released to A4, a receiver that checks whether something is reserved. The tags there are 0
   * (A3), and telar_ring_settle reports what is sent later. */
  if (ring_has(end, TELAR_RING_SINGLE_PRODUCER)) {
    end->tail = to;
    atomic_store_explicit(&end->shared->tail, to, memory_order_release);
    return true;
  }
  /* A4: acquires R4 of take_back: what was written into a discarded reservation. */
  return atomic_compare_exchange_weak_explicit(&end->shared->tail, tail, to, memory_order_acq_rel,
                                               memory_order_relaxed);
}

/* ---- publishing ---- */

/* R1: released to A1, any consumer. */
static inline void ring_publish(telar_ring_end *end, uint64_t position, uint32_t tag) {
  atomic_store_explicit(ring_tag(end, position), tag, memory_order_release);
}

static inline telar_status ring_may_send(telar_ring_end *end) {
  /* Relaxed: settle checks again, after C1. */
  uint32_t state = atomic_load_explicit(&end->shared->state, memory_order_relaxed);
  if (state != TELAR_RING_OPEN) {
    return state == TELAR_RING_CLOSED ? TELAR_CLOSED : TELAR_ABORTED;
  }
  return end->has_role[TELAR_RING_SENDERS] ? TELAR_OK
                                           : telar_ring_take_role(end, TELAR_RING_SENDERS);
}

static inline void ring_note_sent(telar_ring_end *end, uint64_t position, uint32_t records,
                                  uint64_t bytes) {
  end->pending |= RING_PENDING_MOVED | RING_PENDING_SENT;
  end->unsettled = position;
  ring_count_sent(end, records, bytes);
}

#endif
