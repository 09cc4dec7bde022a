/* ring_take.c - consumers: scanning the records at head, and claiming them. */
#include "ring_receive.h"

static inline uint32_t differs(const _Atomic uint32_t *at, uint32_t tag) {
  return atomic_load_explicit(at, memory_order_acquire) ^ tag; /* A1 */
}

/* How many of the next `most` tags equal this one. Four at a time: with a branch for each, the
 * processor would predict the branch and fetch lines that the producer is about to write. */
static inline uint32_t count_equal_tags(const _Atomic uint32_t *at, uint32_t most, uint32_t tag) {
  uint32_t count = 0;
  while (most - count >= 4 && (differs(at + count, tag) | differs(at + count + 1, tag) |
                               differs(at + count + 2, tag) | differs(at + count + 3, tag)) == 0) {
    count += 4;
  }
  while (count != most && differs(at + count, tag) == 0) count++;
  return count;
}

telar_status telar_ring_scan(const telar_ring_end *end, uint64_t head, uint32_t max,
                             uint64_t capacity, telar_ring_run *runs, ring_span *s) {
  uint32_t size = end->mask + 1;
  *s = (ring_span){.from = head};
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
  /* Locals, because the compiler must assume that a store to runs may change what end points to. */
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
    /* The last position where a record of this length may begin. */
    uint64_t stop = first + (capacity - bytes) / TELAR_RING_GRANULE;
    if (stop > size - granules) stop = size - granules;
    if ((tag & RING_TAG_STATE) == RING_TAG_READY) {
      /* Records of one length are common. In this loop the next tag can be loaded before the
       * previous one is known. */
      if (granules == 1) {
        uint32_t most = (uint32_t)stop + 1 - at;
        if (most > max - count) most = max - count;
        uint32_t equal = 1 + count_equal_tags(&tags[at + 1], most - 1, tag);
        count += equal;
        at += equal;
        if (at != size && count != max) {
          next = atomic_load_explicit(&tags[at], memory_order_acquire); /* A1 */
        }
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
      if ((uint64_t)(records - 1) * granules > stop - at) {
        taken = (uint32_t)(stop - at) / granules + 1;
      }
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

RING_NOINLINE void telar_ring_cut_run(telar_ring_end *end, const ring_span *s) {
  uint64_t position = s->from + s->skipped + s->granules;
  /* R10: released to A1, the next consumer: what this one has acquired from the producer. */
  atomic_store_explicit(ring_tag(end, position), ring_tag_of(s->rest, s->last),
                        memory_order_release);
  /* A consumer that checked between the claim and this store saw nothing, and may sleep. */
  end->pending |= RING_PENDING_MOVED;
  if (ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
    position -= s->cut * ring_granules(s->last);
    atomic_store_explicit(ring_tag(end, position), ring_tag_of(s->cut, s->last),
                          memory_order_relaxed);
  }
}

static telar_status may_receive(telar_ring_end *end) {
  /* Relaxed: no other data depends on it. */
  uint32_t state = atomic_load_explicit(&end->shared->state, memory_order_relaxed);
  if (state != TELAR_RING_OPEN && state != TELAR_RING_CLOSED) {
    return TELAR_ABORTED;
  }
  return end->has_role[TELAR_RING_RECEIVERS] ? TELAR_OK
                                             : telar_ring_take_role(end, TELAR_RING_RECEIVERS);
}

telar_status telar_ring_take(telar_ring_end *end, uint32_t max, uint64_t capacity,
                             telar_ring_run *runs, ring_span *s) {
  telar_status status = may_receive(end);
  if (status != TELAR_OK) return status;
  end->staged.next = end->staged.count = 0;
  for (;;) {
    uint64_t head = ring_read_head(end), position = head & RING_POSITION_MASK;
    if ((head & RING_HEAD_FINAL) != 0) {
      end->has_role[TELAR_RING_RECEIVERS] = false;
      return TELAR_CLOSED;
    }
    status = telar_ring_scan(end, position, max, capacity, runs, s);
    if (status == TELAR_OK) {
      if (!ring_move_head(end, head, s)) continue;
      if (s->rest != 0) telar_ring_cut_run(end, s);
      return TELAR_OK;
    }
    if (status == TELAR_EMPTY && s->skipped != 0) {
      /* Also claim granules without a record, or their room would never become free. */
      if (ring_move_head(end, head, s)) ring_give_back(end, s);
      continue;
    }
    if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER) && ring_read_head(end) != head) {
      continue; /* head was outdated */
    }
    if (status == TELAR_EMPTY) status = telar_ring_no_record(end, position);
    if (status != TELAR_OK) return status;
  }
}
