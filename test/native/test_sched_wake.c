/*
 * sched: who is woken, by what, and who is left asleep. One thread plays everybody, so
 * each ring of a bell can be counted; test_sched_stress.c looks for the races.
 */
#include "sched_play.h"

#define WORKER(index) (UINT64_C(1) << (index))

/* All asleep, all bells quiet, nobody standing by: the pool has not been in use. */
static void put_to_sleep(play *p, uint32_t workers) {
  for (int turn = 0; turn < 2; turn++) {
    for (uint32_t i = 0; i < workers; i++) play_park(p, i);
  }
  memset(p->rings, 0, sizeof p->rings);
  for (uint32_t i = 0; i < workers; i++) CHECK_EQUAL(play_next(p, i, NONE), TELAR_NEXT_PARK);
  CHECK_EQUAL(play_rung(p), 0);
}

static void open_asleep(play *p, uint32_t workers, uint32_t concurrency) {
  play_open(p, play_config(64, workers, concurrency));
  play_hire_many(p, workers);
  put_to_sleep(p, workers);
}

/* Until tasks count as too short to wake a second worker for. Ends before the deadline of
 * the test, since the average forgets a task that was preempted. */
static void make_lazy(play *p, uint32_t worker) {
  uint32_t out;
  do {
    play_submit(p, 63);
    CHECK_EQUAL(play_next(p, worker, NONE), 63);
    CHECK_STATUS(telar_sched_complete(p->sched, worker, 63), TELAR_OK);
    CHECK_EQUAL(telar_sched_drain(p->sched, &out, 1), 1);
  } while (atomic_load(&p->sched->lazy) == 0);
}

/* --- the ready queue ----------------------------------------------------------------- */

static void wakes_one_who_wakes_the_next(void) {
  play p;
  open_asleep(&p, 4, 1);
  play_submit(&p, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  play_submit(&p, 1);
  play_submit(&p, 2);
  CHECK_EQUAL(play_rung(&p), 0); /* one is on its way already */
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 1);
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  CHECK_EQUAL(play_next(&p, 2, NONE), 2);
  CHECK_EQUAL(play_rung(&p), 0); /* nothing left to look for */
  play_submit(&p, 3);
  CHECK_EQUAL(play_rung(&p), WORKER(3));
  CHECK_EQUAL(play_next(&p, 3, NONE), 3);
  play_submit(&p, 4);
  CHECK_EQUAL(play_rung(&p), 0); /* nobody left to call */
  CHECK_EQUAL(play_next(&p, 1, 1), 4);
  play_close(&p);
}

static void wakes_across_words_of_the_idle_map(void) {
  play p;
  open_asleep(&p, PLAY_WORKERS_MOST, 1);
  for (uint32_t i = 0; i < PLAY_WORKERS_MOST; i++) {
    play_submit(&p, i);
    CHECK_EQUAL(play_rung(&p), WORKER(i));
    CHECK_EQUAL(play_next(&p, i, NONE), i);
  }
  for (uint32_t i = 0; i < PLAY_WORKERS_MOST; i++) CHECK(play_is_asleep(play_next(&p, i, i)));
  play_close(&p);
}

/* With many tasks outstanding, workers are told of new ones some at a time. Who runs dry
 * looks for itself, and whoever else is woken finds what is there. */
static void finds_what_it_was_not_told_of(void) {
  for (uint32_t tasks = 47; tasks < 64; tasks++) {
    play p;
    open_asleep(&p, 3, 1);
    for (uint32_t i = 0; i < tasks; i++) play_submit(&p, i);
    CHECK_EQUAL(play_rung(&p), WORKER(0));
    uint32_t done = NONE;
    for (uint32_t i = 0; i + 1 < tasks; i++) {
      CHECK_EQUAL(play_next(&p, 0, done), i);
      done = i;
      /* The last one is left for another: with each look, this one sees to that. */
      CHECK_EQUAL(play_rung(&p), i == 0 ? WORKER(1) : 0);
    }
    CHECK_EQUAL(play_next(&p, 1, NONE), tasks - 1);
    CHECK_EQUAL(play_rung(&p), 0);
    CHECK(play_is_asleep(play_next(&p, 0, done)));
    play_close(&p);
  }
}

