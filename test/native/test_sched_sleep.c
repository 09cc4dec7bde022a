/*
 * sched: no wake-up is lost between threads. Two games that hang if one is lost: tasks that come
 * one at a time while the worker is about to sleep; and rounds of as many tasks as there are
 * places, none of which ends before all are running.
 */
#include "sched_bells.h"

/* Threads that wake each other also wait for CPUs. If other processes use those, a game ends by the
 * clock, and has been as hard as possible until then. */
enum {
  WORKERS_MOST = BELLS_MOST,
  PLACES_MOST = 3,
  SLOTS = 64,
  LOAD = 24,
  FIRST_TURNS = 24,
  GAME_MS = 600
};

typedef struct game {
  tower tower;
  uint64_t seed;
  uint32_t concurrency;
  /* A standby worker polls after a millisecond and takes tasks that others missed. Without timers,
   * and with no task counted as short, only bells wake, and none may be missing. */
  bool timers;
  uint64_t end_ns;
  pthread_t threads[WORKERS_MOST];
  /* Plain memory, handed back and forth only by the scheduler: TSan checks that this orders it. */
  uint64_t input[SLOTS];
  uint64_t output[SLOTS];
  bool waits[SLOTS]; /* until all tasks of its round are running */
  /* Written with each second task of a game that sets it. Stores that wait for their cache lines
   * delay the stores after them, such as the push. So they widen the moment in which a fence
   * matters. */
  bool heavy;
  struct {
    TELAR_CACHELINE_ALIGNED uint64_t word;
  } load[LOAD];
  /* State of the round. */
  _Atomic uint32_t running;
  _Atomic uint32_t size;
} game;

typedef struct player {
  game *game;
  uint32_t index;
} player;

static uint64_t answer_to(uint64_t input) {
  return (input ^ (input >> 29)) * UINT64_C(0x9e3779b97f4a7c15);
}

static void answer(game *g, uint32_t slot) {
  g->output[slot] = answer_to(g->input[slot]);
  if (!g->heavy) return;
  atomic_store(&g->running, 1);
  /* Takes at least as long as the owner needs to push the second task. */
  for (uint32_t turns = 0; slot % 2 == 0 && turns < FIRST_TURNS; turns++) telar_os_relax();
  for (uint32_t i = 0; slot % 2 == 1 && i < LOAD; i++) {
    CHECK_EQUAL(g->load[i].word, g->input[slot]);
    g->load[i].word = g->output[slot];
  }
}

static void *play_game(void *argument) {
  const player *self = argument;
  game *g = self->game;
  telar_sched *sched = g->tower.sched;
  uint32_t me = self->index, held[WORKERS_MOST * PLACES_MOST], holding = 0;
  CHECK_STATUS(telar_sched_worker_attach(sched, me), TELAR_OK);
  for (;;) {
    telar_sched_worker_resume(sched, me);
    int32_t got;
    uint32_t done = NONE;
    while ((got = telar_sched_next(sched, me, done)) >= 0) {
      done = NONE;
      uint32_t slot = (uint32_t)got;
      CHECK(holding < g->concurrency);
      if (!g->waits[slot]) {
        answer(g, slot);
        done = slot;
        continue;
      }
      held[holding++] = slot;
      if (atomic_fetch_add(&g->running, 1) + 1 == atomic_load(&g->size)) {
        for (uint32_t i = 0; i < g->tower.workers; i++) bell_ring(&g->tower.bells[i]);
      }
    }
    if (holding > 0 && atomic_load(&g->running) == atomic_load(&g->size)) {
      while (holding > 0) {
        answer(g, held[--holding]);
        CHECK_STATUS(telar_sched_complete(sched, me, held[holding]), TELAR_OK);
      }
    } else if (!tower_worker_sleeps(&g->tower, me,
                                    got == TELAR_NEXT_STANDBY && !g->timers ? TELAR_NEXT_PARK
                                                                            : got)) {
      break;
    }
  }
  CHECK_EQUAL(holding, 0);
  return NULL;
}

static void open_game(game *g, player *players, uint32_t workers, uint32_t concurrency,
                      uint32_t cpus, bool timers) {
  memset(g, 0, sizeof *g);
  g->concurrency = concurrency;
  g->timers = timers;
  g->end_ns = telar_os_now_ns() + UINT64_C(1000000) * GAME_MS;
  telar_sched_config config = {.slots = SLOTS,
                               .workers = workers,
                               .concurrency = concurrency,
                               .cpus = cpus,
                               .start = UINT32_MAX - 1000};
  tower_open(&g->tower, config);
  for (uint32_t i = 0; i < workers; i++) {
    uint32_t worker;
    CHECK_STATUS(telar_sched_worker_add(g->tower.sched, &worker), TELAR_OK);
    CHECK_EQUAL(worker, i);
    players[i] = (player){g, i};
    g->threads[i] = check_thread(play_game, &players[i]);
  }
}

