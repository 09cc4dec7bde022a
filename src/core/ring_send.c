/* ring_send.c - producers: reserving room, and publishing one record, copied or written in
 * place. */
#include "prefetch.h"
#include "ring_send.h"

/* Distance of the prefetch, in granules. */
#define PREFETCH_AHEAD 32u

/* ---- room ---- */

bool telar_ring_fits(const telar_ring_end *end, uint64_t tail, uint64_t released,
                     uint32_t granules) {
  uint32_t room = ring_room_after(end, tail, released);
  return room != UINT32_MAX && ring_pad_before(end, tail, granules) + granules <= room;
}

telar_status telar_ring_refresh_room(telar_ring_end *end, uint64_t tail, uint64_t wanted) {
  ring_shared *shared = end->shared;
  /* A3: acquires R3, what lay there has been read and its tags are 0. */
  end->released_seen =
      atomic_load_explicit(&shared->released, memory_order_acquire) & RING_POSITION_MASK;
  if (ring_has(end, TELAR_RING_SINGLE_CONSUMER) ||
      ring_room_after(end, tail, end->released_seen) >= wanted) {
    return TELAR_OK;
  }
  telar_status status = telar_ring_sweep(end, wanted);
  /* A3, as above. */
  end->released_seen =
      atomic_load_explicit(&shared->released, memory_order_acquire) & RING_POSITION_MASK;
  return status;
}

/* Moves tail back over the last reservation, whose tag is 0; false: it is not the last one. It does
 * no harm that tail returns to an old value: tail is only a number, and a thread that has read it
 * compares and swaps it or fails. */
static bool take_back(telar_ring_end *end, uint64_t position, uint32_t granules) {
  uint64_t expected = (position + granules) & RING_POSITION_MASK;
  position &= RING_POSITION_MASK;
  /* R4: released to A4, as in ring_move_tail. */
  if (ring_has(end, TELAR_RING_SINGLE_PRODUCER)) {
    if (end->tail != expected) return false;
    end->tail = position;
    atomic_store_explicit(&end->shared->tail, position, memory_order_release);
    return true;
  }
  return atomic_compare_exchange_strong_explicit(&end->shared->tail, &expected, position,
                                                 memory_order_release, memory_order_relaxed);
}

telar_status telar_ring_no_room(telar_ring_end *end, uint64_t *tail, telar_status swept) {
  uint64_t now = ring_read_tail(end);
  if (now != *tail) {
    *tail = now;
    return TELAR_OK;
  }
  if (swept != TELAR_OK) {
    return swept;
  }
  return ring_room_after(end, *tail, end->released_seen) == UINT32_MAX ? TELAR_CORRUPT : TELAR_FULL;
}

/* The cache lines after position, which will be written next, are in the cache of the consumer that
 * read them. A producer that fetched each line only when a store needs it would spend most of its
 * time waiting. */
static inline void prefetch_ahead(const telar_ring_end *end, uint64_t position) {
  if (((uint32_t)position & 7) == 0)
    telar_prefetch_write(ring_data(end, position + PREFETCH_AHEAD));
  if (((uint32_t)position & 15) == 0)
    telar_prefetch_write(ring_tag(end, position + PREFETCH_AHEAD));
}

/* Reserves room for one record; *position is where it begins. */
static telar_status take_room(telar_ring_end *end, uint32_t granules, uint64_t *position) {
  uint64_t tail = ring_read_tail(end);
  for (;;) {
    uint32_t pad = ring_pad_before(end, tail, granules);
    uint32_t wanted = pad + granules, room = ring_room_after(end, tail, end->released_seen);
    if (room < wanted || room == UINT32_MAX) {
      telar_status status = telar_ring_refresh_room(end, tail, wanted);
      room = ring_room_after(end, tail, end->released_seen);
      if (room < wanted || room == UINT32_MAX) {
        status = telar_ring_no_room(end, &tail, status);
        if (status != TELAR_OK) status = telar_ring_overflow(end, status);
        if (status != TELAR_OK) return status;
        continue;
      }
    }
    if (ring_move_tail(end, &tail, wanted)) {
      if (pad != 0) ring_publish(end, tail, RING_TAG_SKIP | pad);
      *position = tail + pad;
      return TELAR_OK;
    }
  }
}