/* A worker has 48 tasks, and all sleep: of those to come, workers are told late. */
static void open_untold(play *p, uint32_t workers, uint32_t busy) {
  open_asleep(p, workers, 64);
  for (uint32_t i = 0; i < 48; i++) {
    play_submit(p, i);
    CHECK_EQUAL(play_next(p, busy, NONE), i);
  }
  put_to_sleep(p, workers);
}

/* Nor does the one who passes the search on go by what it was told. */
static void passes_on_what_it_was_not_told_of(void) {
  play p;
  open_untold(&p, 3, 0);
  for (uint32_t i = 48; i < 51; i++) play_submit(&p, i);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 48);
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  CHECK_EQUAL(play_next(&p, 2, NONE), 49);
  play_close(&p);

  /* Nor the owner, when the one who was called has died, */
  open_untold(&p, 2, 1);
  play_submit(&p, 48);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  uint32_t out, claimed;
  CHECK_EQUAL(telar_sched_worker_retire(p.sched, 0, &out, 1, &claimed), 0);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 48);
  play_close(&p);

  /* or does not answer. */
  open_untold(&p, 3, 2);
  play_submit(&p, 48);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 48);
  play_close(&p);
}

static void finds_nothing_and_lets_the_next_one_be_called(void) {
  play p;
  open_asleep(&p, 2, 1);
  uint32_t out;
  play_submit(&p, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  CHECK_EQUAL(telar_sched_withdraw(p.sched, &out, 1), 1);
  play_park(&p, 0);
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  CHECK_EQUAL(play_next(&p, 0, NONE), 1);
  play_close(&p);
}

/* One that has free places but runs something may be deaf for as long as that lasts. */
static void calls_those_first_who_run_nothing(void) {
  play p;
  open_asleep(&p, 3, 2);
  play_submit(&p, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  play_park(&p, 0);
  play_rung(&p);
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 1);
  play_park(&p, 1);
  play_submit(&p, 2);
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  CHECK_EQUAL(play_next(&p, 2, NONE), 2);
  play_park(&p, 2);
  play_submit(&p, 3);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  CHECK_EQUAL(play_next(&p, 0, NONE), 3);
  play_park(&p, 0);
  play_submit(&p, 4); /* worker 0 is full: it cannot help */
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  play_close(&p);
}

/* The one who was called does not answer: before the owner sleeps on it, it calls another. */
static void calls_another_when_the_first_is_deaf(void) {
  play p;
  open_asleep(&p, 3, 1);
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK_EQUAL(play_rung(&p), 0); /* nothing to do, nobody to call */
  telar_sched_owner_awake(p.sched);
  play_submit(&p, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  telar_sched_owner_awake(p.sched);
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK_EQUAL(play_rung(&p), 0); /* it was taken */
  play_park(&p, 0);              /* now it has heard: no count is left behind */
  telar_sched_owner_awake(p.sched);
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  /* Nobody left to call: nothing is left behind either. */
  CHECK_EQUAL(play_next(&p, 0, NONE), 1);
  play_submit(&p, 2);
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK_EQUAL(play_rung(&p), 0);
  CHECK_EQUAL(play_next(&p, 2, NONE), 2);
  CHECK(play_is_asleep(play_next(&p, 0, 1)));
  play_submit(&p, 3);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  play_close(&p);
}

/* --- lanes ----------------------------------------------------------------------------- */

static void a_lane_wakes_its_worker_and_no_other(void) {
  play p;
  open_asleep(&p, 3, 2);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 2, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  CHECK_STATUS(sched_submit_to(p.sched, 1, 2, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), 0); /* rung once for a sleep */
  CHECK_EQUAL(play_next(&p, 2, NONE), 0);
  CHECK_EQUAL(play_next(&p, 2, NONE), 1);
  CHECK_EQUAL(play_next(&p, 2, NONE), TELAR_NEXT_PARK);
  /* Without a place it sleeps for its lane only. */
  play_submit(&p, 2);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  CHECK_EQUAL(play_next(&p, 0, NONE), 2);
  CHECK_STATUS(sched_submit_to(p.sched, 3, 2, TELAR_LANE_FORCED), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  CHECK_EQUAL(play_next(&p, 2, NONE), 3);
  /* Awake: it looks by itself. */
  CHECK_STATUS(sched_submit_to(p.sched, 4, 2, TELAR_LANE_FORCED), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), 0);
  CHECK_EQUAL(play_next(&p, 2, NONE), 4);
  play_close(&p);
}

/* A worker that is called to its lane is on its way, deaf for the ready queue. */
static void a_task_does_not_wait_for_one_that_is_called_away(void) {
  play p;
  open_asleep(&p, 2, 1);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(play_next(&p, 1, NONE), 1);
  play_close(&p);

  /* Nobody else is there: the call comes back at once, and is made up for. */
  open_asleep(&p, 1, 1);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  play_submit(&p, 1);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(play_next(&p, 0, 0), 1);
  play_close(&p);
}

/* Summoned to search, it finds its lane filled instead. */
static void passes_the_search_on_when_its_lane_comes_first(void) {
  play p;
  open_asleep(&p, 2, 1);
  play_submit(&p, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  CHECK_STATUS(sched_submit_to(p.sched, 1, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 1);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  play_close(&p);
}

/* ... or its places gone: reserved for a task that is not in the lane yet. */
static void passes_the_search_on_when_it_has_no_place(void) {
  play p;
  open_asleep(&p, 2, 1);
  play_submit(&p, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  atomic_store(&p.sched->workers[0].usage, 1); /* the owner, between reserve and submit_to */
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_PARK);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  play_close(&p);
}

/* A worker that came by while its places were reserved sleeps as one that is full. It is to be
 * found again when they are given back. */
static void is_called_when_a_reserved_place_is_given_back(void) {
  play p;
  play_open(&p, play_config(8, 2, 1));
  play_hire_many(&p, 2);
  uint32_t places = 0;
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_SHARED, &places), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_PARK);
  play_submit(&p, 1);
  CHECK_EQUAL(play_next(&p, 1, NONE), 1);
  play_submit(&p, 2);
  CHECK_EQUAL(play_rung(&p), 0); /* both are full */
  CHECK_STATUS(telar_sched_unreserve(p.sched, 0, places), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  CHECK_EQUAL(play_next(&p, 0, NONE), 2);
  play_park(&p, 1);
  CHECK(play_is_asleep(play_next(&p, 0, 2)));
  play_rung(&p);
  /* One that sleeps with places to spare has nothing to come for. */
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_SHARED, &places), TELAR_OK);
  CHECK_STATUS(telar_sched_unreserve(p.sched, 0, places), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), 0);
  play_close(&p);
}