static void close_game(game *g) {
  for (uint32_t i = 0; i < g->tower.workers; i++) {
    uint32_t out[SLOTS], claimed;
    telar_sched_worker_close(g->tower.sched, i);
    check_join(g->threads[i]);
    CHECK_EQUAL(telar_sched_worker_usage(g->tower.sched, i), 0);
    CHECK_EQUAL(telar_sched_worker_retire(g->tower.sched, i, out, SLOTS, &claimed), 0);
  }
  tower_close(&g->tower);
}

static void prepare(game *g, check_random *random, uint32_t slot, bool waits) {
  g->input[slot] = check_random_next(random);
  g->output[slot] = 0;
  g->waits[slot] = waits;
}

/* Call it before submitting a task, or several that belong together. */
static void begin(game *g) {
  if (!g->timers) atomic_store(&g->tower.sched->lazy, 0);
}

static uint32_t take_back(game *g, const uint32_t *slots, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    CHECK_EQUAL(g->output[slots[i]], answer_to(g->input[slots[i]]));
  }
  return count;
}

/* Waits until `count` slots have come back: asleep, or awake and without calling owner_sleep, which
 * would summon a worker for a missed task. */
static void await(game *g, uint32_t count, bool asleep) {
  uint32_t out[SLOTS], tries = 0;
  uint64_t end = 0;
  while (count > 0) {
    uint32_t came = take_back(g, out, telar_sched_drain(g->tower.sched, out, SLOTS));
    CHECK(came <= count);
    count -= came;
    if (came > 0 || count == 0) continue;
    if (asleep) {
      tower_owner_sleeps(&g->tower);
      continue;
    }
    check_pause(&tries);
    if (tries % 1024 == 0) {
      uint64_t now = telar_os_now_ns();
      if (end == 0) end = now + UINT64_C(1000000) * LOST_AFTER_MS;
      if (now > end) tower_lost(&g->tower, "no worker takes a task");
    }
  }
}

/* --- one at a time ----------------------------------------------------------------------- */

static void tasks_come_one_at_a_time(uint32_t workers, uint32_t cpus, bool timers, uint32_t tasks,
                                     uint64_t seed) {
  static game g;
  player players[WORKERS_MOST];
  check_random random = check_random_from(seed, workers * 10 + cpus);
  open_game(&g, players, workers, 1, cpus, timers);
  for (uint32_t i = 0; i < tasks && telar_os_now_ns() < g.end_ns; i++) {
    uint32_t slot = i % SLOTS, together = 1;
    begin(&g);
    prepare(&g, &random, slot, false);
    if (check_random_below(&random, 4) == 0) {
      CHECK_STATUS(sched_submit_to(g.tower.sched, slot, check_random_below(&random, workers),
                                   TELAR_LANE_FORCED),
                   TELAR_OK);
    } else {
      CHECK_STATUS(telar_sched_submit(g.tower.sched, slot, i % 3 == 0, 0), TELAR_OK);
    }
    /* Sometimes a second one, just when the worker may have finished the first. */
    if (check_random_below(&random, 4) == 0) {
      pause_at_random(&random);
      prepare(&g, &random, (slot + 1) % SLOTS, false);
      CHECK_STATUS(telar_sched_submit(g.tower.sched, (slot + 1) % SLOTS, true, 0), TELAR_OK);
      i++;
      together = 2;
    }
    await(&g, together, check_random_below(&random, 2) == 0);
    /* Half of the time without a pause: the worker has just checked for more. */
    if (check_random_below(&random, 2) == 0) pause_at_random(&random);
    if (check_random_below(&random, 512) == 0) {
      nanosleep(&(struct timespec){.tv_nsec = 1500000}, NULL); /* after this no worker stands by */
    }
  }
  close_game(&g);
}

/* One worker that never spins, and an owner that never sleeps. As soon as the worker has one task,
 * the owner pushes the next one: exactly when the worker has finished the first and checks for the
 * last time. No later task would hide a lost wake-up. */
