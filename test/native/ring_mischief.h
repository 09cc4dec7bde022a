/*
 * Operations on a ring whose shared memory is corrupted in between; a string of bytes controls
 * both. Every status is allowed. Not allowed are an access outside the ring, a crash, and a call
 * that does not return. Used by the fuzzer (fuzz_ring.c) and with random bytes
 * (test_ring_corrupt.c). Include it after check.h.
 */
#ifndef TELAR_TEST_RING_MISCHIEF_H
#define TELAR_TEST_RING_MISCHIEF_H

#include "ring_play.h"

enum { MISCHIEF_ENDS = 3, MISCHIEF_BUFFER = 3000, MISCHIEF_BATCH = 20 };

typedef struct mischief {
  const uint8_t *input;
  size_t left;
  play_ring ring;
  telar_ring_end *ends[MISCHIEF_ENDS];
  telar_ring_place places[MISCHIEF_ENDS][8]; /* some open, some closed long ago */
  unsigned char *buffer;
  uint32_t bells;
} mischief;

static inline uint64_t mischief_take(mischief *m, uint32_t bytes) {
  uint64_t value = 0;
  for (; bytes > 0 && m->left > 0; bytes--, m->left--) value = value << 8 | *m->input++;
  return value;
}

static inline void mischief_bell(void *context, uint32_t thread, uint32_t endpoint) {
  mischief *m = context;
  CHECK(thread != 0 && endpoint < TELAR_RING_ENDPOINTS);
  m->bells++;
}

/* Corrupts the memory: anywhere, or where the code reads next. */
static inline void mischief_corrupt(mischief *m) {
  uint64_t how = mischief_take(m, 1), place = mischief_take(m, 2),
           value = mischief_take(m, 1 + (uint32_t)how % 8);
  unsigned char *memory = m->ring.memory;
  ring_shared *shared = m->ring.memory;
  size_t tags = sizeof *shared;
  uint32_t tag_count = TELAR_RING_CAPACITY_MIN / 8;
  switch (how / 8 % 8) {
    case 0: /* any byte */
      memory[place % m->ring.bytes] = (unsigned char)value;
      break;
    case 1: /* any word of the control block */
      memcpy(memory + place % (sizeof *shared / 8) * 8, &value, 8);
      break;
    case 2: /* any tag */
      memcpy(memory + tags + place % tag_count * 4, &value, 4);
      break;
    case 3: { /* the tag that is read next, with a length that may be plausible */
      uint64_t head = atomic_load(place % 2 == 0 ? &shared->head : &shared->released);
      uint32_t state = (uint32_t)(place >> 8 & 3),
               records = state == 0 ? (uint32_t)(place >> 10) : 0;
      uint32_t tag = state << 30 | records << RING_RUN_SHIFT | (uint32_t)value % 5000;
      memcpy(memory + tags + (head % tag_count) * 4, &tag, 4);
      break;
    }
    case 4: /* a position, off by a little */
      atomic_fetch_add(place % 3 == 0   ? &shared->head
                       : place % 3 == 1 ? &shared->tail
                                        : &shared->released,
                       value - (UINT64_C(1) << (8 * (1 + how % 8) - 1)));
      break;
    case 5: /* the waiting ends */
      atomic_store(&shared->waiters[place % 2].waiting[place / 2 % RING_WAIT_WORDS], value);
      break;
    case 6: /* the table of ends */
      memcpy(&shared->endpoints[place % TELAR_RING_ENDPOINTS], &value, 8);
      break;
    default:
      atomic_store(&shared->state, (uint32_t)value);
      atomic_store(&shared->sweeping, (uint32_t)(place % 2));
      break;
  }
}

static inline void mischief_place(mischief *m, telar_status status, uint32_t end,
                                  telar_ring_place place) {
  if (status != TELAR_OK) return;
  CHECK(place.length <= TELAR_RING_CAPACITY_MIN / 2 &&
        place.offset <= m->ring.bytes - place.length);
  CHECK((unsigned char *)m->ring.memory + place.offset == place.data);
  memset(place.data, (int)place.ticket, place.length);
  m->places[end][place.ticket % 8] = place;
}