/* ... also in the moment between its look for a place and its sleep. */
static void give_back_when_1_is_called(void *context, uint32_t worker) {
  play_count_ring(context, worker);
  if (worker == 1) CHECK_STATUS(telar_sched_unreserve(((play *)context)->sched, 0, 1), TELAR_OK);
}

static void does_not_doze_off_as_full_when_a_place_has_come_back(void) {
  play p;
  telar_sched_config config = play_config(8, 2, 1);
  config.wake = give_back_when_1_is_called;
  play_open(&p, config);
  play_hire_many(&p, 2);
  play_park(&p, 0);
  play_park(&p, 1);
  play_submit(&p, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  uint32_t places = 0;
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_SHARED, &places), TELAR_OK);
  /* It has no place for the task that it was called for, and passes the call on. */
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  play_close(&p);
}

/* --- the last look ------------------------------------------------------------------------- */

/* What the owner does between a worker's look for work and its sleep: it asked to be told of a
 * place that comes free, is told in just that moment, and acts at once. */
typedef struct moment {
  play play; /* first: what the bells get is both */
  void (*act)(play *p);
} moment;

static void act_in_the_moment(void *context, uint32_t worker) {
  moment *m = context;
  play_count_ring(&m->play, worker);
  if (worker == NONE) m->act(&m->play);
}

