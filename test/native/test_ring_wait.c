/*
 * ring_wait: no end sleeps while there is a record or room for it. First each moment of the
 * handshake by itself, in one thread. Then real threads that sleep without a limit, so that a lost
 * wake-up makes the test hang until the deadline.
 */
#include "check.h"

#include "ring_play.h"

enum { SMALL = TELAR_RING_CAPACITY_MIN };
static const telar_ring_side R = TELAR_RING_RECEIVERS, S = TELAR_RING_SENDERS;

static unsigned char bytes[SMALL];

/* --- one thread ---------------------------------------------------------------------- */

typedef struct stage {
  play_ring ring;
  telar_ring_end *ends[4]; /* endpoints 0 to 3 */
  play_bells bells;
  uint32_t wake;
} stage;

static stage set(uint32_t flags) {
  stage s = {.ring = play_make(SMALL, flags, PLAY_NEAR_WRAP)};
  for (uint32_t i = 0; i < 4; i++) s.ends[i] = play_attach(&s.ring, i + 1);
  return s;
}

static void strike(stage *s) {
  for (uint32_t i = 0; i < 4; i++) play_drop(s->ends[i]);
  check_free(s->ring.memory);
}

/* notify by an end: returns which bells rang, as a sum of 1 << endpoint; its *wake is in
 * s->wake. */
static uint32_t rung_by(stage *s, uint32_t end) {
  s->bells = (play_bells){0};
  CHECK_STATUS(telar_ring_notify(s->ends[end], play_bell, &s->bells, &s->wake), TELAR_OK);
  uint32_t sum = 0;
  for (uint32_t i = 0; i < 4; i++) {
    CHECK(s->bells.rings[i] <= 1);
    sum |= s->bells.rings[i] << i;
  }
  return sum;
}

static telar_status receive(telar_ring_end *end) {
  static unsigned char buffer[SMALL];
  uint32_t length;
  return telar_ring_receive(end, buffer, sizeof buffer, &length);
}

static void send_one(telar_ring_end *end, uint32_t length) {
  CHECK_STATUS(telar_ring_send(end, bytes, length), TELAR_OK);
}

static void rings_only_for_a_sleeper(void) {
  stage s = set(0);
  send_one(s.ends[0], 1);
  CHECK_EQUAL(rung_by(&s, 0), 0); /* no end waits */
  CHECK_STATUS(telar_ring_wait(s.ends[1], R, 0), TELAR_OK);
  CHECK_EQUAL(rung_by(&s, 0), 0);             /* nothing happened since */
  CHECK_STATUS(receive(s.ends[1]), TELAR_OK); /* the last check */
  CHECK(telar_ring_wait_cancel(s.ends[1], R));
  CHECK(!telar_ring_wait_cancel(s.ends[1], R));
  send_one(s.ends[0], 1);
  CHECK_EQUAL(rung_by(&s, 0), 0);
  CHECK_STATUS(receive(s.ends[1]), TELAR_OK);
  CHECK_STATUS(telar_ring_wait(s.ends[1], R, 0), TELAR_OK);
  send_one(s.ends[0], 1);
  CHECK_EQUAL(rung_by(&s, 0), 1 << 1);
  send_one(s.ends[0], 1);
  CHECK_EQUAL(rung_by(&s, 0), 0); /* its announcement has ended */
  strike(&s);
}

/* Each end that was woken and leaves a record wakes the next one, round-robin over the table. */
static void wakes_one_after_the_other(void) {
  stage s = set(0);
  for (uint32_t i = 1; i < 4; i++) CHECK_STATUS(telar_ring_wait(s.ends[i], R, 0), TELAR_OK);
  for (int i = 0; i < 4; i++) send_one(s.ends[0], 1);
  CHECK_EQUAL(rung_by(&s, 0), 1 << 1);
  CHECK_STATUS(receive(s.ends[1]), TELAR_OK);
  CHECK_EQUAL(rung_by(&s, 1), 1 << 2);
  CHECK_STATUS(telar_ring_wait(s.ends[1], R, 0), TELAR_OK); /* comes after 3 now */
  CHECK_STATUS(receive(s.ends[2]), TELAR_OK);
  CHECK_EQUAL(rung_by(&s, 2), 1 << 3);
  CHECK_STATUS(receive(s.ends[3]), TELAR_OK);
  CHECK_EQUAL(rung_by(&s, 3), 1 << 1);
  CHECK_STATUS(receive(s.ends[1]), TELAR_OK);
  CHECK_EQUAL(rung_by(&s, 1), 0);
  strike(&s);
}

