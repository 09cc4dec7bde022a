/* ring_receive.c - consumers: looking, claiming, copying out, giving room back, the end of a closed ring. */
#include "ring_internal.h"

#include <string.h>

/* A single consumer gives room back in groups (release_together), up to a pair of lines of tags behind head, and all of it
 * in notify: else it would write where the producer is about to write, and the producer read `released` for each few. */
#define RELEASE_NOT_YET 32u

/* What a look has found: granules to step over, then records in one piece. */
typedef struct span {
  uint64_t from;
  uint32_t skipped;  /* granules without a record, first */
  uint32_t granules; /* of the records */
  uint32_t count;    /* records */
  uint32_t last;     /* bytes of the last one */
  uint32_t runs;     /* what the caller's list has of them */
  uint32_t rest;     /* records of the last run that are not among them */
  uint32_t cut;      /* records of the last run that are, if there is a rest */
  bool has_runs;     /* not every record has a tag of its own */
  uint64_t bytes;    /* their lengths added up */
} span;

/* Where to look and what a claim expects: the word head, with its flags, of a ring for many. */
static inline uint64_t read_head(telar_ring_end *end) {
  /* A5: acquires R5, the claim that moved head there: the tags of room released before are seen as 0. */
  return ring_has(end, TELAR_RING_SINGLE_CONSUMER) ? end->head
                                                   : atomic_load_explicit(&end->shared->head, memory_order_acquire);
}

static inline uint32_t differs(const _Atomic uint32_t *at, uint32_t tag) {
  return atomic_load_explicit(at, memory_order_acquire) ^ tag; /* A1 */
}

/* How many of `most` tags, from the first on, are like this one. Four at a time: a branch for each would be predicted, and lead
 * the processor to lines that the producer is about to write. */
static inline uint32_t count_equal_tags(const _Atomic uint32_t *at, uint32_t most, uint32_t tag) {
  uint32_t count = 0;
  while (most - count >= 4 &&
         (differs(at + count, tag) | differs(at + count + 1, tag) | differs(at + count + 2, tag) |
          differs(at + count + 3, tag)) == 0) {
    count += 4;
  }
  while (count != most && differs(at + count, tag) == 0) count++;
  return count;
}

/*
 * Walks from head over skips to up to max records that go into capacity bytes one after the other. OK: s.count is not
 * 0. EMPTY: no record, s.skipped may be not 0. TOO_LARGE: runs[0].bytes is more than capacity. CORRUPT:
 * the tags make no sense, or head was moved on in the meantime.
 */
static telar_status look(const telar_ring_end *end, uint64_t head, uint32_t max, uint64_t capacity, telar_ring_run *runs,
                         span *s) {
  uint32_t size = end->mask + 1;
  *s = (span){.from = head};
  uint32_t at = (uint32_t)head & end->mask;
  /* A1: acquires R1, the record. */
  uint32_t tag = atomic_load_explicit(&end->tags[at], memory_order_acquire);
  while ((tag & RING_TAG_STATE) == RING_TAG_SKIP) {
    uint32_t granules = tag & RING_TAG_COUNT;
    if (granules == 0 || granules > size - at || granules > end->mask - s->skipped) {
      return TELAR_CORRUPT;
    }
    s->skipped += granules;
    at = (at + granules) & end->mask;
    tag = atomic_load_explicit(&end->tags[at], memory_order_acquire); /* A1 */
  }
  if (ring_tag_records(tag) == 0) {
    return tag == 0 ? TELAR_EMPTY : TELAR_CORRUPT;
  }
  /* Locals: runs might be anything's memory, for all that the compiler knows. */
  const _Atomic uint32_t *tags = end->tags;
  uint32_t first = at, count = 0, longest = end->max_record;
  uint64_t total = 0;
  if (s->skipped != 0 && end->mask - s->skipped < size - at) size = at + end->mask - s->skipped;
  do {
    uint32_t bytes = ring_tag_bytes(tag), granules = ring_granules(bytes), before = count, next = 0;
    if (bytes > longest || granules > size - at) {
      if (count == 0) return TELAR_CORRUPT;
      break;
    }
    if ((uint64_t)(at - first) * TELAR_RING_GRANULE + bytes > capacity) {
      if (count != 0) break;
      runs[0].bytes = bytes;
      return TELAR_TOO_LARGE;
    }
    /* Where the last record like this may begin. */
    uint64_t stop = first + (capacity - bytes) / TELAR_RING_GRANULE;
    if (stop > size - granules) stop = size - granules;
    if ((tag & RING_TAG_STATE) == RING_TAG_READY) {
      /* Records of one length are common, and here the next tag can be loaded before the last one is known. */
      if (granules == 1) {
        uint32_t most = (uint32_t)stop + 1 - at;
        if (most > max - count) most = max - count;
        uint32_t equal = 1 + count_equal_tags(&tags[at + 1], most - 1, tag);
        count += equal;
        at += equal;
        if (at != size && count != max) next = atomic_load_explicit(&tags[at], memory_order_acquire); /* A1 */
      } else {
        do {
          count++;
          at += granules;
          next = 0;
          if (at == size || count == max) break;
          next = atomic_load_explicit(&tags[at], memory_order_acquire); /* A1 */
        } while (next == tag && at <= stop);
      }
    } else {
      uint32_t records = ring_tag_records(tag), taken = records;
      if ((uint64_t)records * granules > size - at) {
        if (count == 0) return TELAR_CORRUPT;
        break;
      }
      if ((uint64_t)(records - 1) * granules > stop - at) taken = (uint32_t)(stop - at) / granules + 1;
      if (taken > max - count) taken = max - count;
      s->has_runs = true;
      s->rest = records - taken;
      s->cut = taken;
      count += taken;
      at += taken * granules;
      if (s->rest == 0 && at != size && count != max) {
        next = atomic_load_explicit(&tags[at], memory_order_acquire); /* A1 */
      }
    }
    runs[s->runs++] = (telar_ring_run){count - before, bytes};
    s->last = bytes;
    total += (uint64_t)bytes * (count - before);
    tag = next;
  } while (ring_tag_records(tag) != 0);
  s->granules = at - first;
  s->count = count;
  s->bytes = total;
  return TELAR_OK;
}