/* What next() says to worker 0, which has just run out of work. */
static int32_t runs_dry_while(moment *m, void (*act)(play *p)) {
  m->act = act;
  telar_sched_config config = play_config(8, 2, 1);
  config.wake = act_in_the_moment;
  play_open(&m->play, config);
  play_hire_many(&m->play, 2);
  CHECK_STATUS(telar_sched_submit(m->play.sched, 0, false, 0), TELAR_OK);
  CHECK_EQUAL(play_next(&m->play, 0, NONE), 0);
  telar_sched_watch_claims(m->play.sched);
  int32_t said = play_next(&m->play, 0, 0);
  CHECK_EQUAL(m->play.owner_rings, 1);
  CHECK_EQUAL(m->play.rings[0], 0); /* awake still: nobody rings */
  play_close(&m->play);
  return said;
}

static void submit_1(play *p) {
  play_submit(p, 1);
}

static void submit_1_to_0(play *p) {
  CHECK_STATUS(sched_submit_to(p->sched, 1, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
}

static void close_0(play *p) {
  telar_sched_worker_close(p->sched, 0);
}

static void close_idle_0(play *p) {
  CHECK(telar_sched_worker_close_idle(p->sched, 0));
}

static void nothing_happens(play *p) {
  (void)p;
}

static void looks_once_more_before_it_sleeps(void) {
  moment m;
  CHECK_EQUAL(runs_dry_while(&m, submit_1), 1);
  CHECK_EQUAL(runs_dry_while(&m, submit_1_to_0), 1);
  CHECK_EQUAL(runs_dry_while(&m, close_0), TELAR_NEXT_CLOSED);
  CHECK_EQUAL(runs_dry_while(&m, close_idle_0), TELAR_NEXT_CLOSED);
  CHECK_EQUAL(runs_dry_while(&m, nothing_happens), TELAR_NEXT_STANDBY);
}

/* --- the end of a time slice, of a worker ----------------------------------------------------- */

static void spend_slice(void) {
  for (uint64_t end = telar_os_now_ns() + 4100000; telar_os_now_ns() < end;) telar_os_relax();
}

static void yields_when_its_time_slice_is_over(void) {
  play p;
  open_asleep(&p, 2, 1);
  play_submit(&p, 0);
  play_submit(&p, 1);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0) | WORKER(1));
  telar_sched_worker_resume(p.sched, 0);
  spend_slice();
  /* The task is completed, and no other claimed. */
  CHECK_EQUAL(telar_sched_next(p.sched, 0, 0), TELAR_NEXT_YIELD);
  CHECK_EQUAL(telar_sched_next(p.sched, 0, NONE), TELAR_NEXT_YIELD);
  PLAY_DRAINS(&p, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), 1);
  play_close(&p);
}