/* An end that takes a part of a run wakes the next one for the rest. This includes an end that
 * fell asleep because it checked after that part was taken and before the tag of the rest was
 * written. */
static void wakes_for_the_rest_of_a_run(void) {
  stage s = set(0);
  uint32_t lengths[3] = {5, 5, 5}, sent;
  telar_ring_place place;
  CHECK_STATUS(play_send_many(s.ends[0], bytes, lengths, 3, &sent), TELAR_OK);
  CHECK_EQUAL(sent, 3);
  CHECK_EQUAL(rung_by(&s, 0), 0);
  for (uint32_t i = 1; i < 3; i++) CHECK_STATUS(telar_ring_wait(s.ends[i], R, 0), TELAR_OK);
  CHECK_STATUS(telar_ring_claim(s.ends[3], &place), TELAR_OK);
  CHECK_EQUAL(rung_by(&s, 3), 1 << 1);
  CHECK_STATUS(receive(s.ends[1]), TELAR_OK);
  CHECK_EQUAL(rung_by(&s, 1), 1 << 2);
  CHECK_STATUS(receive(s.ends[2]), TELAR_OK);
  CHECK_EQUAL(rung_by(&s, 2), 0);
  CHECK_STATUS(receive(s.ends[2]), TELAR_EMPTY);
  CHECK_STATUS(telar_ring_release(s.ends[3], place.ticket), TELAR_OK);
  strike(&s);
}

static void passes_on_what_it_gives_up(void) {
  stage s = set(0);
  for (uint32_t i = 1; i < 4; i++) CHECK_STATUS(telar_ring_wait(s.ends[i], R, 0), TELAR_OK);
  send_one(s.ends[0], 1);
  CHECK_EQUAL(rung_by(&s, 0), 1 << 1);
  CHECK(!telar_ring_wait_cancel(s.ends[1], R)); /* it was picked, and its wait timed out */
  CHECK_EQUAL(rung_by(&s, 1), 1 << 2);
  telar_ring_detach(s.ends[2]); /* its thread died */
  CHECK_EQUAL(rung_by(&s, 2), 1 << 3);
  CHECK_STATUS(receive(s.ends[3]), TELAR_OK);
  strike(&s);
}

static void waits_behind_a_reservation(void) {
  stage s = set(0);
  telar_ring_place place;
  CHECK_STATUS(telar_ring_reserve(s.ends[0], 8, &place), TELAR_OK);
  CHECK_STATUS(telar_ring_wait(s.ends[1], R, 0), TELAR_OK);
  CHECK_STATUS(receive(s.ends[1]), TELAR_EMPTY);
  send_one(s.ends[2], 1);
  CHECK_EQUAL(rung_by(&s, 2), 0); /* it could not continue */
  CHECK_STATUS(telar_ring_discard(s.ends[0], place.ticket), TELAR_OK);
  CHECK_EQUAL(rung_by(&s, 0), 1 << 1);
  CHECK_STATUS(receive(s.ends[1]), TELAR_OK);
  strike(&s);
}

static void wakes_the_sender_whose_record_fits(uint32_t flags) {
  stage s = set(flags);
  uint32_t count = 0;
  while (telar_ring_send(s.ends[0], bytes, 200) == TELAR_OK) count++;
  CHECK_STATUS(telar_ring_wait(s.ends[1], S, 1000), TELAR_OK);
  CHECK_STATUS(telar_ring_wait(s.ends[2], S, 150), TELAR_OK);
  CHECK_STATUS(receive(s.ends[3]), TELAR_OK);
  CHECK_EQUAL(rung_by(&s, 3), 1 << 2);
  while (count-- > 1) CHECK_STATUS(receive(s.ends[3]), TELAR_OK);
  CHECK_EQUAL(rung_by(&s, 3), 1 << 1);
  send_one(s.ends[1], 1000);
  strike(&s);
}

/* A sender found another thread sweeping and sleeps on AGAIN. The sweeper wakes it, although the
 * sweeper finds no room for itself. */