/* Moves the head of a single consumer. */
static inline void set_head(telar_ring_end *end, uint64_t to) {
  end->head = to & RING_POSITION_MASK;
  /* R5: released to A5, the next consumer. */
  atomic_store_explicit(&end->shared->head, end->head, memory_order_release);
}

/* Moves head over a span; false: another consumer was faster. */
static inline bool move_head(telar_ring_end *end, uint64_t head, const span *s) {
  uint64_t to = ((head & RING_POSITION_MASK) + s->skipped + s->granules) & RING_POSITION_MASK;
  if (ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
    set_head(end, to);
    return true;
  }
  /* R5, as in set_head. Relaxed on failure: the caller reads head anew. */
  return atomic_compare_exchange_strong_explicit(&end->shared->head, &head, to, memory_order_release,
                                                 memory_order_relaxed);
}

/* Writes tags to 0 from position up to last. A tag that speaks for more is left, if `stops_short`. Returns how far it
 * came. Relaxed, all of it: what was claimed is this thread's; R2 or R3 orders it before the next lap. */
static uint64_t clear_tags(const telar_ring_end *end, uint64_t position, uint64_t last, bool stops_short) {
  _Atomic uint32_t *tags = end->tags;
  uint32_t mask = end->mask;
  while (position != last) {
    _Atomic uint32_t *tag = &tags[(uint32_t)position & mask];
    uint32_t seen = atomic_load_explicit(tag, memory_order_relaxed);
    uint64_t granules = ring_tag_granules(seen);
    if (granules == 0 || granules > last - position) {
      if (stops_short) break;
      granules = last - position; /* no longer what it was */
    }
    do { /* as in look */
      atomic_store_explicit(tag, 0, memory_order_relaxed);
      position += granules;
      tag = &tags[(uint32_t)position & mask];
    } while (last - position >= granules && atomic_load_explicit(tag, memory_order_relaxed) == seen);
  }
  return position;
}

/* Of many consumers: gives back a claim whose tags but the first are 0. */
static inline void mark_done(telar_ring_end *end, uint64_t from, uint32_t granules) {
  /* R2: released to A2, whoever sweeps. */
  atomic_store_explicit(ring_tag(end, from), RING_TAG_DONE | granules, memory_order_release);
}

RING_ASIDE void telar_ring_release_seen(telar_ring_end *end, uint32_t keep) {
  uint64_t left = ring_distance(end->released, end->head) - keep;
  for (uint32_t i = 0; i < TELAR_RING_OPEN_MAX && end->claims_open != 0; i++) {
    if (end->claims[i].granules == 0) continue;
    uint64_t before = ring_distance(end->released, end->claims[i].position);
    if (before < left) left = before;
  }
  if (left == 0) return;
  end->released = clear_tags(end, end->released, end->released + left, keep != 0) & RING_POSITION_MASK;
  /* R3: released to A3, any producer. */
  atomic_store_explicit(&end->shared->released, end->released, memory_order_release);
}

