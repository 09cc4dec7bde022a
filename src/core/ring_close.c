/* ring_close.c - close, abort, and the end of a closed ring: C1 to C4 (ring_internal.h). */
#include "ring_receive.h"

void telar_ring_close(telar_ring_end *end) {
  uint32_t expected = TELAR_RING_OPEN;
  /* Sequentially consistent: everything that is refused because of it is ordered after it (C1,
   * C2). */
  atomic_compare_exchange_strong(&end->shared->state, &expected, (uint32_t)TELAR_RING_CLOSED);
  end->pending |= ring_pending_all(TELAR_RING_RECEIVERS) | ring_pending_all(TELAR_RING_SENDERS);
}

void telar_ring_abort(telar_ring_end *end) {
  atomic_store(&end->shared->state, (uint32_t)TELAR_RING_ABORTED);
  end->pending |= ring_pending_all(TELAR_RING_RECEIVERS) | ring_pending_all(TELAR_RING_SENDERS);
}

telar_ring_state telar_ring_state_read(const telar_ring_end *end) {
  uint32_t state = atomic_load_explicit(&end->shared->state, memory_order_acquire);
  return state > TELAR_RING_ABORTED ? TELAR_RING_ABORTED : (telar_ring_state)state;
}

/* ---- the receiver ---- */

/* Called when a closed ring looks empty at head. Ends the ring (CLOSED), or returns OK: scan
 * again. */
static telar_status try_end(telar_ring_end *end, uint64_t position) {
  ring_shared *shared = end->shared;
  /* A5: acquires R5 and C3. */
  uint64_t head = atomic_load_explicit(&shared->head, memory_order_acquire);
  /* C2: pairs with C1, notify. It also lies between this consumer's last claim, which may have
   * cleared HEAD_LATE, and the check below. */
  atomic_thread_fence(memory_order_seq_cst);
  if ((head & RING_POSITION_MASK) != position) {
    return ring_has(end, TELAR_RING_SINGLE_CONSUMER) ? TELAR_CORRUPT : TELAR_OK;
  }
  /* A1, A4: the same check as before, now after C2. */
  bool is_empty =
      atomic_load_explicit(ring_tag(end, position), memory_order_acquire) == 0 &&
      (atomic_load_explicit(&shared->tail, memory_order_acquire) & RING_POSITION_MASK) == position;
  if ((head & RING_HEAD_FINAL) == 0) {
    if (!is_empty) {
      return TELAR_OK;
    }
    if ((head & RING_HEAD_LATE) != 0) {
      /* HEAD_LATE is set after a record was published, and no consumer has claimed one since. */
      return TELAR_CORRUPT;
    }
    /* C4: fails if a sender was late (C3), or if another consumer was faster. */
    if (!atomic_compare_exchange_strong_explicit(&shared->head, &head, head | RING_HEAD_FINAL,
                                                 memory_order_acq_rel, memory_order_relaxed)) {
      return TELAR_OK;
    }
  }
  /* From now on take_role refuses this end; in a ring for many consumers, ring_read_head does. */
  end->has_role[TELAR_RING_RECEIVERS] = false;
  return TELAR_CLOSED;
}

telar_status telar_ring_no_record(telar_ring_end *end, uint64_t position) {
  /* Acquire: with the state, everything that the closing thread knew of. While the ring is open,
   * tail is not read: its cache line belongs to the producers. */
  if (atomic_load_explicit(&end->shared->state, memory_order_acquire) != TELAR_RING_CLOSED) {
    return TELAR_EMPTY;
  }
  /* A4: acquires R4. */
  uint64_t tail =
      atomic_load_explicit(&end->shared->tail, memory_order_acquire) & RING_POSITION_MASK;
  return tail != position ? TELAR_AGAIN : try_end(end, position);
}

/* ---- the sender ---- */

telar_status telar_ring_settle(telar_ring_end *end) {
  ring_shared *shared = end->shared;
  /* Relaxed: after C1. */
  if (atomic_load_explicit(&shared->state, memory_order_relaxed) != TELAR_RING_CLOSED) {
    return TELAR_OK;
  }
  /* A5: acquires R5, so that a receiver's claims are seen together with HEAD_FINAL. */
  uint64_t head = atomic_load_explicit(&shared->head, memory_order_acquire);
  for (;;) {
    /* Positions are compared by distance: less than half the range means ahead. */
    bool is_claimed =
        ring_distance(end->unsettled, head & RING_POSITION_MASK) - 1 < RING_POSITION_MASK / 2;
    if (is_claimed) {
      return TELAR_OK;
    }
    if ((head & RING_HEAD_FINAL) != 0) {
      end->sent = end->settled_sent;
      end->sent_bytes = end->settled_bytes;
      return TELAR_CLOSED;
    }
    /* C3: makes C4 fail, and releases what was published to the receiver's next check. */
    if (atomic_compare_exchange_weak_explicit(&shared->head, &head, head | RING_HEAD_LATE,
                                              memory_order_acq_rel, memory_order_acquire)) {
      return TELAR_OK;
    }
  }
}
