/* ring_receive.c - consumers: copying records out, one or many, and reading them in place. */
#include "ring_receive.h"

/* ---- receiving ---- */

static inline void copy_out(telar_ring_end *end, const ring_span *s, void *buffer) {
  ring_copy(buffer, ring_data(end, s->from + s->skipped), ring_bytes_to_end(s->granules, s->last));
  ring_give_back(end, s);
  ring_count_received(end, s->count, s->bytes);
}

/* With a single consumer: reads short records ahead. False: there is no record, or it is not
 * short. */
static RING_NOINLINE bool stage(telar_ring_end *end) {
  ring_staged *staged = &end->staged;
  telar_ring_run runs[RING_STAGED_RECORDS];
  ring_span s;
  staged->next = staged->count = 0;
  if (telar_ring_scan(end, end->head, RING_STAGED_RECORDS, RING_STAGED_BYTES, runs, &s) !=
          TELAR_OK ||
      s.skipped != 0) {
    return false;
  }
  ring_copy(staged->bytes, ring_data(end, end->head), ring_bytes_to_end(s.granules, s.last));
  for (uint32_t i = 0, at = 0; i < s.runs; i++) {
    for (uint32_t last = at + runs[i].records; at != last; at++) {
      staged->lengths[at] = runs[i].bytes;
    }
  }
  if (s.has_runs) {
    /* Head will stop after each of them, so each needs its own tag. */
    if (s.rest != 0) telar_ring_cut_run(end, &s);
    uint64_t position = end->head;
    for (uint32_t i = 0; i < s.count; i++) {
      atomic_store_explicit(ring_tag(end, position), ring_tag_of(1, staged->lengths[i]),
                            memory_order_relaxed);
      position += ring_granules(staged->lengths[i]);
    }
  }
  staged->at = 0;
  staged->count = s.count;
  return true;
}

/* Relaxed: as in may_receive. */
static inline bool may_receive_fast(const telar_ring_end *end) {
  return end->has_role[TELAR_RING_RECEIVERS] &&
         atomic_load_explicit(&end->shared->state, memory_order_relaxed) <= TELAR_RING_CLOSED;
}

/* The common case with many consumers: a record that was sent alone. False: nothing was done. */
static inline bool receive_alone(telar_ring_end *end, void *buffer, uint32_t capacity,
                                 uint32_t *length) {
  uint64_t head = ring_read_head(end); /* A5 */
  uint32_t at = (uint32_t)head & end->mask;
  uint32_t tag = atomic_load_explicit(&end->tags[at], memory_order_acquire); /* A1 */
  uint32_t bytes = tag & RING_TAG_COUNT;
  ring_span s = {.count = 1, .granules = ring_granules(bytes)};
  if ((tag & RING_TAG_STATE) != RING_TAG_READY || bytes > capacity || bytes > end->max_record ||
      s.granules > end->mask + 1 - at || (head & RING_HEAD_FINAL) != 0 ||
      !ring_move_head(end, head, &s)) {
    return false;
  }
  *length = bytes;
  ring_copy(buffer, end->data + (size_t)at * TELAR_RING_GRANULE, bytes);
  end->pending |= RING_PENDING_MOVED;
  ring_mark_done(end, head, s.granules);
  ring_count_received(end, 1, bytes);
  return true;
}

static RING_NOINLINE telar_status receive_slow(telar_ring_end *end, void *buffer, uint32_t capacity,
                                               uint32_t *length) {
  if (may_receive_fast(end)) {
    if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
      if (receive_alone(end, buffer, capacity, length)) return TELAR_OK;
    } else if (end->staged.next == end->staged.count && stage(end)) {
      return telar_ring_receive(end, buffer, capacity, length);
    }
  }
  ring_span s;
  telar_ring_run run;
  telar_status status = telar_ring_take(end, 1, capacity, &run, &s);
  if (status == TELAR_OK) copy_out(end, &s, buffer);
  if (status == TELAR_OK || status == TELAR_TOO_LARGE) *length = run.bytes;
  return status;
}

static RING_NOINLINE telar_status hand_out(telar_ring_end *end, void *buffer, const void *from,
                                           uint32_t bytes) {
  ring_copy(buffer, from, bytes);
  if (ring_is_release_due(end)) telar_ring_release_seen(end, RING_RELEASE_KEEP);
  return TELAR_OK;
}

