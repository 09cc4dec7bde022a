/*
 * What the files of consumers share: moving head, and releasing what was read. Not for the binding.
 */
#ifndef TELAR_CORE_RING_RECEIVE_H
#define TELAR_CORE_RING_RECEIVE_H

#include "ring_internal.h"

/* A single consumer releases room in groups (release_group), but keeps back the last two cache
 * lines of tags before head; notify releases everything. Otherwise it would write where the
 * producer is about to write, and the producer would have to read `released` for every few
 * records. */
#define RING_RELEASE_KEEP 32u

/* What telar_ring_scan has found: granules to skip, then contiguous records. */
typedef struct ring_span {
  uint64_t from;
  uint32_t skipped;  /* granules without a record, before the records */
  uint32_t granules; /* of the records */
  uint32_t count;    /* number of records */
  uint32_t last;     /* bytes of the last one */
  uint32_t runs;     /* entries written to the caller's list of runs */
  uint32_t rest;     /* records of the last run that are not included */
  uint32_t cut;      /* records of the last run that are included, if rest is not 0 */
  bool has_runs;     /* some records share a tag */
  uint64_t bytes;    /* sum of their lengths */
} ring_span;

/* ---- ring_take.c ---- */

/*
 * Walks from head over skips to the records: as many as are contiguous and fit into capacity bytes,
 * at most max. OK: s.count is at least 1. EMPTY: no record; s.skipped may still be more than 0.
 * TOO_LARGE: runs[0].bytes exceeds capacity. CORRUPT: the tags are inconsistent, or another
 * consumer moved head in the meantime.
 */
telar_status telar_ring_scan(const telar_ring_end *end, uint64_t head, uint32_t max,
                             uint64_t capacity, telar_ring_run *runs, ring_span *s);
/* For a span that ends within a run: gives both parts of the run their own tag. With many
 * consumers, the tag of the claimed part is written when it is released. */
void telar_ring_cut_run(telar_ring_end *end, const ring_span *s);
/* Claims up to max consecutive records. */
telar_status telar_ring_take(telar_ring_end *end, uint32_t max, uint64_t capacity,
                             telar_ring_run *runs, ring_span *s);

/* ---- ring_release.c ---- */

/* With many consumers: sets the tags of a claim to 0, except the first. */
void telar_ring_clear_claimed(telar_ring_end *end, uint64_t from, uint32_t granules);

/* ---- ring_close.c ---- */

/* Why there is no record at head. OK: scan again. */
telar_status telar_ring_no_record(telar_ring_end *end, uint64_t position);

/* ---- head ---- */

/* The position of the next record. With many consumers this is the word head including its flags,
 * as a claim expects it. */
static inline uint64_t ring_read_head(telar_ring_end *end) {
  /* A5: acquires R5, the claim that moved head there: tags of room that was released before read as
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
  /* R5, as in ring_set_head. Relaxed on failure: the caller reads head again. */
  return atomic_compare_exchange_strong_explicit(&end->shared->head, &head, to,
                                                 memory_order_release, memory_order_relaxed);
}

/* ---- releasing ---- */

/* With many consumers: releases a claim whose tags are 0, except the first. */
static inline void ring_mark_done(telar_ring_end *end, uint64_t from, uint32_t granules) {
  /* R2: released to A2, the thread that sweeps. */
  atomic_store_explicit(ring_tag(end, from), RING_TAG_DONE | granules, memory_order_release);
}

/* With a single consumer: whether a group is ready to be released. */
static inline bool ring_is_release_due(const telar_ring_end *end) {
  return ring_distance(end->released, end->head) >= end->release_group;
}

/* Releases what was claimed and has been read. */
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
