/*
 * What the threads of the scheduler's stress tests share: bells that remember, a scheduler that
 * rings them, and an owner that waits for a limited time.
 */
#ifndef TELAR_TEST_SCHED_BELLS_H
#define TELAR_TEST_SCHED_BELLS_H

#include "sched_submit.h"

#include "core/sched_internal.h"

#define NONE TELAR_SCHED_NONE

enum { BELLS_MOST = 4, LOST_AFTER_MS = 10000 };

/* Like uv_async: a ring before the wait ends the wait. */
typedef struct bell {
  pthread_mutex_t mutex;
  pthread_cond_t rung;
  bool pending;
} bell;

static inline void bell_ring(bell *b) {
  pthread_mutex_lock(&b->mutex);
  b->pending = true;
  pthread_cond_signal(&b->rung);
  pthread_mutex_unlock(&b->mutex);
}

static inline void bell_wait(bell *b) {
  pthread_mutex_lock(&b->mutex);
  while (!b->pending) pthread_cond_wait(&b->rung, &b->mutex);
  b->pending = false;
  pthread_mutex_unlock(&b->mutex);
}

/* False: it did not ring. */
static inline bool bell_wait_for(bell *b, uint32_t microseconds) {
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  uint64_t ns = (uint64_t)end.tv_nsec + (uint64_t)microseconds * 1000;
  end.tv_sec += (time_t)(ns / 1000000000);
  end.tv_nsec = (long)(ns % 1000000000);
  pthread_mutex_lock(&b->mutex);
  while (!b->pending && pthread_cond_timedwait(&b->rung, &b->mutex, &end) == 0) {
  }
  bool rung = b->pending;
  b->pending = false;
  pthread_mutex_unlock(&b->mutex);
  return rung;
}

/* Bells outlive the threads that wait for them, because a ring may come late. */
typedef struct tower {
  telar_sched *sched;
  void *memory;
  uint32_t workers;
  bell owner;
  bell bells[BELLS_MOST];
  void *worker_memory[BELLS_MOST];
} tower;

static inline void tower_ring(void *context, uint32_t worker) {
  tower *t = context;
  CHECK(worker == NONE || worker < t->workers);
  bell_ring(worker == NONE ? &t->owner : &t->bells[worker]);
}

static inline void bell_open(bell *b) {
  pthread_mutex_init(&b->mutex, NULL);
  pthread_cond_init(&b->rung, NULL);
  b->pending = false;
}

static inline void bell_close(bell *b) {
  pthread_cond_destroy(&b->rung);
  pthread_mutex_destroy(&b->mutex);
}

static inline void *tower_worker_memory(void *context, uint32_t worker) {
  tower *t = context;
  CHECK(worker < t->workers && t->worker_memory[worker] == NULL);
  t->worker_memory[worker] = check_memory(telar_sched_worker_size());
  memset(t->worker_memory[worker], 0, telar_sched_worker_size());
  return t->worker_memory[worker];
}

static inline void tower_open(tower *t, telar_sched_config config) {
  CHECK(config.workers <= BELLS_MOST);
  t->workers = config.workers;
  bell_open(&t->owner);
  for (uint32_t i = 0; i < t->workers; i++) bell_open(&t->bells[i]);
  config.wake = tower_ring;
  config.memory = tower_worker_memory;
  config.context = t;
  size_t size = telar_sched_size(&config);
  t->memory = check_memory(size);
  memset(t->memory, 0, size);
  CHECK_STATUS(telar_sched_init(t->memory, &config, &t->sched), TELAR_OK);
}

/* Call it after all workers have been retired. All counts must be back to zero. */
static inline void tower_close(tower *t) {
  CHECK_EQUAL(telar_sched_outstanding(t->sched), 0);
  CHECK_EQUAL(telar_sched_ready_length(t->sched), 0);
  CHECK_EQUAL(atomic_load(&t->sched->searching), 0);
  CHECK_EQUAL(atomic_load(&t->sched->awake), 0);
  CHECK_EQUAL(atomic_load(&t->sched->standby), 0);
  bell_close(&t->owner);
  for (uint32_t i = 0; i < t->workers; i++) {
    bell_close(&t->bells[i]);
    check_free(t->worker_memory[i]);
  }
  check_free(t->memory);
}

static inline void tower_lost(const tower *t, const char *what) {
  fprintf(stderr,
          "lost wake-up: %s (ready %" PRIu32 ", outstanding %" PRIu32 ", searching %" PRIu32
          ", awake %" PRIu32 ", standby %" PRIu32 ", lazy %" PRIu32 ")\n",
          what, telar_sched_ready_length(t->sched), telar_sched_outstanding(t->sched),
          atomic_load(&t->sched->searching), atomic_load(&t->sched->awake),
          atomic_load(&t->sched->standby), atomic_load(&t->sched->lazy));
  for (uint32_t i = 0; i < t->workers; i++) {
    fprintf(stderr, "  worker %" PRIu32 ": usage %" PRIu32 ", sleeper %" PRIu32 "\n", i,
            telar_sched_worker_usage(t->sched, i), atomic_load(&t->sched->workers[i].sleeper));
  }
  abort();
}

/* The owner sleeps until something comes back. */
static inline void tower_owner_sleeps(tower *t) {
  if (telar_sched_owner_sleep(t->sched) && !bell_wait_for(&t->owner, LOST_AFTER_MS * 1000)) {
    tower_lost(t, "the owner's bell did not ring");
  }
  telar_sched_owner_awake(t->sched);
}

/* The same for an owner that polls by a timer, if the scheduler allows it. */
static inline void tower_owner_naps(tower *t) {
  bool naps = false;
  if (telar_sched_owner_nap(t->sched, &naps)) {
    bool rung = bell_wait_for(&t->owner, naps ? 1000 : LOST_AFTER_MS * 1000);
    if (!rung && !naps) tower_lost(t, "the owner's bell did not ring");
  }
  telar_sched_owner_awake(t->sched);
}

/* What a worker does after next() has returned `answer`. True: it continues. */
static inline bool tower_worker_sleeps(tower *t, uint32_t worker, int32_t answer) {
  switch (answer) {
    case TELAR_NEXT_CLOSED:
      return false;
    case TELAR_NEXT_YIELD:
      return true;
    case TELAR_NEXT_STANDBY:
      bell_wait_for(&t->bells[worker], 1000);
      return true;
    default:
      CHECK_EQUAL(answer, TELAR_NEXT_PARK);
      bell_wait(&t->bells[worker]); /* without a limit: the owner notices a lost wake-up */
      return true;
  }
}

/* Waits for a random time, of any order of magnitude up to some tens of microseconds. */
static inline void pause_at_random(check_random *random) {
  uint32_t most = 1u << check_random_below(random, 11);
  for (uint32_t turns = check_random_below(random, most); turns > 0; turns--) telar_os_relax();
}

#endif