/* A span that ends within a run: both parts get a tag of their own. Of many consumers that of the claimed part is written
 * when it is given back. */
static RING_ASIDE void cut_run(telar_ring_end *end, const span *s) {
  uint64_t position = s->from + s->skipped + s->granules;
  /* R10: released to A1, the next consumer: what this one has acquired of the producer. */
  atomic_store_explicit(ring_tag(end, position), ring_tag_of(s->rest, s->last), memory_order_release);
  /* Whoever looked between the claim and this has seen nothing and may sleep. */
  end->pending |= RING_PENDING_MOVED;
  if (ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
    position -= s->cut * ring_granules(s->last);
    atomic_store_explicit(ring_tag(end, position), ring_tag_of(s->cut, s->last), memory_order_relaxed);
  }
}

/* Of many consumers: the tags of what was claimed to 0, but the first. */
static void clear_claimed(telar_ring_end *end, uint64_t from, uint32_t granules) {
  uint64_t first = ring_tag_granules(atomic_load_explicit(ring_tag(end, from), memory_order_relaxed));
  if (first != 0 && first < granules) clear_tags(end, from + first, from + granules, false);
}

/* Of a single consumer: whether there is a group to give back. */
static inline bool is_release_due(const telar_ring_end *end) {
  return ring_distance(end->released, end->head) >= end->release_together;
}

/* What was claimed is read. */
static void give_back(telar_ring_end *end, const span *s) {
  end->pending |= RING_PENDING_MOVED;
  if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
    clear_claimed(end, s->from, s->skipped + s->granules);
    mark_done(end, s->from, s->skipped + s->granules);
  } else if (is_release_due(end)) {
    telar_ring_release_seen(end, RELEASE_NOT_YET);
  }
}

/* A closed ring looks empty at head: says so for good (CLOSED), or OK to look again. */
static telar_status finish(telar_ring_end *end, uint64_t position) {
  ring_shared *shared = end->shared;
  /* A5: acquires R5 and C3. */
  uint64_t head = atomic_load_explicit(&shared->head, memory_order_acquire);
  /* C2: pairs with C1, notify. Also between this consumer's last claim, which may have wiped a HEAD_LATE, and the
   * look below. */
  atomic_thread_fence(memory_order_seq_cst);
  if ((head & RING_POSITION_MASK) != position) {
    return ring_has(end, TELAR_RING_SINGLE_CONSUMER) ? TELAR_CORRUPT : TELAR_OK;
  }
  /* A1, A4: a look of the same kind as before. */
  bool is_empty = atomic_load_explicit(ring_tag(end, position), memory_order_acquire) == 0 &&
                  (atomic_load_explicit(&shared->tail, memory_order_acquire) & RING_POSITION_MASK) == position;
  if ((head & RING_HEAD_FINAL) == 0) {
    if (!is_empty) {
      return TELAR_OK;
    }
    if ((head & RING_HEAD_LATE) != 0) {
      /* Set behind a record, and nobody has claimed one since. */
      return TELAR_CORRUPT;
    }
    /* C4: fails if a sender was late (C3), or another consumer faster. */
    if (!atomic_compare_exchange_strong_explicit(&shared->head, &head, head | RING_HEAD_FINAL, memory_order_acq_rel,
                                                 memory_order_relaxed)) {
      return TELAR_OK;
    }
  }
  /* From now on take_part refuses this end, as read_head does in a ring for many. */
  end->has_part[TELAR_RING_RECEIVERS] = false;
  return TELAR_CLOSED;
}

/* Why there is no record at head, or OK to look again. */
static telar_status nothing_there(telar_ring_end *end, uint64_t position) {
  /* Acquire: with the state, all that the closing thread knew of. An open ring is not asked for its tail: that line is
   * the producers'. */
  if (atomic_load_explicit(&end->shared->state, memory_order_acquire) != TELAR_RING_CLOSED) {
    return TELAR_EMPTY;
  }
  /* A4: acquires R4. */
  uint64_t tail = atomic_load_explicit(&end->shared->tail, memory_order_acquire) & RING_POSITION_MASK;
  return tail != position ? TELAR_AGAIN : finish(end, position);
}

static telar_status may_receive(telar_ring_end *end) {
  /* Relaxed: nothing is read by it. */
  uint32_t state = atomic_load_explicit(&end->shared->state, memory_order_relaxed);
  if (state != TELAR_RING_OPEN && state != TELAR_RING_CLOSED) {
    return TELAR_ABORTED;
  }
  return end->has_part[TELAR_RING_RECEIVERS] ? TELAR_OK : telar_ring_take_part(end, TELAR_RING_RECEIVERS);
}

