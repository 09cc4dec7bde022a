/*
 * ring: many threads at once. Every record carries its producer and number; it arrives once,
 * complete, and in the order of its producer. Ends die (their thread abandons all that it holds and
 * comes back as a new end). Batches, records in place and copies are mixed. Finally another end
 * closes the ring while sends are in progress. In a ring that drops the oldest records each one is
 * received or dropped; in one that drops the newest, each one is received or refused.
 */
#include "check.h"

#include "ring_play.h"

enum { THREADS_MOST = 4, CAPACITY = TELAR_RING_CAPACITY_MIN, BATCH = 16, LONGEST = 200 };

typedef struct workload {
  play_ring ring;
  uint32_t producers, consumers;
  uint32_t records; /* of each producer */
  uint32_t flags;
  bool closed_from_aside; /* at some moment; producers send as long as they can */
  uint64_t seed;
  _Atomic uint8_t *arrivals[THREADS_MOST];
  uint64_t sent[THREADS_MOST]; /* how many records the ring accepted or refused */
} workload;

typedef struct actor {
  workload *work;
  uint32_t number;
  telar_ring_end *end;
  check_random random;
  /* of a consumer */
  int64_t last[THREADS_MOST];
} actor;

static uint64_t key_of(const workload *work, uint32_t producer, uint32_t serial) {
  return work->seed * 31 + (uint64_t)producer * 1000003 + serial;
}

static uint32_t any_length(actor *self) {
  return 8 + check_random_below(&self->random,
                                check_random_below(&self->random, 8) == 0 ? LONGEST - 8 : 9);
}

/* A record: producer, serial, then a pattern. */
static uint32_t write_record(actor *self, unsigned char *to, uint32_t serial, uint32_t length) {
  uint32_t name[2] = {self->number, serial};
  memcpy(to, name, 8);
  play_fill(to + 8, length - 8, key_of(self->work, self->number, serial));
  return length;
}

static void read_record(actor *self, const unsigned char *from, uint32_t length) {
  uint32_t name[2];
  CHECK(length >= 8 && length <= LONGEST);
  memcpy(name, from, 8);
  CHECK(name[0] < self->work->producers && name[1] < self->work->records);
  play_check(from + 8, length - 8, key_of(self->work, name[0], name[1]));
  CHECK((int64_t)name[1] > self->last[name[0]]);
  self->last[name[0]] = name[1];
  CHECK_EQUAL(
      atomic_fetch_add_explicit(&self->work->arrivals[name[0]][name[1]], 1, memory_order_relaxed),
      0);
}

static void see_dropped(void *context, const void *data, uint32_t length) {
  read_record(context, data, length);
}

/* To the ring it looks as if the thread ended and another one came. */
static void die(actor *self) {
  telar_ring_detach(self->end);
  play_quiet(self->end);
  /* Another end could take the single role in the meantime. None does here, because there is only
   * one thread of that kind. */
  CHECK_STATUS(telar_ring_attach(self->end, 1 + self->number), TELAR_OK);
}

/* Whether to continue sending. */
static bool may_try(telar_status status) {
  CHECK(status == TELAR_OK || status == TELAR_FULL || status == TELAR_AGAIN ||
        status == TELAR_CLOSED || status == TELAR_DROPPED);
  return status != TELAR_CLOSED;
}