static void tasks_come_while_the_worker_falls_asleep(uint32_t tasks, uint64_t seed) {
  static game g;
  player players[WORKERS_MOST];
  check_random random = check_random_from(seed, 7);
  open_game(&g, players, 1, 1, 1, false);
  g.heavy = true;
  for (uint32_t i = 0; i < tasks && telar_os_now_ns() < g.end_ns; i += 2) {
    uint32_t first = i % SLOTS, second = first + 1, tries = 0, places = 0;
    begin(&g);
    atomic_store(&g.running, 0);
    prepare(&g, &random, first, false);
    /* When a task is seen to be done, its place is free, unless it was left to the next task. */
    CHECK_STATUS(sched_submit_to(g.tower.sched, first, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
    while (atomic_load(&g.running) == 0) check_pause(&tries);
    /* Sometimes for a task that does not come: the worker may then park as full. */
    if (check_random_below(&random, 4) == 0) {
      CHECK_STATUS(telar_sched_reserve(g.tower.sched, 0, TELAR_LANE_FORCED, &places), TELAR_OK);
    }
    for (uint32_t turns = check_random_below(&random, 3 * FIRST_TURNS / 2); turns > 0; turns--) {
      telar_os_relax();
    }
    prepare(&g, &random, second, false);
    for (uint32_t k = 0; k < LOAD; k++) g.load[k].word = g.input[second];
    if (places != 0) CHECK_STATUS(telar_sched_unreserve(g.tower.sched, 0, places), TELAR_OK);
    if (check_random_below(&random, 4) == 0) {
      CHECK_STATUS(sched_submit_to(g.tower.sched, second, 0, TELAR_LANE_FORCED), TELAR_OK);
    } else {
      CHECK_STATUS(telar_sched_submit(g.tower.sched, second, true, 0), TELAR_OK);
    }
    await(&g, 2, false);
  }
  close_game(&g);
}

/* --- all at a time --------------------------------------------------------------------------- */

/* Makes later tasks count as short: no worker is woken for them while one stands by. */
static void run_short_tasks(game *g, check_random *random) {
  for (uint32_t i = 0; i < 150; i++) {
    prepare(g, random, i % SLOTS, false);
    CHECK_STATUS(telar_sched_submit(g->tower.sched, i % SLOTS, true, 0), TELAR_OK);
    await(g, 1, false);
  }
}

static void every_place_is_used(uint32_t workers, uint32_t concurrency, uint32_t cpus, bool timers,
                                uint32_t rounds, uint64_t seed) {
  static game g;
  player players[WORKERS_MOST];
  check_random random = check_random_from(seed, 1000 + workers * 100 + concurrency * 10 + cpus);
  open_game(&g, players, workers, concurrency, cpus, timers);
  telar_sched *sched = g.tower.sched;
  for (uint32_t round = 0; round < rounds && telar_os_now_ns() < g.end_ns; round++) {
    if (timers && check_random_below(&random, 256) == 0) run_short_tasks(&g, &random);
    uint32_t places = workers * concurrency, size = places, slot = 0;
    bool paced = check_random_below(&random, 2) == 0, lanes = check_random_below(&random, 2) == 0;
    begin(&g);
    atomic_store(&g.running, 0);
    if (check_random_below(&random, 4) == 0) {
      /* One of them takes all the places of its worker. The size is set before any task runs. */
      prepare(&g, &random, slot, true);
      atomic_store(&g.size, size - (concurrency - 1));
      telar_status status =
          sched_submit_to(sched, slot, check_random_below(&random, workers), TELAR_LANE_EXCLUSIVE);
      CHECK(status == TELAR_OK || status == TELAR_BUSY);
      if (status == TELAR_OK) {
        size -= concurrency - 1;
        slot++;
      }
    }
    if (slot == 0) atomic_store(&g.size, size);
    for (; slot < size; slot++) {
      if (paced) pause_at_random(&random);
      prepare(&g, &random, slot, true);
      telar_status status = TELAR_BUSY;
      if (lanes && check_random_below(&random, 2) == 0) {
        status =
            sched_submit_to(sched, slot, check_random_below(&random, workers), TELAR_LANE_SHARED);
        CHECK(status == TELAR_OK || status == TELAR_BUSY);
      }
      if (status == TELAR_BUSY) {
        CHECK_STATUS(telar_sched_submit(sched, slot, slot % 2 == 0, 0), TELAR_OK);
      }
    }
    await(&g, size, check_random_below(&random, 4) == 0);
    if (check_random_below(&random, 2) == 0) pause_at_random(&random);
  }
  close_game(&g);
}

int main(void) {
  uint64_t seed = check_seed();
  check_deadline(120);
  tasks_come_while_the_worker_falls_asleep(CHECK_TURNS(100000), seed);
  static const uint32_t workers[] = {1, 2, 4}, cpus[] = {1, 2, 8};
  for (size_t w = 0; w < 3; w++) {
    for (size_t c = 0; c < 3; c++) {
      for (int timers = 0; timers < 2; timers++) {
        tasks_come_one_at_a_time(workers[w], cpus[c], timers == 1, CHECK_TURNS(2000), seed);
        if (workers[w] > 1) {
          every_place_is_used(workers[w], 1, cpus[c], timers == 1, CHECK_TURNS(1000), seed);
        }
      }
    }
    every_place_is_used(workers[w], PLACES_MOST, 2, false, CHECK_TURNS(1000), seed);
    every_place_is_used(workers[w], PLACES_MOST, 8, true, CHECK_TURNS(1000), seed);
  }
  return 0;
}