/* Claims up to max records that lie one behind the other. */
static telar_status take(telar_ring_end *end, uint32_t max, uint64_t capacity, telar_ring_run *runs, span *s) {
  telar_status status = may_receive(end);
  if (status != TELAR_OK) return status;
  end->staged.next = end->staged.count = 0;
  for (;;) {
    uint64_t head = read_head(end), position = head & RING_POSITION_MASK;
    if ((head & RING_HEAD_FINAL) != 0) {
      end->has_part[TELAR_RING_RECEIVERS] = false;
      return TELAR_CLOSED;
    }
    status = look(end, position, max, capacity, runs, s);
    if (status == TELAR_OK) {
      if (!move_head(end, head, s)) continue;
      if (s->rest != 0) cut_run(end, s);
      return TELAR_OK;
    }
    if (status == TELAR_EMPTY && s->skipped != 0) {
      /* Step over what holds no record, or its room would never come free. */
      if (move_head(end, head, s)) give_back(end, s);
      continue;
    }
    if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER) && read_head(end) != head) continue; /* what it saw was of the past */
    if (status == TELAR_EMPTY) status = nothing_there(end, position);
    if (status != TELAR_OK) return status;
  }
}

/* ---- receiving ---- */

static inline void copy_out(telar_ring_end *end, const span *s, void *buffer) {
  ring_copy(buffer, ring_data(end, s->from + s->skipped), ring_bytes_to_end(s->granules, s->last));
  give_back(end, s);
  ring_count_received(end, s->count, s->bytes);
}

/* Of a single consumer: reads some short records ahead. False: there is none, or it is not short. */
static RING_ASIDE bool stage(telar_ring_end *end) {
  ring_staged *staged = &end->staged;
  telar_ring_run runs[RING_STAGED_RECORDS];
  span s;
  staged->next = staged->count = 0;
  if (look(end, end->head, RING_STAGED_RECORDS, RING_STAGED_BYTES, runs, &s) != TELAR_OK || s.skipped != 0) {
    return false;
  }
  ring_copy(staged->bytes, ring_data(end, end->head), ring_bytes_to_end(s.granules, s.last));
  for (uint32_t i = 0, at = 0; i < s.runs; i++) {
    for (uint32_t last = at + runs[i].records; at != last; at++) staged->lengths[at] = runs[i].bytes;
  }
  if (s.has_runs) {
    /* Head is going to stop behind each of them. */
    if (s.rest != 0) cut_run(end, &s);
    uint64_t position = end->head;
    for (uint32_t i = 0; i < s.count; i++) {
      atomic_store_explicit(ring_tag(end, position), ring_tag_of(1, staged->lengths[i]), memory_order_relaxed);
      position += ring_granules(staged->lengths[i]);
    }
  }
  staged->at = 0;
  staged->count = s.count;
  return true;
}

/* Relaxed: as in may_receive. */
static inline bool may_receive_here(const telar_ring_end *end) {
  return end->has_part[TELAR_RING_RECEIVERS] &&
         atomic_load_explicit(&end->shared->state, memory_order_relaxed) <= TELAR_RING_CLOSED;
}

/* The usual case for one of many consumers: a record that was sent alone. False: nothing was done. */
static inline bool receive_alone(telar_ring_end *end, void *buffer, uint32_t capacity, uint32_t *length) {
  uint64_t head = read_head(end); /* A5 */
  uint32_t at = (uint32_t)head & end->mask;
  uint32_t tag = atomic_load_explicit(&end->tags[at], memory_order_acquire); /* A1 */
  uint32_t bytes = tag & RING_TAG_COUNT;
  span s = {.count = 1, .granules = ring_granules(bytes)};
  if ((tag & RING_TAG_STATE) != RING_TAG_READY || bytes > capacity || bytes > end->max_record ||
      s.granules > end->mask + 1 - at || (head & RING_HEAD_FINAL) != 0 || !move_head(end, head, &s)) {
    return false;
  }
  *length = bytes;
  ring_copy(buffer, end->data + (size_t)at * TELAR_RING_GRANULE, bytes);
  end->pending |= RING_PENDING_MOVED;
  mark_done(end, head, s.granules);
  ring_count_received(end, 1, bytes);
  return true;
}

