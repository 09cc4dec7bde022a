/* ring_receive.c - consumers: looking, claiming, copying out, giving room back, the end of a closed ring. */
#include "ring_internal.h"
#include "ring_tags.h"

#include <string.h>

/* A single consumer gives room back in groups (release_together), up to a pair of lines of tags behind head, and all of it
 * in notify: else it would write where the producer is about to write, and the producer read `released` for each few. */
#define RELEASE_NOT_YET 32u

/* What a look has found: granules to step over, then records in one piece. */
typedef struct run {
  uint64_t from;
  uint32_t skipped;  /* granules without a record, first */
  uint32_t granules; /* of the records */
  uint32_t count;    /* records */
  uint64_t bytes;    /* their lengths added up */
} run;

/* Where to look and what a claim expects: the word head, with its flags, of a ring for many. */
static inline uint64_t read_head(telar_ring_end *end) {
  /* A5: acquires R5, the claim that moved head there: the tags of room released before are seen as 0. */
  return ring_has(end, TELAR_RING_SINGLE_CONSUMER) ? end->head
                                                   : atomic_load_explicit(&end->shared->head, memory_order_acquire);
}

/*
 * Walks from head over skips to up to max records that go into capacity bytes one after the other. OK: r.count is not
 * 0. EMPTY: no record, r.skipped may be not 0. TOO_LARGE: lengths[0] is longer than capacity. CORRUPT:
 * the tags make no sense, or head was moved on in the meantime.
 */
static telar_status look(const telar_ring_end *end, uint64_t head, uint32_t max, uint64_t capacity, uint32_t *lengths,
                         run *r) {
  uint32_t size = end->mask + 1;
  *r = (run){.from = head};
  uint32_t at = (uint32_t)head & end->mask;
  /* A1: acquires R1, the record. */
  uint32_t tag = atomic_load_explicit(&end->tags[at], memory_order_acquire);
  while ((tag & RING_TAG_STATE) == RING_TAG_SKIP) {
    uint32_t granules = tag & RING_TAG_COUNT;
    if (granules == 0 || granules > size - at || granules > end->mask - r->skipped) {
      return TELAR_CORRUPT;
    }
    r->skipped += granules;
    at = (at + granules) & end->mask;
    tag = atomic_load_explicit(&end->tags[at], memory_order_acquire); /* A1 */
  }
  if ((tag & RING_TAG_STATE) != RING_TAG_READY) {
    return tag == 0 ? TELAR_EMPTY : TELAR_CORRUPT;
  }
  /* Locals: lengths might be anything's memory, for all that the compiler knows. */
  const _Atomic uint32_t *tags = end->tags;
  uint32_t first = at, count = 0, longest = end->max_record;
  uint64_t total = 0;
  if (r->skipped != 0 && end->mask - r->skipped < size - at) size = at + end->mask - r->skipped;
  do {
    uint32_t bytes = tag & RING_TAG_COUNT, granules = ring_granules(bytes), before = count, next;
    if (bytes > longest || granules > size - at) {
      if (count == 0) return TELAR_CORRUPT;
      break;
    }
    if ((uint64_t)(at - first) * TELAR_RING_GRANULE + bytes > capacity) {
      if (count != 0) break;
      lengths[0] = bytes;
      return TELAR_TOO_LARGE;
    }
    /* Where another record like this may begin. Records of one length are common, and here the next tag can be
     * loaded before the last one is known. */
    uint64_t stop = first + (capacity - bytes) / TELAR_RING_GRANULE;
    if (stop > size - granules) stop = size - granules;
    if (granules == 1) {
      /* The same, with one bound, for the shortest, and their lengths afterwards. */
      uint32_t most = (uint32_t)stop + 1 - at;
      if (most > max - count) most = max - count;
      uint32_t more = 1 + ring_tags_run(&tags[at + 1], most - 1, tag);
      for (uint32_t *out = lengths + count, *last = out + more; out != last; out++) *out = bytes;
      count += more;
      at += more;
      next = at == size || count == max ? 0 : atomic_load_explicit(&tags[at], memory_order_acquire); /* A1 */
    } else {
      do {
        lengths[count++] = bytes;
        at += granules;
        next = 0;
        if (at == size || count == max) break;
        next = atomic_load_explicit(&tags[at], memory_order_acquire); /* A1 */
      } while (next == tag && at <= stop);
    }
    total += (uint64_t)bytes * (count - before);
    tag = next;
  } while ((tag & RING_TAG_STATE) == RING_TAG_READY);
  r->granules = at - first;
  r->count = count;
  r->bytes = total;
  return TELAR_OK;
}