static void a_search_does_not_end_with_the_time_slice(void) {
  play p;
  open_asleep(&p, 2, 1);
  play_submit(&p, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  telar_sched_worker_resume(p.sched, 0);
  spend_slice();
  CHECK_EQUAL(telar_sched_next(p.sched, 0, NONE), TELAR_NEXT_YIELD);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  play_close(&p);
}

static void close_wakes_the_worker(void) {
  play p;
  open_asleep(&p, 3, 1);
  telar_sched_worker_close(p.sched, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  CHECK(telar_sched_worker_close_idle(p.sched, 1));
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_CLOSED);
  CHECK_EQUAL(play_next(&p, 1, NONE), TELAR_NEXT_CLOSED);
  play_submit(&p, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  CHECK_EQUAL(play_next(&p, 2, NONE), 0);
  play_close(&p);
}

static void a_worker_that_is_closed_passes_the_search_on(void) {
  play p;
  open_asleep(&p, 2, 1);
  play_submit(&p, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  CHECK(telar_sched_worker_close_idle(p.sched, 0));
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_CLOSED);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  play_close(&p);
}

static void cancel_wakes_the_worker_that_is_to_end(void) {
  play p;
  open_asleep(&p, 2, 2);
  play_submit(&p, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  play_park(&p, 0);
  play_rung(&p);
  uint32_t worker;
  CHECK_EQUAL(telar_sched_cancel(p.sched, 0, &worker), TELAR_CANCEL_RUNNING);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_CLOSED);
  play_close(&p);
}

/* --- death -------------------------------------------------------------------------------- */

static void retire(play *p, uint32_t worker, uint32_t expected) {
  uint32_t out[64], claimed;
  CHECK_EQUAL(telar_sched_worker_retire(p->sched, worker, out, 64, &claimed), expected);
}

/* Whatever a worker was doing when it died, the next task wakes somebody else. */
static void the_dead_are_not_waited_for(void) {
  enum { SUMMONED_, AWAKE_, RESUMED_, PARKED_, CALLED_TO_LANE_, CLAIMED_, DEATHS_ };
  for (int death = 0; death < DEATHS_; death++) {
    play p;
    open_asleep(&p, 2, 1);
    for (int lap = 0; lap < 3; lap++) {
      uint32_t expected = 0, left = death == SUMMONED_ || death == RESUMED_ ? 0 : 1;
      if (death != PARKED_) play_submit(&p, 0);
      uint32_t out;
      switch (death) {
        case SUMMONED_:
        case PARKED_:
          break;
        case RESUMED_:
          telar_sched_worker_resume(p.sched, 0);
          break;
        case AWAKE_:
          CHECK_EQUAL(play_next(&p, 0, NONE), 0);
          CHECK_STATUS(telar_sched_complete(p.sched, 0, 0), TELAR_OK);
          PLAY_DRAINS(&p, 0);
          break;
        case CALLED_TO_LANE_:
          CHECK_EQUAL(telar_sched_withdraw(p.sched, &out, 1), 1);
          play_park(&p, 0);
          CHECK_STATUS(sched_submit_to(p.sched, 0, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
          expected = 1;
          break;
        default:
          CHECK_EQUAL(play_next(&p, 0, NONE), 0);
          expected = 1;
      }
      memset(p.rings, 0, sizeof p.rings);
      retire(&p, 0, expected);
      if (left == 1) { /* else the search that died with it goes on */
        CHECK_EQUAL(play_rung(&p), 0);
        play_submit(&p, 1);
      }
      CHECK_EQUAL(play_rung(&p), WORKER(1));
      CHECK_EQUAL(play_next(&p, 1, NONE), left);
      CHECK(play_is_asleep(play_next(&p, 1, left)));
      CHECK_EQUAL(telar_sched_drain(p.sched, &out, 1), 1);
      CHECK_EQUAL(play_hire(&p), 0);
      put_to_sleep(&p, 2);
    }
    /* Nothing was counted once too often or too seldom. */
    CHECK_EQUAL(atomic_load(&p.sched->searching), 0);
    CHECK_EQUAL(atomic_load(&p.sched->awake), 0);
    CHECK_EQUAL(atomic_load(&p.sched->standby), 0);
    play_close(&p);
  }
}

/* --- short tasks, and the one who stands by --------------------------------------------------- */

static void one_stands_by_while_the_pool_is_in_use(void) {
  play p;
  open_asleep(&p, 3, 1);
  play_submit(&p, 0);
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  CHECK_EQUAL(play_next(&p, 1, 0), TELAR_NEXT_STANDBY);
  play_rung(&p);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_PARK); /* one is enough */
  CHECK_EQUAL(play_next(&p, 2, NONE), TELAR_NEXT_PARK);
  /* Its time is over, nothing came: the pool is out of use. */
  CHECK_EQUAL(play_next(&p, 1, NONE), TELAR_NEXT_PARK);
  CHECK_EQUAL(play_next(&p, 1, NONE), TELAR_NEXT_PARK);
  PLAY_DRAINS(&p, 0);
  /* When it is woken by something else, the next one may. */
  play_submit(&p, 0);
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  CHECK_EQUAL(play_next(&p, 1, 0), TELAR_NEXT_STANDBY);
  CHECK_STATUS(sched_submit_to(p.sched, 1, 1, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 1, NONE), 1);
  CHECK_EQUAL(play_next(&p, 2, NONE), TELAR_NEXT_STANDBY);
  play_close(&p);
}

/* Worker 0 runs slot 0, worker 1 stands by, the others sleep; tasks are short. */
static void open_lazy(play *p, uint32_t workers) {
  play_open(p, play_config(64, workers, 1));
  play_hire_many(p, workers);
  make_lazy(p, 0);
  put_to_sleep(p, workers);
  play_submit(p, 0);
  CHECK_EQUAL(play_rung(p), WORKER(0)); /* nobody is awake: lazy or not, it must be woken */
  CHECK_EQUAL(play_next(p, 0, NONE), 0);
  CHECK_EQUAL(play_next(p, 1, NONE), TELAR_NEXT_STANDBY);
  CHECK_EQUAL(play_rung(p), 0);
}

static void short_tasks_wake_no_second_worker(void) {
  play p;
  open_lazy(&p, 3);
  play_submit(&p, 1);
  play_submit(&p, 2);
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK_EQUAL(play_rung(&p), 0);
  CHECK_EQUAL(play_next(&p, 0, 0), 1);
  play_close(&p);
}

/* They were long after all: the one who stands by gets the third worker up. */
static void who_stood_by_passes_the_search_on(void) {
  play p;
  open_lazy(&p, 3);
  play_submit(&p, 1);
  play_submit(&p, 2);
  CHECK_EQUAL(play_rung(&p), 0);
  CHECK_EQUAL(play_next(&p, 1, NONE), 1); /* its millisecond is over */
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  CHECK_EQUAL(play_next(&p, 2, NONE), 2);
  play_close(&p);

  open_lazy(&p, 3);
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), 0);
  CHECK_STATUS(sched_submit_to(p.sched, 2, 1, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 2); /* called away */
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  CHECK_EQUAL(play_next(&p, 2, NONE), 1);
  play_close(&p);

  open_lazy(&p, 3);
  play_submit(&p, 1);
  telar_sched_worker_close(p.sched, 1);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), TELAR_NEXT_CLOSED);
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  play_close(&p);
}