static inline void mischief_step(mischief *m) {
  uint32_t what = (uint32_t)mischief_take(m, 1), which = what / 32 % MISCHIEF_ENDS,
           at = (uint32_t)mischief_take(m, 1);
  telar_ring_end *end = m->ends[which];
  telar_ring_place place = m->places[which][at % 8];
  telar_ring_side side = at % 2 == 0 ? TELAR_RING_RECEIVERS : TELAR_RING_SENDERS;
  telar_ring_stats stats;
  uint32_t lengths[MISCHIEF_BATCH], length = (uint32_t)mischief_take(m, 1), done;
  int32_t event;
  telar_status status;
  if (at >= 128) length *= 9;
  switch (what % 32) {
    case 0:
      telar_ring_send(end, m->buffer, length);
      break;
    case 1:
      telar_ring_send_parts(end, m->buffer, at % 16, m->buffer, length);
      break;
    case 2:
    case 3:
      for (uint32_t i = 0; i < MISCHIEF_BATCH; i++) {
        lengths[i] = (length * (i / (1 + at % 5) + 1) + at) % 140;
      }
      play_send_many(end, m->buffer, lengths, 1 + at % MISCHIEF_BATCH, &done);
      CHECK(done <= MISCHIEF_BATCH);
      break;
    case 4:
    case 5:
      status = telar_ring_receive(end, m->buffer, length, &done);
      if (status == TELAR_OK) CHECK(done <= length);
      break;
    case 6:
    case 7:
      status = play_receive_many(end, m->buffer, length, lengths, 1 + at % MISCHIEF_BATCH, &done);
      CHECK(done <= 1 + at % MISCHIEF_BATCH && (status == TELAR_OK) == (done != 0));
      break;
    case 8:
    case 9:
      status = telar_ring_reserve(end, length, &place);
      mischief_place(m, status, which, place);
      break;
    case 10:
    case 11:
      status = telar_ring_claim(end, &place);
      mischief_place(m, status, which, place);
      break;
    case 12:
      telar_ring_commit(end, place.ticket, length);
      break;
    case 13:
      telar_ring_commit(end, place.ticket, place.length);
      break;
    case 14:
      telar_ring_discard(end, place.ticket);
      break;
    case 15:
    case 16:
      telar_ring_release(end, place.ticket);
      break;
    case 17:
      telar_ring_wait(end, side, length);
      break;
    case 18:
      telar_ring_wait_sync(end, side, length, &event);
      break;
    case 19:
      telar_ring_wait_cancel(end, side);
      break;
    case 20:
      telar_ring_abandon(end);
      break;
    case 21:
      telar_ring_detach(end);
      break;
    case 22:
      telar_ring_attach(end, 1 + at);
      break;
    case 23:
      if (at < 20) telar_ring_close(end);
      if (at == 20) telar_ring_abort(end);
      telar_ring_state_read(end);
      telar_ring_is_deserted(end, side);
      break;
    case 24: {
      telar_ring_detach(end);
      telar_ring_end *again;
      status = telar_ring_open(end, m->ring.memory, m->ring.bytes, &again);
      if (status == TELAR_OK) telar_ring_attach(again, 1 + at);
      break;
    }
    case 25:
      telar_ring_stats_read(end, &stats);
      CHECK(stats.used < TELAR_RING_CAPACITY_MIN);
      break;
    default:
      mischief_corrupt(m);
      break;
  }
  if (at % 4 == 0) telar_ring_notify(end, mischief_bell, m, &done);
}

static inline void mischief_run(const uint8_t *input, size_t size) {
  mischief m = {.input = input, .left = size};
  uint64_t how = mischief_take(&m, 1);
  static const uint32_t flags[] = {0,
                                   1,
                                   2,
                                   3,
                                   TELAR_RING_DROP_OLDEST,
                                   TELAR_RING_DROP_NEWEST,
                                   TELAR_RING_DROP_OLDEST | TELAR_RING_SINGLE_PRODUCER};
  telar_ring_config config = {TELAR_RING_CAPACITY_MIN, flags[how % 7],
                              how / 4 % 2 == 0 ? PLAY_NEAR_WRAP + 600 : how / 8};
  /* Exactly as many bytes as needed, so that the sanitizers see every overrun. */
  m.ring.bytes = telar_ring_size(&config);
  m.ring.memory = calloc(1, (size_t)m.ring.bytes);
  m.buffer = calloc(1, MISCHIEF_BUFFER);
  CHECK(m.ring.memory != NULL && m.buffer != NULL);
  CHECK_STATUS(telar_ring_init(m.ring.memory, m.ring.bytes, &config), TELAR_OK);
  for (uint32_t i = 0; i < MISCHIEF_ENDS; i++) m.ends[i] = play_attach(&m.ring, i + 1);
  while (m.left > 0) mischief_step(&m);
  for (uint32_t i = 0; i < MISCHIEF_ENDS; i++) play_drop(m.ends[i]);
  free(m.buffer);
  free(m.ring.memory);
}

#endif
