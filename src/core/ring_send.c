/* ring_send.c - producers: taking room, publishing records, sweeping what consumers are through with. */
#include "prefetch.h"
#include "ring_internal.h"

#include <string.h>

/* How far ahead of the records lines are asked for, and how much of it behind a batch at most; in granules. */
#define AHEAD 32u
#define FETCH_BEHIND_MOST 64u

/* A sweep goes on a little beyond what is wanted, so that not every send sweeps. */
#define SWEEP_EXTRA_MAX 4096u

/* ---- room ---- */

/* Granules that are free behind tail, by what was last seen released; UINT32_MAX if the two do not go together. */
static inline uint32_t room_behind(const telar_ring_end *end, uint64_t tail, uint64_t released) {
  uint64_t used = ring_distance(released, tail);
  return used > end->mask ? UINT32_MAX : end->mask - (uint32_t)used;
}

static inline uint32_t left_in_ring(const telar_ring_end *end, uint64_t tail) {
  return end->mask + 1 - ((uint32_t)tail & end->mask);
}

/* Granules between tail and the end of the ring that a record so long cannot use. */
static inline uint32_t pad_before(const telar_ring_end *end, uint64_t tail, uint32_t granules) {
  uint32_t left = left_in_ring(end, tail);
  return granules > left ? left : 0;
}

bool telar_ring_fits(const telar_ring_end *end, uint64_t tail, uint64_t released, uint32_t granules) {
  uint32_t room = room_behind(end, tail, released);
  return room != UINT32_MAX && pad_before(end, tail, granules) + granules <= room;
}