static void the_sweeper_wakes_those_it_kept_out(void) {
  stage s = set(0);
  ring_shared *shared = s.ring.memory;
  while (telar_ring_send(s.ends[0], bytes, 200) == TELAR_OK) continue;
  CHECK_STATUS(receive(s.ends[3]), TELAR_OK);
  atomic_store(&shared->sweeping, 1);
  CHECK_EQUAL(rung_by(&s, 3), 0);
  CHECK_STATUS(telar_ring_wait(s.ends[1], S, 200), TELAR_OK);
  CHECK_STATUS(telar_ring_send(s.ends[1], bytes, 200), TELAR_AGAIN);
  atomic_store(&shared->sweeping, 0);
  CHECK_STATUS(telar_ring_send(s.ends[2], bytes, 2000), TELAR_FULL);
  CHECK_EQUAL(rung_by(&s, 2), 1 << 1);
  send_one(s.ends[1], 200);
  strike(&s);
}

static void wakes_blocked_threads(void) {
  stage s = set(0);
  int32_t event;
  CHECK_STATUS(telar_ring_wait_sync(s.ends[2], R, 0, &event), TELAR_OK);
  _Atomic int32_t *word =
      (_Atomic int32_t *)(void *)((char *)s.ring.memory + telar_ring_event_offset(2));
  CHECK(atomic_load(word) == event);
  send_one(s.ends[0], 1);
  CHECK_EQUAL(rung_by(&s, 0), 0);
  CHECK_EQUAL(s.wake, TELAR_RING_WAKE_FIRST | 2u << 8);
  CHECK(atomic_load(word) != event);
  CHECK_STATUS(receive(s.ends[2]), TELAR_OK);
  CHECK(!telar_ring_wait_cancel(s.ends[2], R));
  CHECK_EQUAL(rung_by(&s, 2), 0);
  while (telar_ring_send(s.ends[0], bytes, 200) == TELAR_OK) continue;
  CHECK_EQUAL(rung_by(&s, 0), 0);
  CHECK_STATUS(telar_ring_wait_sync(s.ends[1], S, 200, &event), TELAR_OK);
  CHECK_STATUS(telar_ring_send(s.ends[1], bytes, 200), TELAR_FULL);
  CHECK_EQUAL(rung_by(&s, 1), 0);
  CHECK_EQUAL(s.wake, 0); /* not woken by its own failed try */
  CHECK_STATUS(receive(s.ends[3]), TELAR_OK);
  CHECK_EQUAL(rung_by(&s, 3), 0);
  CHECK_EQUAL(s.wake, TELAR_RING_WAKE_SECOND | 1u << 16);
  /* A blocked wait replaces the wait of the event loop. */
  CHECK_STATUS(telar_ring_wait(s.ends[2], R, 0), TELAR_OK);
  CHECK_STATUS(telar_ring_wait_sync(s.ends[2], R, 0, &event), TELAR_OK);
  telar_ring_abort(s.ends[0]);
  CHECK_EQUAL(rung_by(&s, 0), 0);
  CHECK_EQUAL(s.wake, TELAR_RING_WAKE_ALL);
  strike(&s);
}

static void wakes_all_at_the_end(void) {
  for (int way = 0; way < 3; way++) {
    stage s = set(0);
    send_one(s.ends[0], 1);
    CHECK_STATUS(receive(s.ends[1]), TELAR_OK);
    CHECK_EQUAL(rung_by(&s, 1), 0);
    for (uint32_t i = 1; i < 4; i++) {
      CHECK_STATUS(telar_ring_wait(s.ends[i], R, 0), TELAR_OK);
      CHECK_STATUS(receive(s.ends[i]), TELAR_EMPTY);
    }
    CHECK(!telar_ring_is_deserted(s.ends[1], R));
    if (way == 0) telar_ring_close(s.ends[0]);
    if (way == 1) telar_ring_abort(s.ends[0]);
    if (way == 2) telar_ring_detach(s.ends[0]); /* the only one that ever sent */
    CHECK_EQUAL(rung_by(&s, 0), 14);
    CHECK(telar_ring_is_deserted(s.ends[1], R) == (way == 2));
    strike(&s);
  }
  stage s = set(0);
  CHECK(!telar_ring_is_deserted(s.ends[1], R) &&
        !telar_ring_is_deserted(s.ends[1], S)); /* no end has sent or received */
  telar_ring_detach(s.ends[0]);
  CHECK(!telar_ring_is_deserted(s.ends[1], R));
  strike(&s);
}