static void *produce(void *argument) {
  actor *self = argument;
  workload *work = self->work;
  unsigned char buffer[BATCH * LONGEST];
  uint32_t serial = 0, tries = 0;
  bool is_open = true;
  while (serial < work->records && is_open) {
    uint32_t left = work->records - serial, taken = 0;
    telar_ring_place place, lost;
    telar_status status;
    uint32_t way = check_random_below(&self->random, 16);
    if (way < 6) {
      status =
          telar_ring_send(self->end, buffer, write_record(self, buffer, serial, any_length(self)));
      taken = status == TELAR_OK || status == TELAR_DROPPED;
    } else if (way < 11) {
      uint32_t lengths[BATCH], count = 1 + check_random_below(&self->random, BATCH), at = 0;
      uint32_t equal = 1 + check_random_below(&self->random, BATCH), length = 0;
      if (count > left) count = left;
      for (uint32_t i = 0; i < count; i++) {
        if (i % equal == 0) length = any_length(self);
        lengths[i] = write_record(self, buffer + at, serial + i, length);
        at += ring_granules(lengths[i]) * 8;
      }
      status = play_send_many(self->end, buffer, lengths, count, &taken);
    } else if (way < 15) {
      status = telar_ring_reserve(self->end, LONGEST, &place);
      if (status == TELAR_OK && way == 11) {
        CHECK_STATUS(telar_ring_discard(self->end, place.ticket), TELAR_OK);
      } else if (status == TELAR_OK) {
        status = telar_ring_commit(self->end, place.ticket,
                                   write_record(self, place.data, serial, any_length(self)));
        CHECK_STATUS(status, TELAR_OK);
        taken = 1;
      }
    } else {
      /* Dies with a half-written reservation that has a record after it. */
      status = telar_ring_reserve(self->end, LONGEST, &lost);
      if (status == TELAR_OK) {
        memset(lost.data, 0xff, LONGEST / 2);
        if (check_random_below(&self->random, 2) == 0) {
          status = telar_ring_send(self->end, buffer,
                                   write_record(self, buffer, serial, any_length(self)));
          taken = status == TELAR_OK || status == TELAR_DROPPED;
          if (taken != 0 && play_quiet(self->end) != TELAR_OK) taken = 0;
        }
        die(self);
      }
    }
    is_open = may_try(status);
    if (play_quiet(self->end) != TELAR_OK) {
      is_open = false;
      taken = 0;
    }
    serial += taken;
    if (taken == 0) check_pause(&tries);
  }
  work->sent[self->number] = serial;
  CHECK(serial == work->records || work->closed_from_aside);
  return NULL;
}

static void *consume(void *argument) {
  actor *self = argument;
  unsigned char buffer[BATCH * LONGEST];
  uint32_t lengths[BATCH], received, tries = 0;
  for (;;) {
    telar_status status;
    telar_ring_place places[3];
    uint32_t way = check_random_below(&self->random, 12);
    if (way < 4) {
      status = telar_ring_receive(self->end, buffer, sizeof buffer, lengths);
      if (status == TELAR_OK) read_record(self, buffer, lengths[0]);
    } else if (way < 8) {
      status = play_receive_many(self->end, buffer, sizeof buffer, lengths, BATCH, &received);
      for (uint32_t i = 0, at = 0; i < received; at += ring_granules(lengths[i++]) * 8) {
        read_record(self, buffer + at, lengths[i]);
      }
    } else {
      uint32_t count = 0;
      while (count < 3 && (status = telar_ring_claim(self->end, &places[count])) == TELAR_OK) {
        count++;
      }
      for (uint32_t i = 0; i < count; i++) read_record(self, places[i].data, places[i].length);
      if (way == 11) {
        die(self); /* with what it holds */
      } else {
        while (count-- > 0) {
          CHECK_STATUS(telar_ring_release(self->end, places[count].ticket), TELAR_OK);
        }
      }
    }
    play_quiet(self->end);
    if (status == TELAR_CLOSED) return NULL;
    CHECK(status == TELAR_OK || status == TELAR_EMPTY || status == TELAR_AGAIN);
    if (status != TELAR_OK) check_pause(&tries);
  }
}

static uint64_t arrived_or_dropped(telar_ring_end *end) {
  telar_ring_stats stats;
  telar_ring_stats_read(end, &stats);
  return stats.received + stats.dropped;
}