/* Moves head over a run; false: another consumer was faster. */
static inline bool move_head(telar_ring_end *end, uint64_t head, const run *r) {
  uint64_t to = ((head & RING_POSITION_MASK) + r->skipped + r->granules) & RING_POSITION_MASK;
  /* R5: released to A5, the next consumer. */
  if (ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
    end->head = to;
    atomic_store_explicit(&end->shared->head, to, memory_order_release);
    return true;
  }
  /* Relaxed on failure: the caller reads head anew. */
  return atomic_compare_exchange_strong_explicit(&end->shared->head, &head, to, memory_order_release,
                                                 memory_order_relaxed);
}

/* The tags of a claimed run to 0, except the first. */
static void clear_tags(telar_ring_end *end, const run *r, const uint32_t *lengths) {
  /* Relaxed, all of it: the run is this thread's; R2 or R3 orders it before the next lap. */
  uint64_t position = r->from;
  for (uint32_t stepped = 0; stepped < r->skipped;) {
    _Atomic uint32_t *tag = ring_tag(end, position);
    uint32_t granules = atomic_load_explicit(tag, memory_order_relaxed) & RING_TAG_COUNT;
    if (stepped != 0) atomic_store_explicit(tag, 0, memory_order_relaxed);
    if (granules == 0 || granules > r->skipped - stepped) granules = r->skipped - stepped; /* no longer what it was */
    stepped += granules;
    position += granules;
  }
  for (uint32_t i = 0; i < r->count; i++) {
    if (position != r->from) atomic_store_explicit(ring_tag(end, position), 0, memory_order_relaxed);
    position += ring_granules(lengths[i]);
  }
}

/* Of many consumers: gives back a run whose tags but the first are 0. */
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
  uint64_t position = end->released, last = position + left;
  _Atomic uint32_t *tags = end->tags;
  uint32_t mask = end->mask;
  /* Relaxed: R3 orders the tags before what the next producer writes. */
  while (position != last) {
    _Atomic uint32_t *tag = &tags[(uint32_t)position & mask];
    uint32_t seen = atomic_load_explicit(tag, memory_order_relaxed), count = seen & RING_TAG_COUNT;
    uint64_t granules = (seen & RING_TAG_STATE) == RING_TAG_READY ? ring_granules(count) : count;
    if (granules == 0 || granules > last - position) {
      if (keep != 0) break;
      granules = last - position; /* no longer what it was */
    }
    do { /* as in look */
      atomic_store_explicit(tag, 0, memory_order_relaxed);
      position += granules;
      tag = &tags[(uint32_t)position & mask];
    } while (last - position >= granules && atomic_load_explicit(tag, memory_order_relaxed) == seen);
  }
  end->released = position & RING_POSITION_MASK;
  /* R3: released to A3, any producer. */
  atomic_store_explicit(&end->shared->released, end->released, memory_order_release);
}

/* A run was claimed and is read; lengths are those of its records. */
static void give_back(telar_ring_end *end, const run *r, const uint32_t *lengths) {
  end->pending |= RING_PENDING_MOVED;
  if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
    clear_tags(end, r, lengths);
    mark_done(end, r->from, r->skipped + r->granules);
  } else if (r->count >= RELEASE_NOT_YET && r->count == r->granules && r->skipped == 0 && r->from == end->released &&
             end->claims_open == 0) {
    /* A batch of the shortest, and nothing before it: no tag has to be read for where the next one is. */
    /* Relaxed: R3 orders them. */
    ring_tags_fill(ring_tag(end, r->from), r->count, 0, memory_order_relaxed);
    end->released = end->head;
    /* R3: released to A3, any producer. */
    atomic_store_explicit(&end->shared->released, end->released, memory_order_release);
  } else if (ring_distance(end->released, end->head) >= end->release_together) {
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

/* Claims a run of up to max records. */
static telar_status take(telar_ring_end *end, uint32_t max, uint64_t capacity, uint32_t *lengths, run *r) {
  telar_status status = may_receive(end);
  if (status != TELAR_OK) return status;
  end->staged.next = end->staged.count = 0;
  for (;;) {
    uint64_t head = read_head(end), position = head & RING_POSITION_MASK;
    if ((head & RING_HEAD_FINAL) != 0) {
      end->has_part[TELAR_RING_RECEIVERS] = false;
      return TELAR_CLOSED;
    }
    status = look(end, position, max, capacity, lengths, r);
    if (status == TELAR_OK) {
      if (move_head(end, head, r)) return TELAR_OK;
      continue;
    }
    if (status == TELAR_EMPTY && r->skipped != 0) {
      /* Step over what holds no record, or its room would never come free. */
      if (move_head(end, head, r)) give_back(end, r, lengths);
      continue;
    }
    if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER) && read_head(end) != head) continue; /* what it saw was of the past */
    if (status == TELAR_EMPTY) status = nothing_there(end, position);
    if (status != TELAR_OK) return status;
  }
}

/* ---- receiving ---- */