static void short_tasks_wake_a_worker_when_nobody_stands_by(void) {
  play p;
  open_lazy(&p, 3);
  CHECK_EQUAL(play_next(&p, 1, NONE), TELAR_NEXT_PARK);
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  play_close(&p);
}

static void the_dead_do_not_stand_by(void) {
  play p;
  open_lazy(&p, 3);
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), 0);
  retire(&p, 1, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  play_close(&p);

  open_lazy(&p, 3);
  retire(&p, 1, 0);
  CHECK_EQUAL(play_rung(&p), 0);
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  play_close(&p);
}

/* The only one awake has died: nobody will come by to take the task. */
static void the_dead_are_not_awake(void) {
  play p;
  open_lazy(&p, 3);
  retire(&p, 0, 1);
  CHECK_EQUAL(play_rung(&p), 0);
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  play_close(&p);
}

/* What a look at long tasks does to it. */
static void long_tasks_end_the_laziness(void) {
  play p;
  open_lazy(&p, 3);
  for (uint32_t i = 0; i < 8; i++) {
    for (uint64_t end = telar_os_now_ns() + 60000; telar_os_now_ns() < end;) telar_os_relax();
    play_submit(&p, 1 + i);
    play_rung(&p);
    CHECK_EQUAL(play_next(&p, 0, i), 1 + i);
    PLAY_DRAINS(&p, i);
  }
  CHECK(play_is_asleep(play_next(&p, 1, NONE)));
  play_rung(&p);
  play_submit(&p, 20);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  play_close(&p);
}

/* --- the owner's nap ------------------------------------------------------------------------ */

/* Tasks are short, and worker 0 has this many of them; worker 1 sleeps. */
static void open_napping(play *p, uint32_t tasks) {
  play_open(p, play_config(64, 2, 64));
  play_hire_many(p, 2);
  make_lazy(p, 0);
  for (uint32_t i = 0; i < tasks; i++) {
    play_submit(p, i);
    CHECK_EQUAL(play_next(p, 0, NONE), i);
  }
  play_park(p, 1);
  p->owner_rings = 0;
}

static void completes(play *p, uint32_t from, uint32_t to) {
  for (uint32_t i = from; i < to; i++) CHECK_STATUS(telar_sched_complete(p->sched, 0, i), TELAR_OK);
}

