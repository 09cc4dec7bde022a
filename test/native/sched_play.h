/*
 * A scheduler whose owner and workers all run in the test's single thread, so that a test can write
 * down every interleaving of calls. Bells only count.
 */
#ifndef TELAR_TEST_SCHED_PLAY_H
#define TELAR_TEST_SCHED_PLAY_H

#include "sched_submit.h"

#include "core/sched_internal.h"

enum { PLAY_WORKERS_MOST = 40, PLAY_SLOTS_MOST = 256 };

#define NONE TELAR_SCHED_NONE

typedef struct play {
  telar_sched *sched;
  void *memory;
  void *worker_memory[PLAY_WORKERS_MOST];
  uint32_t owner_rings;
  uint32_t rings[PLAY_WORKERS_MOST];
} play;

static inline void play_count_ring(void *context, uint32_t worker) {
  play *p = context;
  CHECK(worker == NONE || worker < PLAY_WORKERS_MOST);
  ++*(worker == NONE ? &p->owner_rings : &p->rings[worker]);
}

static inline void *play_worker_memory(void *context, uint32_t worker) {
  play *p = context;
  CHECK(worker < PLAY_WORKERS_MOST && p->worker_memory[worker] == NULL);
  p->worker_memory[worker] = check_memory(telar_sched_worker_size());
  memset(p->worker_memory[worker], 0, telar_sched_worker_size());
  return p->worker_memory[worker];
}

/* With one CPU no call spins, so no call waits for what this thread does next. */
static inline telar_sched_config play_config(uint32_t slots, uint32_t workers,
                                             uint32_t concurrency) {
  return (telar_sched_config){.slots = slots,
                              .workers = workers,
                              .concurrency = concurrency,
                              .cpus = 1,
                              .start = UINT32_MAX - 3,
                              .wake = play_count_ring,
                              .memory = play_worker_memory};
}

static inline void play_open(play *p, telar_sched_config config) {
  CHECK(config.workers <= PLAY_WORKERS_MOST && config.slots <= PLAY_SLOTS_MOST);
  memset(p, 0, sizeof *p);
  config.context = p;
  p->memory = check_memory(telar_sched_size(&config));
  memset(p->memory, 0, telar_sched_size(&config));
  CHECK_STATUS(telar_sched_init(p->memory, &config, &p->sched), TELAR_OK);
}

static inline void play_close(play *p) {
  for (uint32_t i = 0; i < PLAY_WORKERS_MOST; i++) check_free(p->worker_memory[i]);
  check_free(p->memory);
}

/* Adds a worker and attaches it. */
static inline uint32_t play_hire(play *p) {
  uint32_t worker = NONE;
  CHECK_STATUS(telar_sched_worker_add(p->sched, &worker), TELAR_OK);
  CHECK_STATUS(telar_sched_worker_attach(p->sched, worker), TELAR_OK);
  return worker;
}

static inline void play_hire_many(play *p, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) CHECK_EQUAL(play_hire(p), i);
}

/* One turn of the worker's event loop, with one call. The time slice never ends, even if this
 * thread is preempted for long; the tests of YIELD set its end themselves. */
static inline int32_t play_next(play *p, uint32_t worker, uint32_t done) {
  telar_sched_worker_resume(p->sched, worker);
  p->sched->workers[worker].slice_end_ns = UINT64_MAX;
  return telar_sched_next(p->sched, worker, done);
}

static inline bool play_is_asleep(int32_t answer) {
  return answer == TELAR_NEXT_PARK || answer == TELAR_NEXT_STANDBY;
}

static inline void play_park(play *p, uint32_t worker) {
  CHECK(play_is_asleep(play_next(p, worker, NONE)));
}

static inline void play_submit(play *p, uint32_t slot) {
  CHECK_STATUS(telar_sched_submit(p->sched, slot, true, 0), TELAR_OK);
}

/* Checks that these slots come back, in this order, and no others. */
#define PLAY_DRAINS(p, ...)                                                                \
  do {                                                                                     \
    const uint32_t wanted_[] = {__VA_ARGS__};                                              \
    uint32_t got_[PLAY_SLOTS_MOST];                                                        \
    CHECK_EQUAL(telar_sched_drain((p)->sched, got_, PLAY_SLOTS_MOST), sizeof wanted_ / 4); \
    for (size_t i_ = 0; i_ < sizeof wanted_ / 4; i_++) CHECK_EQUAL(got_[i_], wanted_[i_]); \
  } while (0)

static inline void play_drains_nothing(play *p) {
  uint32_t slot;
  CHECK_EQUAL(telar_sched_drain(p->sched, &slot, 1), 0);
}

/* The workers rung since the last call, one bit each. */
static inline uint64_t play_rung(play *p) {
  uint64_t rung = 0;
  for (uint32_t i = 0; i < PLAY_WORKERS_MOST; i++) {
    CHECK(p->rings[i] <= 1); /* one wake-up rings once */
    if (p->rings[i] != 0) rung |= UINT64_C(1) << i;
    p->rings[i] = 0;
  }
  return rung;
}

#endif