static RING_ASIDE telar_status receive_aside(telar_ring_end *end, void *buffer, uint32_t capacity, uint32_t *length) {
  if (may_receive_here(end)) {
    if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
      if (receive_alone(end, buffer, capacity, length)) return TELAR_OK;
    } else if (end->staged.next == end->staged.count && stage(end)) {
      return telar_ring_receive(end, buffer, capacity, length);
    }
  }
  span s;
  telar_ring_run run;
  telar_status status = take(end, 1, capacity, &run, &s);
  if (status == TELAR_OK) copy_out(end, &s, buffer);
  if (status == TELAR_OK || status == TELAR_TOO_LARGE) *length = run.bytes;
  return status;
}

static RING_ASIDE telar_status hand_out(telar_ring_end *end, void *buffer, const void *from, uint32_t bytes) {
  ring_copy(buffer, from, bytes);
  if (is_release_due(end)) telar_ring_release_seen(end, RELEASE_NOT_YET);
  return TELAR_OK;
}

telar_status telar_ring_receive(telar_ring_end *end, void *buffer, uint32_t capacity, uint32_t *length) {
  /* The usual case for a single consumer: a record that was read ahead. */
  ring_staged *staged = &end->staged;
  uint32_t bytes = staged->lengths[staged->next % RING_STAGED_RECORDS];
  if (staged->next == staged->count || bytes > capacity || !may_receive_here(end)) {
    return receive_aside(end, buffer, capacity, length);
  }
  const unsigned char *from = staged->bytes + staged->at;
  uint32_t granules = ring_granules(bytes);
  *length = bytes;
  staged->next++;
  staged->at += granules * TELAR_RING_GRANULE;
  set_head(end, end->head + granules);
  end->pending |= RING_PENDING_MOVED;
  ring_count_received(end, 1, bytes);
  if (!ring_is_word(bytes) || is_release_due(end)) {
    return hand_out(end, buffer, from, bytes);
  }
  ring_copy_word(buffer, from, bytes);
  return TELAR_OK;
}

/* The usual case: one run like the last one, and no more behind it. What to copy is known before its tag has come from
 * the producer's cache, so that a processor that predicts the comparison asks for the records at the same time. False:
 * nothing was done. */
static inline bool receive_likely(telar_ring_end *end, void *buffer, uint32_t capacity, telar_ring_run *runs,
                                  uint32_t max) {
  const ring_likely *likely = &end->likely;
  uint32_t bytes = likely->run.bytes;
  if (likely->run.records == 0 || likely->run.records > max || ring_bytes_to_end(likely->granules, bytes) > capacity ||
      !may_receive_here(end)) {
    return false;
  }
  uint64_t head = read_head(end); /* A5 */
  uint32_t at = (uint32_t)head & end->mask;
  uint32_t left = end->mask + 1 - at;
  if (atomic_load_explicit(&end->tags[at], memory_order_acquire) != likely->tag || /* A1 */
      likely->granules > left || (head & RING_HEAD_FINAL) != 0) {
    return false;
  }
  /* Relaxed: only whether there is more to take. */
  if (likely->run.records != max && likely->granules != left &&
      atomic_load_explicit(&end->tags[at + likely->granules], memory_order_relaxed) != 0) {
    return false;
  }
  span s = {
      .from = head & RING_POSITION_MASK,
      .granules = likely->granules,
      .count = likely->run.records,
      .last = bytes,
      .bytes = (uint64_t)likely->run.records * bytes,
  };
  if (!move_head(end, head, &s)) return false;
  end->staged.next = end->staged.count = 0;
  runs[0] = likely->run;
  copy_out(end, &s, buffer);
  return true;
}

telar_status telar_ring_receive_many(telar_ring_end *end, void *buffer, uint32_t capacity, telar_ring_run *runs,
                                     uint32_t max, uint32_t *count) {
  if (receive_likely(end, buffer, capacity, runs, max)) {
    *count = 1;
    return TELAR_OK;
  }
  *count = 0;
  if (max == 0) return TELAR_INVALID;
  span s;
  telar_status status = take(end, max, capacity, runs, &s);
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
  span s;
  telar_ring_run run;
  telar_status status = take(end, 1, UINT64_MAX, &run, &s);
  if (status != TELAR_OK) return status;
  if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER)) clear_claimed(end, s.from, s.skipped + s.granules);
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
  /* A single consumer gives back with the next notify, up to what is claimed still. */
  if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER)) mark_done(end, open->position, open->granules);
  end->pending |= RING_PENDING_MOVED;
  end->claims_open--;
  open->granules = 0;
  return TELAR_OK;
}