/* Such an end may still do either, so no side is deserted while it is there. */
static void counts_an_end_that_has_done_nothing_yet(void) {
  for (int way = 0; way < 2; way++) {
    stage s = set(0);
    send_one(s.ends[0], 1);
    CHECK_STATUS(receive(s.ends[1]), TELAR_OK);
    CHECK_EQUAL(rung_by(&s, 1), 0);
    CHECK_STATUS(telar_ring_wait(s.ends[1], R, 0), TELAR_OK);
    telar_ring_detach(s.ends[0]);
    CHECK_EQUAL(rung_by(&s, 0), 0);
    CHECK_STATUS(receive(s.ends[2]), TELAR_EMPTY);
    CHECK_EQUAL(rung_by(&s, 2), 0);
    CHECK(!telar_ring_is_deserted(s.ends[1], R));
    /* The last such end takes a role or is detached. */
    if (way == 0) CHECK_STATUS(receive(s.ends[3]), TELAR_EMPTY);
    if (way == 1) telar_ring_detach(s.ends[3]);
    CHECK_EQUAL(rung_by(&s, 3), 1 << 1);
    CHECK(telar_ring_is_deserted(s.ends[1], R));
    CHECK_STATUS(telar_ring_attach(s.ends[0], 1), TELAR_OK); /* another one is attached */
    CHECK(!telar_ring_is_deserted(s.ends[1], R));

    while (telar_ring_send(s.ends[0], bytes, 200) == TELAR_OK) continue;
    CHECK_STATUS(telar_ring_wait(s.ends[0], S, 200), TELAR_OK);
    for (uint32_t i = 2; i < 4; i++) telar_ring_detach(s.ends[i]);
    CHECK(!telar_ring_is_deserted(s.ends[0], S));
    CHECK_STATUS(telar_ring_attach(s.ends[2], 1), TELAR_OK);
    telar_ring_detach(s.ends[1]); /* the last one that ever received */
    CHECK_EQUAL(rung_by(&s, 1), 0);
    CHECK(!telar_ring_is_deserted(s.ends[0], S));
    if (way == 0) CHECK_STATUS(telar_ring_send(s.ends[2], bytes, 200), TELAR_FULL);
    if (way == 1) telar_ring_detach(s.ends[2]);
    CHECK_EQUAL(rung_by(&s, 2), 1 << 0);
    CHECK(telar_ring_is_deserted(s.ends[0], S));
    strike(&s);
  }
}

/* An end that takes the last record of a closed ring leaves nothing behind that would wake the
 * others. */
static void wakes_all_when_a_closed_ring_becomes_empty(void) {
  stage s = set(0);
  telar_ring_place place;
  CHECK_STATUS(telar_ring_reserve(s.ends[0], 8, &place), TELAR_OK);
  telar_ring_close(s.ends[0]);
  CHECK_EQUAL(rung_by(&s, 0), 0);
  for (uint32_t i = 1; i < 4; i++) {
    CHECK_STATUS(telar_ring_wait(s.ends[i], R, 0), TELAR_OK);
    CHECK_STATUS(receive(s.ends[i]), TELAR_AGAIN);
  }
  CHECK_STATUS(telar_ring_discard(s.ends[0], place.ticket), TELAR_OK);
  CHECK_EQUAL(rung_by(&s, 0), 14);
  for (uint32_t i = 1; i < 4; i++) CHECK_STATUS(receive(s.ends[i]), TELAR_CLOSED);
  strike(&s);
}

/* --- threads that sleep ------------------------------------------------------------------ */

enum { THREADS = 7 };

/* Works like the bell of an event loop, and like Atomics.wait on the event word; one for each
 * thread. */
typedef struct bed {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  bool rung;
} bed;

typedef struct house {
  play_ring ring;
  bed beds[THREADS];
  uint32_t records; /* of each producer */
  _Atomic uint64_t received, checksum;
} house;

typedef struct sleeper {
  house *house;
  uint32_t number;
  telar_ring_end *end;
  check_random random;
} sleeper;

