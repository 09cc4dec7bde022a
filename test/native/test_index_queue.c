/*
 * index_queue: one workload, many modes. A mode defines which threads push and pop, and with which
 * functions. The workload checks that every element arrives exactly once, undamaged, and in the
 * order of its producer, including around full, empty and wrap-around.
 */
#include "check.h"

#include "core/index_queue.h"

enum { CAPACITY_MOST = 64, PRODUCERS_MOST = 4, CONSUMERS_MOST = 4, MANY = 5 };

static telar_index_queue *make(uint32_t capacity, uint32_t start) {
  telar_index_queue *queue = NULL;
  CHECK_STATUS(telar_index_queue_init(check_memory(telar_index_queue_size(capacity)), capacity,
                                      start, &queue),
               TELAR_OK);
  return queue;
}

/* --- modes ----------------------------------------------------------------- */

typedef uint32_t (*pop_function)(telar_index_queue *, uint32_t *out); /* returns how many */

static uint32_t pop_sc(telar_index_queue *queue, uint32_t *out) {
  return telar_index_queue_pop_sc(queue, out) == TELAR_OK ? 1 : 0;
}

static uint32_t pop_mc(telar_index_queue *queue, uint32_t *out) {
  return telar_index_queue_pop_mc(queue, out) == TELAR_OK ? 1 : 0;
}

static uint32_t pop_sc_many(telar_index_queue *queue, uint32_t *out) {
  return telar_index_queue_pop_sc_many(queue, out, MANY);
}

typedef struct mode {
  const char *name;
  telar_status (*push)(telar_index_queue *, uint32_t);
  pop_function pop;
  uint32_t producers;
  uint32_t consumers;
} mode;

static const mode modes[] = {
    {"sp/sc", telar_index_queue_push_sp, pop_sc, 1, 1},
    {"sp/sc many", telar_index_queue_push_sp, pop_sc_many, 1, 1},
    {"sp/mc", telar_index_queue_push_sp, pop_mc, 1, 3},
    {"mp/sc", telar_index_queue_push_mp, pop_sc, 3, 1},
    {"mp/sc many", telar_index_queue_push_mp, pop_sc_many, 3, 1},
    {"mp/mc", telar_index_queue_push_mp, pop_mc, 2, 2},
    {"mp/mc crowd", telar_index_queue_push_mp, pop_mc, PRODUCERS_MOST, CONSUMERS_MOST},
    {"mp/mc alone", telar_index_queue_push_mp, pop_mc, 1, 1},
};
enum { MODES = sizeof modes / sizeof modes[0] };

/* --- one thread --------------------------------------------------------------- */

static void refuses_bad_memory_and_capacities(void) {
  telar_index_queue *queue = NULL;
  char *memory = check_memory(telar_index_queue_size(8) + TELAR_CACHELINE);
  static const uint32_t bad[] = {0, 1, 3, 6, 1000, (1u << 30) + 1, 1u << 31, UINT32_MAX};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    CHECK_EQUAL(telar_index_queue_size(bad[i]), 0);
    CHECK_STATUS(telar_index_queue_init(memory, bad[i], 0, &queue), TELAR_INVALID);
  }
  CHECK_STATUS(telar_index_queue_init(NULL, 8, 0, &queue), TELAR_INVALID);
  CHECK_STATUS(telar_index_queue_init(memory, 8, 0, NULL), TELAR_INVALID);
  CHECK_STATUS(telar_index_queue_init(memory + 8, 8, 0, &queue), TELAR_INVALID);
  CHECK(queue == NULL);
  CHECK(telar_index_queue_size(2) % TELAR_CACHELINE == 0 && telar_index_queue_size(2) > 0);
  CHECK(telar_index_queue_size(1u << 30) > (size_t)8 << 30);
  check_free(memory);
}