static void a_nap_ends_when_a_quarter_is_done(void) {
  play p;
  bool naps = false;
  open_napping(&p, 40);
  CHECK(telar_sched_owner_nap(p.sched, &naps) && naps);
  completes(&p, 0, 9);
  CHECK_EQUAL(p.owner_rings, 0);
  completes(&p, 9, 10);
  CHECK_EQUAL(p.owner_rings, 1);
  completes(&p, 10, 20);
  CHECK_EQUAL(p.owner_rings, 1);
  /* There are results already: no sleep of any kind. */
  telar_sched_owner_awake(p.sched);
  CHECK(!telar_sched_owner_nap(p.sched, &naps));
  completes(&p, 20, 40);
  CHECK_EQUAL(p.owner_rings, 1);
  play_close(&p);
}

static void a_nap_ends_when_a_worker_runs_dry(void) {
  play p;
  bool naps = false;
  open_napping(&p, 40);
  CHECK(telar_sched_owner_nap(p.sched, &naps) && naps);
  play_park(&p, 1);
  CHECK_EQUAL(p.owner_rings, 0); /* nothing to tell of */
  telar_sched_owner_awake(p.sched);
  CHECK(telar_sched_owner_nap(p.sched, &naps) && naps);
  completes(&p, 0, 2);
  CHECK_EQUAL(p.owner_rings, 0);
  play_park(&p, 1);
  CHECK_EQUAL(p.owner_rings, 1);
  play_close(&p);
}

static void whoever_wakes_from_a_nap_may_sleep_after_it(void) {
  play p;
  bool naps = false;
  open_napping(&p, 40);
  CHECK(telar_sched_owner_nap(p.sched, &naps) && naps);
  telar_sched_owner_awake(p.sched);
  CHECK(telar_sched_owner_sleep(p.sched));
  completes(&p, 0, 1);
  CHECK_EQUAL(p.owner_rings, 1); /* the first completion, as ever */
  play_close(&p);
}

static void nobody_naps_over_a_few_tasks(void) {
  play p;
  bool naps = true;
  open_napping(&p, 8);
  CHECK(telar_sched_owner_nap(p.sched, &naps) && !naps);
  completes(&p, 0, 1);
  CHECK_EQUAL(p.owner_rings, 1);
  play_close(&p);

  open_napping(&p, 0);
  naps = true;
  CHECK(telar_sched_owner_nap(p.sched, &naps) && !naps);
  play_close(&p);

  /* Or before it is known how long they take. */
  naps = true;
  open_asleep(&p, 1, 64);
  for (uint32_t i = 0; i < 40; i++) play_submit(&p, i);
  CHECK(telar_sched_owner_nap(p.sched, &naps) && !naps);
  play_close(&p);
}

int main(void) {
  check_deadline(60);
  wakes_one_who_wakes_the_next();
  wakes_across_words_of_the_idle_map();
  finds_what_it_was_not_told_of();
  passes_on_what_it_was_not_told_of();
  finds_nothing_and_lets_the_next_one_be_called();
  calls_those_first_who_run_nothing();
  calls_another_when_the_first_is_deaf();
  a_lane_wakes_its_worker_and_no_other();
  a_task_does_not_wait_for_one_that_is_called_away();
  passes_the_search_on_when_its_lane_comes_first();
  passes_the_search_on_when_it_has_no_place();
  is_called_when_a_reserved_place_is_given_back();
  does_not_doze_off_as_full_when_a_place_has_come_back();
  looks_once_more_before_it_sleeps();
  yields_when_its_time_slice_is_over();
  a_search_does_not_end_with_the_time_slice();
  close_wakes_the_worker();
  a_worker_that_is_closed_passes_the_search_on();
  cancel_wakes_the_worker_that_is_to_end();
  the_dead_are_not_waited_for();
  one_stands_by_while_the_pool_is_in_use();
  short_tasks_wake_no_second_worker();
  who_stood_by_passes_the_search_on();
  short_tasks_wake_a_worker_when_nobody_stands_by();
  the_dead_do_not_stand_by();
  the_dead_are_not_awake();
  long_tasks_end_the_laziness();
  a_nap_ends_when_a_quarter_is_done();
  a_nap_ends_when_a_worker_runs_dry();
  whoever_wakes_from_a_nap_may_sleep_after_it();
  nobody_naps_over_a_few_tasks();
  return 0;
}