static void ring_bell(void *context, uint32_t thread, uint32_t endpoint) {
  house *h = context;
  CHECK(thread >= 1 && thread <= THREADS && endpoint < THREADS);
  bed *b = &h->beds[thread - 1];
  pthread_mutex_lock(&b->mutex);
  b->rung = true;
  pthread_cond_broadcast(&b->changed);
  pthread_mutex_unlock(&b->mutex);
}

/* Atomics.notify. */
static void notify_word(house *h, uint32_t endpoint) {
  bed *b = &h->beds[endpoint]; /* in this test an end keeps its index */
  pthread_mutex_lock(&b->mutex);
  pthread_cond_broadcast(&b->changed);
  pthread_mutex_unlock(&b->mutex);
}

static void notify(sleeper *self) {
  uint32_t wake;
  CHECK_STATUS(telar_ring_notify(self->end, ring_bell, self->house, &wake), TELAR_OK);
  if (wake & TELAR_RING_WAKE_FIRST) notify_word(self->house, wake >> 8 & 255);
  if (wake & TELAR_RING_WAKE_SECOND) notify_word(self->house, wake >> 16 & 255);
  if (wake & TELAR_RING_WAKE_ALL) {
    for (uint32_t i = 0; i < THREADS; i++) notify_word(self->house, i);
  }
}

typedef telar_status (*attempt)(sleeper *self, uint32_t need);

/* Tries until the status is neither FULL, EMPTY nor AGAIN; sleeps without a limit in between. */
static telar_status until_done(sleeper *self, telar_ring_side side, uint32_t need, attempt try_it) {
  bed *b = &self->house->beds[self->number];
  for (;;) {
    telar_status status = try_it(self, need);
    notify(self);
    if (status != TELAR_FULL && status != TELAR_EMPTY && status != TELAR_AGAIN) return status;
    bool blocks = check_random_below(&self->random, 2) == 0;
    int32_t event = 0;
    pthread_mutex_lock(&b->mutex);
    b->rung = false; /* of an earlier wait */
    pthread_mutex_unlock(&b->mutex);
    CHECK_STATUS(blocks ? telar_ring_wait_sync(self->end, side, need, &event)
                        : telar_ring_wait(self->end, side, need),
                 TELAR_OK);
    status = try_it(self, need);
    notify(self);
    bool is_done = status != TELAR_FULL && status != TELAR_EMPTY && status != TELAR_AGAIN;
    if (!is_done) {
      _Atomic int32_t *word =
          (_Atomic int32_t *)(void *)((char *)self->house->ring.memory +
                                      telar_ring_event_offset(telar_ring_endpoint(self->end)));
      pthread_mutex_lock(&b->mutex);
      while (blocks ? atomic_load(word) == event : !b->rung) {
        pthread_cond_wait(&b->changed, &b->mutex);
      }
      pthread_mutex_unlock(&b->mutex);
    }
    telar_ring_wait_cancel(self->end, side);
    notify(self);
    if (is_done) return status;
  }
}

static telar_status try_send(sleeper *self, uint32_t need) {
  unsigned char record[700] = {0};
  return telar_ring_send(self->end, record, need);
}

static telar_status try_receive(sleeper *self, uint32_t need) {
  (void)need;
  unsigned char record[700];
  uint32_t length;
  telar_status status = telar_ring_receive(self->end, record, sizeof record, &length);
  if (status == TELAR_OK) {
    atomic_fetch_add_explicit(&self->house->checksum, length, memory_order_relaxed);
  }
  return status;
}

static void *send_records(void *argument) {
  sleeper *self = argument;
  for (uint32_t i = 0; i < self->house->records; i++) {
    uint32_t length = 1 + check_random_below(&self->random, 700);
    CHECK_STATUS(until_done(self, TELAR_RING_SENDERS, length, try_send), TELAR_OK);
    atomic_fetch_sub_explicit(&self->house->checksum, length, memory_order_relaxed);
  }
  return NULL;
}

static void *receive_records(void *argument) {
  sleeper *self = argument;
  telar_status status;
  while ((status = until_done(self, TELAR_RING_RECEIVERS, 0, try_receive)) == TELAR_OK) {
    atomic_fetch_add_explicit(&self->house->received, 1, memory_order_relaxed);
  }
  CHECK_STATUS(status, TELAR_CLOSED);
  return NULL;
}