static void fills_and_drains_in_order(const mode *m, uint32_t capacity, uint32_t start) {
  telar_index_queue *queue = make(capacity, start);
  uint32_t in = 0, out = 0, got[MANY];
  CHECK_EQUAL(telar_index_queue_capacity(queue), capacity);
  for (uint32_t lap = 0; lap < 5; lap++) {
    CHECK(telar_index_queue_is_empty(queue));
    for (uint32_t i = 0; i < capacity; i++) {
      CHECK_EQUAL(telar_index_queue_length(queue), i);
      /* Values use all 32 bits: no value is special. */
      CHECK_STATUS(m->push(queue, UINT32_MAX - in++), TELAR_OK);
      CHECK(!telar_index_queue_is_empty(queue));
    }
    CHECK_STATUS(m->push(queue, 0), TELAR_FULL);
    CHECK_EQUAL(telar_index_queue_length(queue), capacity);
    /* Leave some in the queue in half of the laps, so that laps begin at any cell. */
    uint32_t keep = lap % 2 == 0 ? 0 : capacity / 2;
    while (in - out > keep) {
      uint32_t count = m->pop(queue, got);
      CHECK(count > 0 && count <= in - out);
      for (uint32_t i = 0; i < count; i++) CHECK_EQUAL(got[i], UINT32_MAX - out++);
      CHECK_EQUAL(telar_index_queue_length(queue), in - out);
    }
    while (in != out) {
      uint32_t count = m->pop(queue, got);
      CHECK(count > 0);
      for (uint32_t i = 0; i < count; i++) CHECK_EQUAL(got[i], UINT32_MAX - out++);
    }
    CHECK_EQUAL(m->pop(queue, got), 0);
    uint32_t one = 0;
    CHECK_STATUS(telar_index_queue_pop_sc(queue, &one), TELAR_EMPTY);
    CHECK_STATUS(telar_index_queue_pop_mc(queue, &one), TELAR_EMPTY);
  }
  check_free(queue);
}

static void takes_many_up_to_a_limit(void) {
  telar_index_queue *queue = make(8, UINT32_MAX - 3);
  uint32_t got[8];
  for (uint32_t i = 0; i < 8; i++) CHECK_STATUS(telar_index_queue_push_sp(queue, i), TELAR_OK);
  CHECK_EQUAL(telar_index_queue_pop_sc_many(queue, got, 0), 0);
  CHECK_EQUAL(telar_index_queue_pop_sc_many(queue, got, 3), 3);
  CHECK_EQUAL(telar_index_queue_length(queue), 5);
  CHECK_EQUAL(telar_index_queue_pop_sc_many(queue, got + 3, 8), 5);
  for (uint32_t i = 0; i < 8; i++) CHECK_EQUAL(got[i], i);
  CHECK_EQUAL(telar_index_queue_pop_sc_many(queue, got, 8), 0);
  check_free(queue);
}

/* A thread that was preempted between claim and publication, simulated by hand. */
static void returns_again_while_another_thread_is_half_way(uint32_t start) {
  telar_index_queue *queue = make(4, start);
  uint32_t value = 0;
  uint64_t position = atomic_fetch_add(&queue->tail, 1);
  CHECK_STATUS(telar_index_queue_push_mp(queue, 22), TELAR_OK);
  CHECK_STATUS(telar_index_queue_pop_sc(queue, &value), TELAR_AGAIN);
  CHECK_STATUS(telar_index_queue_pop_mc(queue, &value), TELAR_AGAIN);
  CHECK_EQUAL(telar_index_queue_pop_sc_many(queue, &value, 1), 0);
  CHECK(!telar_index_queue_is_empty(queue));
  atomic_store(telar_index_queue_cell_(queue, position), telar_index_queue_pack_(position + 1, 11));
  CHECK_STATUS(telar_index_queue_pop_mc(queue, &value), TELAR_OK);
  CHECK_EQUAL(value, 11);
  CHECK_STATUS(telar_index_queue_pop_mc(queue, &value), TELAR_OK);
  CHECK_EQUAL(value, 22);

  for (uint32_t i = 0; i < 4; i++) CHECK_STATUS(telar_index_queue_push_mp(queue, i), TELAR_OK);
  position = atomic_fetch_add(&queue->head, 1);
  CHECK_STATUS(telar_index_queue_push_mp(queue, 4), TELAR_AGAIN);
  atomic_store(telar_index_queue_cell_(queue, position), telar_index_queue_pack_(position + 4, 0));
  CHECK_STATUS(telar_index_queue_push_mp(queue, 4), TELAR_OK);
  CHECK_STATUS(telar_index_queue_push_mp(queue, 5), TELAR_FULL);
  for (uint32_t i = 1; i < 5; i++) {
    CHECK_STATUS(telar_index_queue_pop_mc(queue, &value), TELAR_OK);
    CHECK_EQUAL(value, i);
  }
  check_free(queue);

  queue = make(4, start);
  for (uint32_t i = 0; i < 4; i++) CHECK_STATUS(telar_index_queue_push_sp(queue, i), TELAR_OK);
  position = atomic_fetch_add(&queue->head, 1);
  CHECK_STATUS(telar_index_queue_push_sp(queue, 4), TELAR_AGAIN);
  atomic_store(telar_index_queue_cell_(queue, position), telar_index_queue_pack_(position + 4, 0));
  CHECK_STATUS(telar_index_queue_push_sp(queue, 4), TELAR_OK);
  CHECK_STATUS(telar_index_queue_push_sp(queue, 5), TELAR_FULL);
  check_free(queue);
}

