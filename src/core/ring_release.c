/*
 * ring_release.c - consumers release room. A single consumer does it by itself. Of many, each marks
 * what it has read, and a thread that needs room sweeps.
 */
#include "ring_receive.h"

/* A sweep releases a little more than is wanted, so that not every send has to sweep. */
#define SWEEP_EXTRA_MAX 4096u

/* Sets the tags from position up to last to 0. With `stops_short` it stops before a tag whose
 * granules extend beyond last. Returns the position it reached. All accesses are relaxed: a claim
 * belongs to this thread, and R2 or R3 orders them before the next lap. */
static uint64_t clear_tags(const telar_ring_end *end, uint64_t position, uint64_t last,
                           bool stops_short) {
  _Atomic uint32_t *tags = end->tags;
  uint32_t mask = end->mask;
  while (position != last) {
    _Atomic uint32_t *tag = &tags[(uint32_t)position & mask];
    uint32_t seen = atomic_load_explicit(tag, memory_order_relaxed);
    uint64_t granules = ring_tag_granules(seen);
    if (granules == 0 || granules > last - position) {
      if (stops_short) break;
      granules = last - position; /* the tag was overwritten */
    }
    do { /* as in telar_ring_scan: records of one length are common */
      atomic_store_explicit(tag, 0, memory_order_relaxed);
      position += granules;
      tag = &tags[(uint32_t)position & mask];
    } while (last - position >= granules &&
             atomic_load_explicit(tag, memory_order_relaxed) == seen);
  }
  return position;
}

RING_NOINLINE void telar_ring_release_seen(telar_ring_end *end, uint32_t keep) {
  uint64_t left = ring_distance(end->released, end->head) - keep;
  for (uint32_t i = 0; i < TELAR_RING_OPEN_MAX && end->claims_open != 0; i++) {
    if (end->claims[i].granules == 0) continue;
    uint64_t before = ring_distance(end->released, end->claims[i].position);
    if (before < left) left = before;
  }
  if (left == 0) return;
  end->released =
      clear_tags(end, end->released, end->released + left, keep != 0) & RING_POSITION_MASK;
  /* R3: released to A3, any producer. */
  atomic_store_explicit(&end->shared->released, end->released, memory_order_release);
}

void telar_ring_clear_claimed(telar_ring_end *end, uint64_t from, uint32_t granules) {
  uint64_t first =
      ring_tag_granules(atomic_load_explicit(ring_tag(end, from), memory_order_relaxed));
  if (first != 0 && first < granules) clear_tags(end, from + first, from + granules, false);
}

/* Releases consecutive claims that are done: claims that begin within the first `limit` granules.
 * pre: the lock is held. */
static telar_status sweep_done(telar_ring_end *end, uint64_t limit, uint64_t *swept) {
  ring_shared *shared = end->shared;
  /* Relaxed: A6 orders it. */
  uint64_t from =
               atomic_load_explicit(&shared->released, memory_order_relaxed) & RING_POSITION_MASK,
           position = from;
  telar_status status = TELAR_OK;
  while (position - from < limit) {
    _Atomic uint32_t *tag = ring_tag(end, position);
    /* A2: acquires R2, the consumer has finished with the claim. */
    uint32_t seen = atomic_load_explicit(tag, memory_order_acquire),
             granules = seen & RING_TAG_COUNT;
    if ((seen & RING_TAG_STATE) != RING_TAG_DONE) break;
    if (granules == 0 || granules > end->mask) {
      status = TELAR_CORRUPT;
      break;
    }
    /* Relaxed: R3 orders it before the writes of the next producer. */
    atomic_store_explicit(tag, 0, memory_order_relaxed);
    position += granules;
  }
  *swept += position - from;
  /* R3: released to A3, any producer: it may write there. */
  if (position != from) {
    atomic_store_explicit(&shared->released, position & RING_POSITION_MASK, memory_order_release);
  }
  return status;
}

telar_status telar_ring_sweep(telar_ring_end *end, uint64_t wanted) {
  ring_shared *shared = end->shared;
  uint32_t extra = (end->mask + 1) / 8;
  uint64_t limit = wanted + (extra < SWEEP_EXTRA_MAX ? extra : SWEEP_EXTRA_MAX), swept = 0,
           released;
  do {
    /* A relaxed load first: the holder needs the cache line. */
    if (atomic_load_explicit(&shared->sweeping, memory_order_relaxed) != 0 ||
        atomic_exchange_explicit(&shared->sweeping, 1, memory_order_acquire) !=
            0) { /* A6: acquires R6 */
      return TELAR_AGAIN;
    }
    telar_status status = sweep_done(end, limit - swept, &swept);
    /* R6: released to A6, the next sweep. */
    atomic_store_explicit(&shared->sweeping, 0, memory_order_release);
    /* The lock may have kept out senders and wakers: this end does their work. */
    end->pending |= RING_PENDING_MOVED;
    if (status != TELAR_OK || swept >= limit) return status;
    /* S1: pairs with W1 of a consumer that marked a claim and found the lock taken, and with W2 of
     * a sender that found it taken. The claim is seen here. The sender is seen by the check for
     * waiting ends, which comes after this fence or, in notify, after W1. */
    atomic_thread_fence(memory_order_seq_cst);
    released = atomic_load_explicit(&shared->released, memory_order_relaxed);
  } while ((atomic_load_explicit(ring_tag(end, released), memory_order_relaxed) & RING_TAG_STATE) ==
           RING_TAG_DONE);
  return TELAR_OK;
}