static void delivers_each_once(uint32_t flags, uint32_t producers, uint32_t consumers,
                               uint32_t records, bool closed_from_aside, uint64_t seed) {
  workload work = {.producers = producers,
                   .consumers = consumers,
                   .records = records,
                   .flags = flags,
                   .seed = seed};
  work.closed_from_aside = closed_from_aside;
  work.ring = play_make(CAPACITY, flags, seed % 2 == 0 ? PLAY_NEAR_WRAP : PLAY_NEAR_WRAP_32);
  actor actors[2 * THREADS_MOST];
  pthread_t threads[2 * THREADS_MOST];
  for (uint32_t i = 0; i < producers; i++) {
    work.arrivals[i] = calloc(records, sizeof *work.arrivals[i]);
    CHECK(work.arrivals[i] != NULL);
  }
  for (uint32_t i = 0; i < producers + consumers; i++) {
    actors[i] = (actor){&work,
                        i < producers ? i : i - producers,
                        play_attach(&work.ring, i + 1),
                        check_random_from(seed, i),
                        {-1, -1, -1, -1}};
    telar_ring_on_drop(actors[i].end, see_dropped, &actors[i]);
    threads[i] = check_thread(i < producers ? produce : consume, &actors[i]);
  }
  telar_ring_end *aside = play_open(&work.ring);
  if (closed_from_aside) {
    check_random random = check_random_from(seed, 99);
    uint64_t until = check_random_below(&random, producers * records);
    for (uint32_t tries = 0; arrived_or_dropped(aside) < until;) {
      check_pause(&tries);
    }
    telar_ring_close(aside);
    play_quiet(aside);
  }
  for (uint32_t i = 0; i < producers; i++) check_join(threads[i]);
  telar_ring_close(aside);
  play_quiet(aside);
  for (uint32_t i = producers; i < producers + consumers; i++) check_join(threads[i]);
  uint64_t sent = 0, missing = 0;
  for (uint32_t i = 0; i < producers; i++) {
    sent += work.sent[i];
    for (uint32_t serial = 0; serial < records; serial++) {
      if (serial < work.sent[i] && work.arrivals[i][serial] == 0) missing++;
      CHECK(work.arrivals[i][serial] == 0 || serial < work.sent[i]);
    }
    free((void *)work.arrivals[i]);
  }
  telar_ring_stats stats;
  telar_ring_stats_read(aside, &stats);
  if (flags & TELAR_RING_DROP_NEWEST) {
    CHECK_EQUAL(stats.dropped, missing);
    CHECK_EQUAL(stats.sent, sent - missing);
    CHECK_EQUAL(stats.received, stats.sent);
    CHECK_EQUAL(stats.received_bytes, stats.sent_bytes);
  } else {
    CHECK_EQUAL(missing, 0);
    CHECK_EQUAL(stats.sent, sent);
    CHECK_EQUAL(stats.received + stats.dropped, sent);
    CHECK_EQUAL(stats.received_bytes + stats.dropped_bytes, stats.sent_bytes);
    CHECK(stats.dropped == 0 || flags & TELAR_RING_DROP_OLDEST);
  }
  CHECK_EQUAL(stats.size, 0);
  for (uint32_t i = 0; i < producers + consumers; i++) play_drop(actors[i].end);
  check_free(aside);
  check_free(work.ring.memory);
}

int main(void) {
  uint64_t seed = check_seed();
  check_deadline(200);
  static const struct {
    uint32_t flags, producers, consumers;
  } modes[] = {
      {TELAR_RING_SINGLE_PRODUCER | TELAR_RING_SINGLE_CONSUMER, 1, 1},
      {TELAR_RING_SINGLE_CONSUMER, 3, 1},
      {TELAR_RING_SINGLE_PRODUCER, 1, 3},
      {0, 1, 1},
      {0, 2, 2},
      {0, 4, 4},
      {TELAR_RING_DROP_OLDEST, 3, 3},
      {TELAR_RING_DROP_OLDEST | TELAR_RING_SINGLE_PRODUCER, 1, 2},
      {TELAR_RING_DROP_NEWEST, 3, 3},
      {TELAR_RING_DROP_NEWEST | TELAR_RING_SINGLE_CONSUMER, 2, 1},
  };
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
    delivers_each_once(modes[i].flags, modes[i].producers, modes[i].consumers,
                       CHECK_TURNS(200000) / modes[i].producers, false, seed + i);
    /* Short ones, so that many of them end. */
    for (uint32_t k = 0; k < CHECK_TURNS(400); k++) {
      delivers_each_once(modes[i].flags, modes[i].producers, modes[i].consumers, 150, true,
                         seed + 100 * i + k);
    }
  }
  return 0;
}