static void copy_out(telar_ring_end *end, const run *r, void *buffer, const uint32_t *lengths) {
  uint32_t last = lengths[r->count - 1];
  uint32_t bytes = (r->granules - ring_granules(last)) * TELAR_RING_GRANULE + last;
  ring_copy(buffer, ring_data(end, r->from + r->skipped), bytes);
  give_back(end, r, lengths);
  ring_count_received(end, r->count, r->bytes);
}

/* Of a single consumer: reads some short records ahead. False: there is none, or it is not short. */
static RING_ASIDE bool stage(telar_ring_end *end) {
  ring_staged *staged = &end->staged;
  run r;
  staged->next = staged->count = 0;
  if (look(end, end->head, RING_STAGED_RECORDS, RING_STAGED_BYTES, staged->lengths, &r) != TELAR_OK || r.skipped != 0) {
    return false;
  }
  uint32_t last = staged->lengths[r.count - 1];
  ring_copy(staged->bytes, ring_data(end, end->head), (r.granules - ring_granules(last)) * TELAR_RING_GRANULE + last);
  staged->at = 0;
  staged->count = r.count;
  return true;
}

/* The usual case: a short record for a single consumer, any for one of many. False: nothing was done. */
static inline bool receive_here(telar_ring_end *end, void *buffer, uint32_t capacity, uint32_t *length) {
  /* Relaxed: as in may_receive. */
  if (!end->has_part[TELAR_RING_RECEIVERS] ||
      atomic_load_explicit(&end->shared->state, memory_order_relaxed) > TELAR_RING_CLOSED) {
    return false;
  }
  run r = {.count = 1};
  if (ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
    ring_staged *staged = &end->staged;
    if (staged->next == staged->count && !stage(end)) return false;
    uint32_t bytes = staged->lengths[staged->next];
    if (bytes > capacity) return false;
    *length = bytes;
    r.granules = ring_granules(bytes);
    ring_copy(buffer, staged->bytes + staged->at, bytes);
    staged->next++;
    staged->at += r.granules * TELAR_RING_GRANULE;
    move_head(end, end->head, &r);
    end->pending |= RING_PENDING_MOVED;
    if (ring_distance(end->released, end->head) >= end->release_together) telar_ring_release_seen(end, RELEASE_NOT_YET);
  } else {
    uint64_t head = read_head(end); /* A5 */
    uint32_t at = (uint32_t)head & end->mask;
    uint32_t tag = atomic_load_explicit(&end->tags[at], memory_order_acquire); /* A1 */
    uint32_t bytes = tag & RING_TAG_COUNT;
    r.granules = ring_granules(bytes);
    if ((tag & RING_TAG_STATE) != RING_TAG_READY || bytes > capacity || bytes > end->max_record ||
        r.granules > end->mask + 1 - at || (head & RING_HEAD_FINAL) != 0 || !move_head(end, head, &r)) {
      return false;
    }
    *length = bytes;
    ring_copy(buffer, end->data + (size_t)at * TELAR_RING_GRANULE, bytes);
    end->pending |= RING_PENDING_MOVED;
    mark_done(end, head, r.granules);
  }
  ring_count_received(end, 1, *length);
  return true;
}

static RING_ASIDE telar_status receive_aside(telar_ring_end *end, void *buffer, uint32_t capacity, uint32_t *length) {
  run r;
  telar_status status = take(end, 1, capacity, length, &r);
  if (status == TELAR_OK) copy_out(end, &r, buffer, length);
  return status;
}

telar_status telar_ring_receive(telar_ring_end *end, void *buffer, uint32_t capacity, uint32_t *length) {
  return receive_here(end, buffer, capacity, length) ? TELAR_OK : receive_aside(end, buffer, capacity, length);
}

telar_status telar_ring_receive_many(telar_ring_end *end, void *buffer, uint32_t capacity, uint32_t *lengths,
                                     uint32_t max, uint32_t *received) {
  *received = 0;
  if (max == 0) return TELAR_INVALID;
  run r;
  telar_status status = take(end, max, capacity, lengths, &r);
  if (status == TELAR_OK) {
    copy_out(end, &r, buffer, lengths);
    *received = r.count;
  }
  return status;
}

/* ---- in place ---- */

telar_status telar_ring_claim(telar_ring_end *end, telar_ring_place *out) {
  ring_open *open = telar_ring_free_open(end->claims);
  if (open == NULL) return TELAR_LIMIT;
  run r;
  uint32_t length;
  telar_status status = take(end, 1, UINT64_MAX, &length, &r);
  if (status != TELAR_OK) return status;
  if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER)) clear_tags(end, &r, &length);
  *open = (ring_open){r.from, r.skipped + r.granules, length, ++end->serial};
  end->claims_open++;
  out->data = ring_data(end, r.from + r.skipped);
  out->offset = (uint64_t)((unsigned char *)out->data - (unsigned char *)end->shared);
  out->length = length;
  out->ticket = ring_ticket(end->claims, open);
  ring_count_received(end, 1, length);
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