/* A deferred push can be popped and is seen by has_next, and counts once it is published. */
static void publishes_deferred_pushes_when_asked_to(uint32_t start) {
  telar_index_queue *queue = make(4, start);
  uint32_t value = 0;
  CHECK(!telar_index_queue_has_next(queue));
  CHECK_STATUS(telar_index_queue_push_sp_deferred(queue, 7), TELAR_OK);
  CHECK(telar_index_queue_is_empty(queue));
  CHECK(telar_index_queue_has_next(queue));
  CHECK_STATUS(telar_index_queue_push_sp_deferred(queue, 8), TELAR_OK);
  telar_index_queue_publish_sp(queue);
  CHECK_EQUAL(telar_index_queue_length(queue), 2);
  CHECK_STATUS(telar_index_queue_push_sp_deferred(queue, 9), TELAR_OK);
  for (uint32_t i = 7; i < 10; i++) {
    CHECK(telar_index_queue_has_next(queue));
    CHECK_STATUS(telar_index_queue_pop_mc(queue, &value), TELAR_OK);
    CHECK_EQUAL(value, i);
  }
  CHECK(!telar_index_queue_has_next(queue));
  CHECK(telar_index_queue_is_empty(queue));
  CHECK_STATUS(telar_index_queue_pop_mc(queue, &value), TELAR_EMPTY);
  telar_index_queue_publish_sp(queue);
  CHECK_EQUAL(telar_index_queue_length(queue), 0);
  check_free(queue);
}

/* --- many threads ---------------------------------------------------------------- */

/* value = producer << SERIAL_BITS | serial. */
enum { SERIAL_BITS = 24 };

typedef struct workload {
  const mode *mode;
  telar_index_queue *queue;
  uint32_t capacity;
  uint32_t serials; /* of each producer */
  uint64_t seed;
  uint64_t *payload[PRODUCERS_MOST]; /* plain memory: TSan checks that the queue orders it */
  _Atomic uint8_t *arrivals[PRODUCERS_MOST];
  _Atomic uint32_t arrived;
  /* With one producer and one consumer, what was done before pop k is visible to push k +
   * capacity. */
  uint64_t notes[2 * CAPACITY_MOST];
} workload;

typedef struct actor {
  workload *work;
  uint32_t number;
} actor;

static uint64_t pattern(uint64_t seed, uint32_t value) {
  return (seed ^ value) * UINT64_C(0x9e3779b97f4a7c15);
}

static bool is_pair(const workload *work) {
  return work->mode->producers == 1 && work->mode->consumers == 1 && work->mode->pop != pop_sc_many;
}

static void *produce(void *argument) {
  const actor *self = argument;
  workload *work = self->work;
  check_random random = check_random_from(work->seed, 100 + self->number);
  for (uint32_t serial = 0; serial < work->serials;) {
    uint32_t burst = work->capacity - 1 + check_random_below(&random, 3);
    for (; burst > 0 && serial < work->serials; burst--, serial++) {
      uint32_t value = self->number << SERIAL_BITS | serial;
      work->payload[self->number][serial] = pattern(work->seed, value);
      telar_status status;
      uint32_t tries = 0;
      while ((status = work->mode->push(work->queue, value)) != TELAR_OK) {
        CHECK(status == TELAR_FULL || status == TELAR_AGAIN);
        check_pause(&tries);
      }
      if (is_pair(work) && serial >= work->capacity) {
        CHECK_EQUAL(work->notes[(serial - work->capacity) % (2 * work->capacity)],
                    serial - work->capacity);
      }
      CHECK(telar_index_queue_length(work->queue) <= work->capacity);
    }
    /* Sometimes let the consumers run out of elements. */
    if (check_random_below(&random, 4) == 0) telar_os_yield();
  }
  return NULL;
}