/* Releases consecutive claims that are done, at most `limit` granules and a claim. pre: the lock is held. */
static telar_status sweep_done(telar_ring_end *end, uint64_t limit, uint64_t *swept) {
  ring_shared *shared = end->shared;
  /* Relaxed: A6 orders it. */
  uint64_t from = atomic_load_explicit(&shared->released, memory_order_relaxed) & RING_POSITION_MASK, position = from;
  telar_status status = TELAR_OK;
  while (position - from < limit) {
    _Atomic uint32_t *tag = ring_tag(end, position);
    /* A2: acquires R2, the consumer is through with the claim. */
    uint32_t seen = atomic_load_explicit(tag, memory_order_acquire), granules = seen & RING_TAG_COUNT;
    if ((seen & RING_TAG_STATE) != RING_TAG_DONE) break;
    if (granules == 0 || granules > end->mask) {
      status = TELAR_CORRUPT;
      break;
    }
    /* Relaxed: R3 orders it before what the next producer writes. */
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
  uint64_t limit = wanted + (extra < SWEEP_EXTRA_MAX ? extra : SWEEP_EXTRA_MAX), swept = 0, released;
  do {
    /* Relaxed look first: the holder needs the line. */
    if (atomic_load_explicit(&shared->sweeping, memory_order_relaxed) != 0 ||
        atomic_exchange_explicit(&shared->sweeping, 1, memory_order_acquire) != 0) { /* A6: acquires R6 */
      return TELAR_AGAIN;
    }
    telar_status status = sweep_done(end, limit - swept, &swept);
    /* R6: released to A6, the next sweep. */
    atomic_store_explicit(&shared->sweeping, 0, memory_order_release);
    /* Others may have been kept out, senders as well as wakers: what they would have done is for this end to do. */
    end->pending |= RING_PENDING_MOVED;
    if (status != TELAR_OK || swept >= limit) return status;
    /* S1: pairs with W1 of a consumer that marked a claim and found the lock taken, and with W2 of a sender that did. The
     * claim is seen here; the sender by the look at who waits, which comes behind this or, in notify, W1. */
    atomic_thread_fence(memory_order_seq_cst);
    released = atomic_load_explicit(&shared->released, memory_order_relaxed);
  } while ((atomic_load_explicit(ring_tag(end, released), memory_order_relaxed) & RING_TAG_STATE) == RING_TAG_DONE);
  return TELAR_OK;
}

/* Looks for more room behind tail than released_seen tells. OK: what there is, it has seen. */
static telar_status refresh_room(telar_ring_end *end, uint64_t tail, uint64_t wanted) {
  ring_shared *shared = end->shared;
  /* A3: acquires R3, what lay there is read and its tags are 0. */
  end->released_seen = atomic_load_explicit(&shared->released, memory_order_acquire) & RING_POSITION_MASK;
  if (ring_has(end, TELAR_RING_SINGLE_CONSUMER) || room_behind(end, tail, end->released_seen) >= wanted) {
    return TELAR_OK;
  }
  telar_status status = telar_ring_sweep(end, wanted);
  /* A3, as above. */
  end->released_seen = atomic_load_explicit(&shared->released, memory_order_acquire) & RING_POSITION_MASK;
  return status;
}

static inline uint64_t read_tail(telar_ring_end *end) {
  /* Relaxed: a guess, which the compare-and-swap checks. */
  return ring_has(end, TELAR_RING_SINGLE_PRODUCER)
             ? end->tail
             : atomic_load_explicit(&end->shared->tail, memory_order_relaxed) & RING_POSITION_MASK;
}

/* Moves tail on; false, and *tail is the new one: another producer was faster. */
static inline bool move_tail(telar_ring_end *end, uint64_t *tail, uint64_t granules) {
  uint64_t to = (*tail + granules) & RING_POSITION_MASK;
  /* R4: released to A4, a receiver that looks whether something is reserved: the tags there are 0 (A3), and
   * telar_ring_settle tells of what comes after. */
  if (ring_has(end, TELAR_RING_SINGLE_PRODUCER)) {
    end->tail = to;
    atomic_store_explicit(&end->shared->tail, to, memory_order_release);
    return true;
  }
  /* A4: acquires R4 of take_back: what was written into a reservation that was given up. */
  return atomic_compare_exchange_weak_explicit(&end->shared->tail, tail, to, memory_order_acq_rel,
                                               memory_order_relaxed);
}

/* Moves tail back over the last reservation, whose tag is 0; false: it is not the last one. tail is
 * no more than a number: whoever has read the old one finds it there again or fails to swap it. */
static bool take_back(telar_ring_end *end, uint64_t position, uint32_t granules) {
  uint64_t expected = (position + granules) & RING_POSITION_MASK;
  position &= RING_POSITION_MASK;
  /* R4: released to A4, as in move_tail. */
  if (ring_has(end, TELAR_RING_SINGLE_PRODUCER)) {
    if (end->tail != expected) return false;
    end->tail = position;
    atomic_store_explicit(&end->shared->tail, position, memory_order_release);
    return true;
  }
  return atomic_compare_exchange_strong_explicit(&end->shared->tail, &expected, position, memory_order_release,
                                                 memory_order_relaxed);
}

/* No room behind tail, as seen: why, or OK to try again at another tail. */
static telar_status no_room(telar_ring_end *end, uint64_t *tail, telar_status swept) {
  uint64_t now = read_tail(end);
  if (now != *tail) {
    *tail = now;
    return TELAR_OK;
  }
  if (swept != TELAR_OK) {
    return swept;
  }
  return room_behind(end, *tail, end->released_seen) == UINT32_MAX ? TELAR_CORRUPT : TELAR_FULL;
}

/* The lines that the records behind position will be written to are in the cache of the consumer that read them. Asked
 * for one by one when a store needs them, they would be what a producer waits for most. */
static inline void fetch_ahead(const telar_ring_end *end, uint64_t position) {
  if (((uint32_t)position & 7) == 0) telar_prefetch_write(ring_data(end, position + AHEAD));
  if (((uint32_t)position & 15) == 0) telar_prefetch_write(ring_tag(end, position + AHEAD));
}

/* The same for a batch: what the next one, if it is as long, will be written to. */
static inline void fetch_behind(const telar_ring_end *end, uint64_t position, uint32_t granules) {
  if (granules > FETCH_BEHIND_MOST) granules = FETCH_BEHIND_MOST;
  for (uint32_t i = 0; i < granules; i += 8) telar_prefetch_write(ring_data(end, position + i));
  telar_prefetch_write(ring_tag(end, position));
}

/* R1: released to A1, any consumer. */
static inline void publish(telar_ring_end *end, uint64_t position, uint32_t tag) {
  atomic_store_explicit(ring_tag(end, position), tag, memory_order_release);
}

/* Reserves room for one record; *position is where it begins. */
static telar_status take_room(telar_ring_end *end, uint32_t granules, uint64_t *position) {
  uint64_t tail = read_tail(end);
  for (;;) {
    uint32_t pad = pad_before(end, tail, granules);
    uint32_t wanted = pad + granules, room = room_behind(end, tail, end->released_seen);
    if (room < wanted || room == UINT32_MAX) {
      telar_status status = refresh_room(end, tail, wanted);
      room = room_behind(end, tail, end->released_seen);
      if (room < wanted || room == UINT32_MAX) {
        status = no_room(end, &tail, status);
        if (status != TELAR_OK) return status;
        continue;
      }
    }
    if (move_tail(end, &tail, wanted)) {
      if (pad != 0) publish(end, tail, RING_TAG_SKIP | pad);
      *position = tail + pad;
      return TELAR_OK;
    }
  }
}

/* The usual case: there is room as far as is known, in one piece, and no other producer is faster. False: nothing
 * was done. */
static inline bool take_room_here(telar_ring_end *end, uint32_t granules, uint64_t *position) {
  uint64_t tail = read_tail(end);
  uint32_t room = room_behind(end, tail, end->released_seen);
  if (granules > room || room == UINT32_MAX || pad_before(end, tail, granules) != 0) return false;
  *position = tail;
  return move_tail(end, &tail, granules);
}

/* ---- sending ---- */

static inline telar_status may_send(telar_ring_end *end) {
  /* Relaxed: settle looks again, behind C1. */
  uint32_t state = atomic_load_explicit(&end->shared->state, memory_order_relaxed);
  if (state != TELAR_RING_OPEN) {
    return state == TELAR_RING_CLOSED ? TELAR_CLOSED : TELAR_ABORTED;
  }
  return end->has_part[TELAR_RING_SENDERS] ? TELAR_OK : telar_ring_take_part(end, TELAR_RING_SENDERS);
}

static inline void note_sent(telar_ring_end *end, uint64_t position, uint32_t records, uint64_t bytes) {
  end->pending |= RING_PENDING_MOVED | RING_PENDING_SENT;
  end->unsettled = position;
  ring_count_sent(end, records, bytes);
}

/* What was written at position is a record. */
static inline void put(telar_ring_end *end, uint64_t position, uint32_t length) {
  publish(end, position, RING_TAG_READY | length);
  note_sent(end, position, 1, length);
}

RING_ASIDE telar_status telar_ring_send_parts(telar_ring_end *end, const void *first, uint32_t first_length,
                                              const void *second, uint32_t second_length) {
  telar_status status = may_send(end);
  if (status != TELAR_OK) return status;
  if (first_length > end->max_record || second_length > end->max_record - first_length) return TELAR_TOO_LARGE;
  uint32_t length = first_length + second_length;
  uint64_t position;
  status = take_room(end, ring_granules(length), &position);
  if (status != TELAR_OK) return status;
  fetch_ahead(end, position);
  ring_copy(ring_data(end, position), first, first_length);
  ring_copy(ring_data(end, position) + first_length, second, second_length);
  put(end, position, length);
  return TELAR_OK;
}

static RING_ASIDE telar_status copy_in(telar_ring_end *end, uint64_t position, const void *data, uint32_t length) {
  ring_copy(ring_data(end, position), data, length);
  put(end, position, length);
  return TELAR_OK;
}

telar_status telar_ring_send(telar_ring_end *end, const void *data, uint32_t length) {
  uint64_t position;
  /* Relaxed: as in may_send. */
  if (!end->has_part[TELAR_RING_SENDERS] ||
      atomic_load_explicit(&end->shared->state, memory_order_relaxed) != TELAR_RING_OPEN ||
      length > end->max_record || !take_room_here(end, ring_granules(length), &position)) {
    return telar_ring_send_parts(end, data, length, NULL, 0);
  }
  fetch_ahead(end, position);
  if (!ring_is_word(length)) return copy_in(end, position, data, length);
  ring_copy_word(ring_data(end, position), data, length);
  put(end, position, length);
  return TELAR_OK;
}

/* Records of a batch that lie in the ring without a gap. */
typedef struct piece {
  const telar_ring_run *runs; /* of the first record */
  uint32_t before;            /* records of that run that are not among them */
  uint32_t records;
  uint32_t granules;
  uint32_t last; /* bytes of the last record */
  uint64_t bytes;
} piece;

/* How a batch lies in the ring: up to its end, and what does not fit there from its start. */
typedef struct batch {
  piece first, second;
  uint32_t pad; /* granules left between them */
} batch;

static inline void add_records(piece *p, uint32_t records, uint32_t bytes) {
  p->records += records;
  p->granules += records * ring_granules(bytes);
  p->last = bytes;
  p->bytes += (uint64_t)records * bytes;
}

/* The usual case: there is room for all of it as far as is known, in one piece. False: plan() knows more. */
static inline bool plan_whole(const telar_ring_end *end, uint64_t tail, const telar_ring_run *runs, uint32_t count,
                              piece *p) {
  uint32_t room = room_behind(end, tail, end->released_seen), left = left_in_ring(end, tail);
  if (room == UINT32_MAX) return false;
  if (room > left) room = left;
  *p = (piece){.runs = runs};
  for (uint32_t i = 0; i < count; i++) {
    uint32_t records = runs[i].records, bytes = runs[i].bytes;
    if (records == 0 || bytes > end->max_record || (uint64_t)records * ring_granules(bytes) > room - p->granules) return false;
    add_records(p, records, bytes);
  }
  return true;
}

/* As many of the records as go behind tail, by what was last seen released. Returns what one more would take, in
 * granules; 0: there is none that could be sent. */
static uint32_t plan(const telar_ring_end *end, uint64_t tail, const telar_ring_run *runs, uint32_t count, batch *b) {
  uint32_t room = room_behind(end, tail, end->released_seen), left = left_in_ring(end, tail);
  if (room == UINT32_MAX) room = 0;
  *b = (batch){.first.runs = runs};
  piece *p = &b->first;
  uint32_t limit = room < left ? room : left;
  for (uint32_t i = 0; i < count && runs[i].bytes <= end->max_record; i++) {
    uint32_t granules = ring_granules(runs[i].bytes), todo = runs[i].records;
    for (;;) {
      uint32_t fits = (limit - p->granules) / granules;
      if (fits > todo) fits = todo;
      if (fits != 0) add_records(p, fits, runs[i].bytes);
      todo -= fits;
      if (todo == 0) break;
      if (p == &b->second) return b->first.granules + b->pad + p->granules + granules;
      uint32_t pad = p->granules + granules > left ? left - p->granules : 0, wanted = p->granules + pad + granules;
      if (wanted > room) return wanted;
      limit = room - p->granules - pad;
      b->pad = pad;
      p = &b->second;
      p->runs = &runs[i];
      p->before = runs[i].records - todo;
    }
  }
  return 0;
}

/* A piece into the ring and out of hand. */
static void fill(telar_ring_end *end, uint64_t position, const unsigned char *data, const piece *p) {
  uint32_t left = p->records;
  if (left == 0) return;
  fetch_behind(end, position + p->granules, p->granules);
  /* What lies behind the last record may not be the caller's to give. */
  ring_copy(ring_data(end, position), data, ring_bytes_to_end(p->granules, p->last));
  const telar_ring_run *run = p->runs;
  uint32_t here = run->records - p->before;
  do {
    uint32_t records = here < left ? here : left, bytes = run->bytes;
    if (records > RING_RUN_RECORDS_MOST) records = RING_RUN_RECORDS_MOST;
    if (bytes > RING_RUN_BYTES_MOST) records = 1;
    publish(end, position, ring_tag_of(records, bytes));
    position += records * ring_granules(bytes);
    left -= records;
    here -= records;
    if (here == 0 && left != 0) here = (++run)->records;
  } while (left != 0);
}

/* As many as there is room for, also at the end of the ring and beyond. */
static RING_ASIDE telar_status send_some(telar_ring_end *end, const void *data, const telar_ring_run *runs, uint32_t count,
                                         uint32_t *sent) {
  for (uint32_t i = 0; i < count; i++) {
    if (runs[i].records == 0) return TELAR_INVALID;
  }
  if (runs[0].bytes > end->max_record) return TELAR_TOO_LARGE;
  uint64_t tail = read_tail(end);
  batch b;
  for (;;) {
    uint32_t wanted = plan(end, tail, runs, count, &b);
    if (wanted != 0) {
      /* Fewer than asked for. More may have been given back since; try for as much again. */
      telar_status status = refresh_room(end, tail, (uint64_t)wanted + b.first.granules + b.second.granules);
      plan(end, tail, runs, count, &b);
      if (b.first.records + b.second.records == 0) {
        status = no_room(end, &tail, status);
        if (status != TELAR_OK) return status;
        continue;
      }
    }
    if (move_tail(end, &tail, (uint64_t)b.first.granules + b.pad + b.second.granules)) break;
  }
  const unsigned char *from = data;
  uint64_t position = tail + b.first.granules;
  fill(end, tail, from, &b.first);
  if (b.pad != 0) publish(end, position, RING_TAG_SKIP | b.pad);
  fill(end, position + b.pad, from + (size_t)b.first.granules * TELAR_RING_GRANULE, &b.second);
  *sent = b.first.records + b.second.records;
  note_sent(end, tail, *sent, b.first.bytes + b.second.bytes);
  return TELAR_OK;
}

telar_status telar_ring_send_many(telar_ring_end *end, const void *data, const telar_ring_run *runs, uint32_t count,
                                  uint32_t *sent) {
  *sent = 0;
  telar_status status = may_send(end);
  if (status != TELAR_OK || count == 0) return status;
  uint64_t tail = read_tail(end);
  piece p;
  if (!plan_whole(end, tail, runs, count, &p) || !move_tail(end, &tail, p.granules)) {
    return send_some(end, data, runs, count, sent);
  }
  fill(end, tail, data, &p);
  note_sent(end, tail, p.records, p.bytes);
  *sent = p.records;
  return TELAR_OK;
}

/* ---- in place ---- */

telar_status telar_ring_reserve(telar_ring_end *end, uint32_t length, telar_ring_place *out) {
  telar_status status = may_send(end);
  if (status != TELAR_OK) return status;
  if (length > end->max_record) return TELAR_TOO_LARGE;
  ring_open *open = telar_ring_free_open(end->reservations);
  if (open == NULL) return TELAR_LIMIT;
  uint32_t granules = ring_granules(length);
  uint64_t position;
  status = take_room(end, granules, &position);
  if (status != TELAR_OK) return status;
  *open = (ring_open){position, granules, length, ++end->serial};
  out->data = ring_data(end, position);
  out->offset = (uint64_t)((unsigned char *)out->data - (unsigned char *)end->shared);
  out->length = length;
  out->ticket = ring_ticket(end->reservations, open);
  return TELAR_OK;
}

telar_status telar_ring_commit(telar_ring_end *end, uint32_t ticket, uint32_t used) {
  ring_open *open = telar_ring_find_open(end->reservations, ticket);
  if (open == NULL || used > open->bytes) return TELAR_INVALID;
  /* Relaxed: as in may_send. */
  if (atomic_load_explicit(&end->shared->state, memory_order_relaxed) == TELAR_RING_ABORTED) {
    telar_ring_discard(end, ticket);
    return TELAR_ABORTED;
  }
  uint32_t granules = ring_granules(used);
  if (granules < open->granules) publish(end, open->position + granules, RING_TAG_SKIP | (open->granules - granules));
  put(end, open->position, used);
  open->granules = 0;
  return TELAR_OK;
}

telar_status telar_ring_discard(telar_ring_end *end, uint32_t ticket) {
  ring_open *open = telar_ring_find_open(end->reservations, ticket);
  if (open == NULL) return TELAR_INVALID;
  /* The last one is taken back as if it had never been; others a receiver has to step over. */
  if (!take_back(end, open->position, open->granules)) {
    publish(end, open->position, RING_TAG_SKIP | open->granules);
  }
  open->granules = 0;
  end->pending |= RING_PENDING_MOVED;
  return TELAR_OK;
}

/* ---- the end of a closed ring ---- */

telar_status telar_ring_settle(telar_ring_end *end) {
  ring_shared *shared = end->shared;
  /* Relaxed: behind C1. */
  if (atomic_load_explicit(&shared->state, memory_order_relaxed) != TELAR_RING_CLOSED) {
    return TELAR_OK;
  }
  /* A5: acquires R5, so that a receiver's claims are seen with its end. */
  uint64_t head = atomic_load_explicit(&shared->head, memory_order_acquire);
  for (;;) {
    /* Positions are compared by their distance: less than half the range is ahead. */
    bool is_claimed = ring_distance(end->unsettled, head & RING_POSITION_MASK) - 1 < RING_POSITION_MASK / 2;
    if (is_claimed) {
      return TELAR_OK;
    }
    if ((head & RING_HEAD_FINAL) != 0) {
      end->sent = end->settled_sent;
      end->sent_bytes = end->settled_bytes;
      return TELAR_CLOSED;
    }
    /* C3: makes C4 fail, and releases what was published to the look that follows. */
    if (atomic_compare_exchange_weak_explicit(&shared->head, &head, head | RING_HEAD_LATE, memory_order_acq_rel,
                                              memory_order_acquire)) {
      return TELAR_OK;
    }
  }
}