/* Announces a wait, then gives up or dies, and never takes anything: each wake-up that it receives
 * must be passed on. */
static void *give_up(void *argument) {
  sleeper *self = argument;
  while (telar_ring_state_read(self->end) == TELAR_RING_OPEN) {
    telar_ring_side side =
        check_random_below(&self->random, 2) == 0 ? TELAR_RING_RECEIVERS : TELAR_RING_SENDERS;
    int32_t event;
    if (check_random_below(&self->random, 2) == 0) {
      CHECK_STATUS(telar_ring_wait(self->end, side, 1), TELAR_OK);
    } else {
      CHECK_STATUS(telar_ring_wait_sync(self->end, side, 1, &event), TELAR_OK);
    }
    for (uint32_t i = check_random_below(&self->random, 4); i > 0; i--) telar_os_yield();
    if (check_random_below(&self->random, 4) == 0) {
      telar_ring_detach(self->end);
      notify(self);
      CHECK_STATUS(telar_ring_attach(self->end, self->number + 1), TELAR_OK);
      CHECK_EQUAL(telar_ring_endpoint(self->end),
                  self->number); /* the only end that is detached and attached again */
    } else {
      telar_ring_wait_cancel(self->end, side);
      notify(self);
    }
  }
  return NULL;
}

static void loses_no_wake_up(uint32_t flags, uint32_t producers, uint32_t consumers,
                             uint32_t records, uint64_t seed) {
  house h = {.ring = play_make(SMALL, flags, PLAY_NEAR_WRAP), .records = records};
  sleeper sleepers[THREADS];
  pthread_t threads[THREADS];
  uint32_t count = producers + consumers + 1;
  CHECK(count <= THREADS);
  for (uint32_t i = 0; i < count; i++) {
    pthread_mutex_init(&h.beds[i].mutex, NULL);
    pthread_cond_init(&h.beds[i].changed, NULL);
    sleepers[i] = (sleeper){&h, i, play_attach(&h.ring, i + 1), check_random_from(seed, i)};
  }
  for (uint32_t i = 0; i < count; i++) {
    threads[i] = check_thread(i < producers   ? send_records
                              : i + 1 < count ? receive_records
                                              : give_up,
                              &sleepers[i]);
  }
  for (uint32_t i = 0; i < producers; i++) check_join(threads[i]);
  sleeper closer = {.house = &h, .end = play_open(&h.ring)};
  telar_ring_close(closer.end);
  notify(&closer);
  for (uint32_t i = producers; i < count; i++) check_join(threads[i]);
  CHECK_EQUAL(h.received, (uint64_t)records * producers);
  CHECK_EQUAL(h.checksum, 0);
  for (uint32_t i = 0; i < count; i++) {
    pthread_cond_destroy(&h.beds[i].changed);
    pthread_mutex_destroy(&h.beds[i].mutex);
    play_drop(sleepers[i].end);
  }
  check_free(closer.end);
  check_free(h.ring.memory);
}

int main(void) {
  uint64_t seed = check_seed();
  check_deadline(120);
  rings_only_for_a_sleeper();
  wakes_one_after_the_other();
  wakes_for_the_rest_of_a_run();
  passes_on_what_it_gives_up();
  waits_behind_a_reservation();
  wakes_the_sender_whose_record_fits(0);
  wakes_the_sender_whose_record_fits(TELAR_RING_SINGLE_CONSUMER);
  the_sweeper_wakes_those_it_kept_out();
  wakes_blocked_threads();
  wakes_all_at_the_end();
  counts_an_end_that_has_done_nothing_yet();
  wakes_all_when_a_closed_ring_becomes_empty();
  uint32_t records = CHECK_TURNS(150000);
  loses_no_wake_up(TELAR_RING_SINGLE_PRODUCER | TELAR_RING_SINGLE_CONSUMER, 1, 1, records, seed);
  loses_no_wake_up(TELAR_RING_SINGLE_CONSUMER, 3, 1, records / 3, seed);
  loses_no_wake_up(TELAR_RING_SINGLE_PRODUCER, 1, 3, records, seed);
  loses_no_wake_up(0, 1, 1, records, seed);
  loses_no_wake_up(0, 3, 3, records / 3, seed);
  return 0;
}