static void *consume(void *argument) {
  const actor *self = argument;
  workload *work = self->work;
  uint32_t total = work->serials * work->mode->producers, got[MANY], popped = 0, tries = 0;
  int64_t last[PRODUCERS_MOST] = {-1, -1, -1, -1};
  /* Relaxed: the count only ends the loop. */
  while (atomic_load_explicit(&work->arrived, memory_order_relaxed) < total) {
    if (is_pair(work)) work->notes[popped % (2 * work->capacity)] = popped;
    uint32_t count = work->mode->pop(work->queue, got);
    if (count == 0) check_pause(&tries);
    for (uint32_t i = 0; i < count; i++) {
      uint32_t producer = got[i] >> SERIAL_BITS, serial = got[i] & ((1u << SERIAL_BITS) - 1);
      CHECK(producer < work->mode->producers && serial < work->serials);
      CHECK_EQUAL(work->payload[producer][serial], pattern(work->seed, got[i]));
      CHECK((int64_t)serial > last[producer]);
      last[producer] = serial;
      CHECK_EQUAL(
          atomic_fetch_add_explicit(&work->arrivals[producer][serial], 1, memory_order_relaxed), 0);
      popped++;
    }
    atomic_fetch_add_explicit(&work->arrived, count, memory_order_relaxed);
  }
  return NULL;
}

static void delivers_each_once(const mode *m, uint32_t capacity, uint32_t start, uint32_t serials,
                               uint64_t seed) {
  workload work = {.mode = m, .capacity = capacity, .serials = serials, .seed = seed};
  CHECK(capacity <= CAPACITY_MOST && serials < 1u << SERIAL_BITS);
  work.queue = make(capacity, start);
  pthread_t threads[PRODUCERS_MOST + CONSUMERS_MOST];
  actor actors[PRODUCERS_MOST + CONSUMERS_MOST];
  for (uint32_t i = 0; i < m->producers; i++) {
    work.payload[i] = calloc(serials, sizeof *work.payload[i]);
    work.arrivals[i] = calloc(serials, sizeof *work.arrivals[i]);
    CHECK(work.payload[i] != NULL && work.arrivals[i] != NULL);
  }
  uint32_t count = 0;
  for (uint32_t i = 0; i < m->consumers; i++, count++) {
    actors[count] = (actor){&work, i};
    threads[count] = check_thread(consume, &actors[count]);
  }
  for (uint32_t i = 0; i < m->producers; i++, count++) {
    actors[count] = (actor){&work, i};
    threads[count] = check_thread(produce, &actors[count]);
  }
  for (uint32_t i = 0; i < count; i++) check_join(threads[i]);
  CHECK_EQUAL(work.arrived, serials * m->producers);
  CHECK(telar_index_queue_is_empty(work.queue));
  for (uint32_t i = 0; i < m->producers; i++) {
    for (uint32_t serial = 0; serial < serials; serial++) CHECK_EQUAL(work.arrivals[i][serial], 1);
    free(work.payload[i]);
    free((void *)work.arrivals[i]);
  }
  check_free(work.queue);
}

int main(void) {
  uint64_t seed = check_seed();
  check_deadline(120);
  refuses_bad_memory_and_capacities();
  takes_many_up_to_a_limit();
  returns_again_while_another_thread_is_half_way(0);
  returns_again_while_another_thread_is_half_way(UINT32_MAX - 1);
  publishes_deferred_pushes_when_asked_to(0);
  publishes_deferred_pushes_when_asked_to(UINT32_MAX - 1);
  static const uint32_t capacities[] = {2, 8, CAPACITY_MOST};
  for (size_t m = 0; m < MODES; m++) {
    for (size_t c = 0; c < sizeof capacities / sizeof capacities[0]; c++) {
      uint32_t capacity = capacities[c];
      static const uint32_t starts[] = {0, 1, 0x7ffffffe, UINT32_MAX - 1, UINT32_MAX};
      for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++) {
        fills_and_drains_in_order(&modes[m], capacity, starts[s]);
      }
      /* The sequences wrap in the middle of the run. */
      uint32_t serials = CHECK_TURNS(capacity < 8 ? 12000 : 40000);
      delivers_each_once(&modes[m], capacity, UINT32_MAX - serials / 2, serials, seed + m);
    }
  }
  return 0;
}
