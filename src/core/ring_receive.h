/*
 * What the files of consumers share: moving head, and giving back what was read. Not for the
 * binding.
 */
#ifndef TELAR_CORE_RING_RECEIVE_H
#define TELAR_CORE_RING_RECEIVE_H

#include "ring_internal.h"

/* A single consumer gives room back in groups (release_group), but for the last two lines of
 * tags before head; notify gives back all. Else it would write where the producer is about to
 * write, and the producer would have to read `released` for every few records. */
#define RING_RELEASE_KEEP 32u

/* What telar_ring_scan has found: granules to step over, then records in one piece. */
typedef struct ring_span {
  uint64_t from;
  uint32_t skipped;  /* granules without a record, first */
  uint32_t granules; /* of the records */
  uint32_t count;    /* records */
  uint32_t last;     /* bytes of the last one */
  uint32_t runs;     /* entries written to the caller's list */
  uint32_t rest;     /* records of the last run that are left out */
  uint32_t cut;      /* records of the last run that are in, if there is a rest */
  bool has_runs;     /* not every record has a tag of its own */
  uint64_t bytes;    /* their lengths added up */
} ring_span;

/* ---- ring_take.c ---- */

/*
 * Walks from head over skips to records: as many as lie in one piece and fit in capacity bytes, at
 * most max. OK: s.count is at least 1. EMPTY: no record; s.skipped may be more than 0. TOO_LARGE:
 * runs[0].bytes is more than capacity. CORRUPT: the tags make no sense, or another consumer moved
 * head in the meantime.
 */
telar_status telar_ring_scan(const telar_ring_end *end, uint64_t head, uint32_t max,
                             uint64_t capacity, telar_ring_run *runs, ring_span *s);
/* For a span that ends within a run: both parts get a tag of their own. With many consumers, the
 * tag of the claimed part is written when it is given back. */
void telar_ring_cut_run(telar_ring_end *end, const ring_span *s);
/* Claims up to max records that lie one behind the other. */
telar_status telar_ring_take(telar_ring_end *end, uint32_t max, uint64_t capacity,
                             telar_ring_run *runs, ring_span *s);

/* ---- ring_release.c ---- */

/* With many consumers: sets the tags of a claim to 0, but for the first. */
void telar_ring_clear_claimed(telar_ring_end *end, uint64_t from, uint32_t granules);

/* ---- ring_close.c ---- */

/* Why there is no record at head, or OK to look again. */
telar_status telar_ring_no_record(telar_ring_end *end, uint64_t position);

/* ---- head ---- */

/* Where the next record is. With many consumers, this is the word head with its flags, as a claim
 * expects it. */
static inline uint64_t ring_read_head(telar_ring_end *end) {
  /* A5: acquires R5, the claim that moved head there: the tags of room released before are seen as
   * 0. */
  return ring_has(end, TELAR_RING_SINGLE_CONSUMER)
             ? end->head
             : atomic_load_explicit(&end->shared->head, memory_order_acquire);
}

/* Moves the head of a single consumer. */
static inline void ring_set_head(telar_ring_end *end, uint64_t to) {
  end->head = to & RING_POSITION_MASK;
  /* R5: released to A5, the next consumer. */
  atomic_store_explicit(&end->shared->head, end->head, memory_order_release);
}

/* Moves head over a span; false: another consumer was faster. */
static inline bool ring_move_head(telar_ring_end *end, uint64_t head, const ring_span *s) {
  uint64_t to = ((head & RING_POSITION_MASK) + s->skipped + s->granules) & RING_POSITION_MASK;
  if (ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
    ring_set_head(end, to);
    return true;
  }
  /* R5, as in ring_set_head. Relaxed on failure: the caller reads head anew. */
  return atomic_compare_exchange_strong_explicit(&end->shared->head, &head, to,
                                                 memory_order_release, memory_order_relaxed);
}

/* ---- giving back ---- */

/* With many consumers: gives back a claim whose tags are 0, but for the first. */
static inline void ring_mark_done(telar_ring_end *end, uint64_t from, uint32_t granules) {
  /* R2: released to A2, whoever sweeps. */
  atomic_store_explicit(ring_tag(end, from), RING_TAG_DONE | granules, memory_order_release);
}

/* With a single consumer: whether there is a group to give back. */
static inline bool ring_is_release_due(const telar_ring_end *end) {
  return ring_distance(end->released, end->head) >= end->release_group;
}

/* What was claimed is read. */
static inline void ring_give_back(telar_ring_end *end, const ring_span *s) {
  end->pending |= RING_PENDING_MOVED;
  if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
    telar_ring_clear_claimed(end, s->from, s->skipped + s->granules);
    ring_mark_done(end, s->from, s->skipped + s->granules);
  } else if (ring_is_release_due(end)) {
    telar_ring_release_seen(end, RING_RELEASE_KEEP);
  }
}

#endif