/* The common case: there is contiguous room as far as is known, and no other producer is faster.
 * False: nothing was done. */
static inline bool take_room_fast(telar_ring_end *end, uint32_t granules, uint64_t *position) {
  uint64_t tail = ring_read_tail(end);
  uint32_t room = ring_room_after(end, tail, end->released_seen);
  if (granules > room || room == UINT32_MAX || ring_pad_before(end, tail, granules) != 0) {
    return false;
  }
  *position = tail;
  return ring_move_tail(end, &tail, granules);
}

/* ---- sending ---- */

/* Publishes what was written at position as a record. */
static inline void put(telar_ring_end *end, uint64_t position, uint32_t length) {
  ring_publish(end, position, RING_TAG_READY | length);
  ring_note_sent(end, position, 1, length);
}

RING_NOINLINE telar_status telar_ring_send_parts(telar_ring_end *end, const void *first,
                                                 uint32_t first_length, const void *second,
                                                 uint32_t second_length) {
  telar_status status = ring_may_send(end);
  if (status != TELAR_OK) return status;
  if (first_length > end->max_record || second_length > end->max_record - first_length) {
    return TELAR_TOO_LARGE;
  }
  uint32_t length = first_length + second_length;
  uint64_t position;
  status = take_room(end, ring_granules(length), &position);
  if (status != TELAR_OK) return telar_ring_drop_newest(end, length, status);
  prefetch_ahead(end, position);
  ring_copy(ring_data(end, position), first, first_length);
  ring_copy(ring_data(end, position) + first_length, second, second_length);
  put(end, position, length);
  return TELAR_OK;
}

static RING_NOINLINE telar_status copy_in(telar_ring_end *end, uint64_t position, const void *data,
                                          uint32_t length) {
  ring_copy(ring_data(end, position), data, length);
  put(end, position, length);
  return TELAR_OK;
}

telar_status telar_ring_send(telar_ring_end *end, const void *data, uint32_t length) {
  uint64_t position;
  /* Relaxed: as in ring_may_send. */
  if (!end->has_role[TELAR_RING_SENDERS] ||
      atomic_load_explicit(&end->shared->state, memory_order_relaxed) != TELAR_RING_OPEN ||
      length > end->max_record || !take_room_fast(end, ring_granules(length), &position)) {
    return telar_ring_send_parts(end, data, length, NULL, 0);
  }
  prefetch_ahead(end, position);
  if (!ring_is_word(length)) return copy_in(end, position, data, length);
  ring_copy_word(ring_data(end, position), data, length);
  put(end, position, length);
  return TELAR_OK;
}

/* ---- in place ---- */

telar_status telar_ring_reserve(telar_ring_end *end, uint32_t length, telar_ring_place *out) {
  telar_status status = ring_may_send(end);
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
  /* Relaxed: as in ring_may_send. */
  if (atomic_load_explicit(&end->shared->state, memory_order_relaxed) == TELAR_RING_ABORTED) {
    telar_ring_discard(end, ticket);
    return TELAR_ABORTED;
  }
  uint32_t granules = ring_granules(used);
  if (granules < open->granules) {
    ring_publish(end, open->position + granules, RING_TAG_SKIP | (open->granules - granules));
  }
  put(end, open->position, used);
  open->granules = 0;
  return TELAR_OK;
}

telar_status telar_ring_discard(telar_ring_end *end, uint32_t ticket) {
  ring_open *open = telar_ring_find_open(end->reservations, ticket);
  if (open == NULL) return TELAR_INVALID;
  /* The last reservation is undone by moving tail back. Others become a skip for the receiver. */
  if (!take_back(end, open->position, open->granules)) {
    ring_publish(end, open->position, RING_TAG_SKIP | open->granules);
  }
  open->granules = 0;
  end->pending |= RING_PENDING_MOVED;
  return TELAR_OK;
}