telar_status telar_ring_receive(telar_ring_end *end, void *buffer, uint32_t capacity,
                                uint32_t *length) {
  /* The common case with a single consumer: a record that was read ahead. */
  ring_staged *staged = &end->staged;
  uint32_t bytes = staged->lengths[staged->next % RING_STAGED_RECORDS];
  if (staged->next == staged->count || bytes > capacity || !may_receive_fast(end)) {
    return receive_slow(end, buffer, capacity, length);
  }
  const unsigned char *from = staged->bytes + staged->at;
  uint32_t granules = ring_granules(bytes);
  *length = bytes;
  staged->next++;
  staged->at += granules * TELAR_RING_GRANULE;
  ring_set_head(end, end->head + granules);
  end->pending |= RING_PENDING_MOVED;
  ring_count_received(end, 1, bytes);
  if (!ring_is_word(bytes) || ring_is_release_due(end)) {
    return hand_out(end, buffer, from, bytes);
  }
  ring_copy_word(buffer, from, bytes);
  return TELAR_OK;
}

/* The common case: one run like the previous one, and nothing after it. The length to copy is known
 * before the tag has arrived from the producer's cache. So a processor that predicts the comparison
 * fetches the tag and the records at the same time. False: nothing was done. */
static inline bool receive_likely(telar_ring_end *end, void *buffer, uint32_t capacity,
                                  telar_ring_run *runs, uint32_t max) {
  const ring_likely *likely = &end->likely;
  uint32_t bytes = likely->run.bytes;
  if (likely->run.records == 0 || likely->run.records > max ||
      ring_bytes_to_end(likely->granules, bytes) > capacity || !may_receive_fast(end)) {
    return false;
  }
  uint64_t head = ring_read_head(end); /* A5 */
  uint32_t at = (uint32_t)head & end->mask;
  uint32_t left = end->mask + 1 - at;
  if (atomic_load_explicit(&end->tags[at], memory_order_acquire) != likely->tag || /* A1 */
      likely->granules > left || (head & RING_HEAD_FINAL) != 0) {
    return false;
  }
  /* Relaxed: only tells whether there is more to take. */
  if (likely->run.records != max && likely->granules != left &&
      atomic_load_explicit(&end->tags[at + likely->granules], memory_order_relaxed) != 0) {
    return false;
  }
  ring_span s = {
      .from = head & RING_POSITION_MASK,
      .granules = likely->granules,
      .count = likely->run.records,
      .last = bytes,
      .bytes = (uint64_t)likely->run.records * bytes,
  };
  if (!ring_move_head(end, head, &s)) return false;
  end->staged.next = end->staged.count = 0;
  runs[0] = likely->run;
  copy_out(end, &s, buffer);
  return true;
}

telar_status telar_ring_receive_many(telar_ring_end *end, void *buffer, uint32_t capacity,
                                     telar_ring_run *runs, uint32_t max, uint32_t *count) {
  if (receive_likely(end, buffer, capacity, runs, max)) {
    *count = 1;
    return TELAR_OK;
  }
  *count = 0;
  if (max == 0) return TELAR_INVALID;
  ring_span s;
  telar_status status = telar_ring_take(end, max, capacity, runs, &s);
  if (status == TELAR_OK) {
    if (s.has_runs && s.runs == 1 && s.rest == 0) {
      end->likely = (ring_likely){runs[0], ring_tag_of(s.count, s.last), s.granules};
    }
    copy_out(end, &s, buffer);
    *count = s.runs;
  }
  return status;
}

/* ---- in place ---- */

telar_status telar_ring_claim(telar_ring_end *end, telar_ring_place *out) {
  ring_open *open = telar_ring_free_open(end->claims);
  if (open == NULL) return TELAR_LIMIT;
  ring_span s;
  telar_ring_run run;
  telar_status status = telar_ring_take(end, 1, UINT64_MAX, &run, &s);
  if (status != TELAR_OK) return status;
  if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
    telar_ring_clear_claimed(end, s.from, s.skipped + s.granules);
  }
  *open = (ring_open){s.from, s.skipped + s.granules, run.bytes, ++end->serial};
  end->claims_open++;
  out->data = ring_data(end, s.from + s.skipped);
  out->offset = (uint64_t)((unsigned char *)out->data - (unsigned char *)end->shared);
  out->length = run.bytes;
  out->ticket = ring_ticket(end->claims, open);
  ring_count_received(end, 1, run.bytes);
  return TELAR_OK;
}

telar_status telar_ring_release(telar_ring_end *end, uint32_t ticket) {
  ring_open *open = telar_ring_find_open(end->claims, ticket);
  if (open == NULL) return TELAR_INVALID;
  /* A single consumer releases in the next notify, up to the oldest open claim. */
  if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
    ring_mark_done(end, open->position, open->granules);
  }
  end->pending |= RING_PENDING_MOVED;
  end->claims_open--;
  open->granules = 0;
  return TELAR_OK;
}
