/*
 * sched: which workers are woken, by what, and which stay asleep. One thread runs the owner and all
 * workers, so each ring of a bell can be counted. test_sched_stress.c tests for races.
 */
#include "sched_play.h"

#define WORKER(index) (UINT64_C(1) << (index))

/* All workers asleep, no bell rung, none standing by: the pool has not been in use. */
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

/* Sets when a worker was summoned last, so that the test does not depend on the clock. */
static void summoned_long_ago(play *p) {
  atomic_store(&p->sched->summoned_ns, 0);
}

static void summoned_just_now(play *p) {
  atomic_store(&p->sched->summoned_ns, telar_os_now_ns() + UINT64_C(60000000000));
}

/* Runs tasks until they count as too short to wake a second worker for. This ends before the
 * deadline of the test, because the average forgets a task that was preempted. */
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

static void wakes_one_that_wakes_the_next(void) {
  play p;
  open_asleep(&p, 4, 1);
  play_submit(&p, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  play_submit(&p, 1);
  play_submit(&p, 2);
  CHECK_EQUAL(play_rung(&p), 0); /* one is already on its way */
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 1);
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  CHECK_EQUAL(play_next(&p, 2, NONE), 2);
  CHECK_EQUAL(play_rung(&p), 0); /* no task is left to search for */
  play_submit(&p, 3);
  CHECK_EQUAL(play_rung(&p), WORKER(3));
  CHECK_EQUAL(play_next(&p, 3, NONE), 3);
  play_submit(&p, 4);
  CHECK_EQUAL(play_rung(&p), 0); /* no worker is left to summon */
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

/* With many outstanding tasks, several new ones are published together. A worker that runs out of
 * work also finds unpublished tasks, and so does any other worker that is woken. */
static void finds_unpublished_tasks(void) {
  for (uint32_t tasks = 47; tasks < 64; tasks++) {
    play p;
    open_asleep(&p, 3, 1);
    for (uint32_t i = 0; i < tasks; i++) play_submit(&p, i);
    CHECK_EQUAL(play_rung(&p), WORKER(0));
    uint32_t done = NONE;
    for (uint32_t i = 0; i + 1 < tasks; i++) {
      CHECK_EQUAL(play_next(&p, 0, done), i);
      done = i;
      /* The last task is left for another worker: this worker passes the search on. */
      CHECK_EQUAL(play_rung(&p), i == 0 ? WORKER(1) : 0);
    }
    CHECK_EQUAL(play_next(&p, 1, NONE), tasks - 1);
    CHECK_EQUAL(play_rung(&p), 0);
    CHECK(play_is_asleep(play_next(&p, 0, done)));
    play_close(&p);
  }
}

/* A worker has 48 tasks, and all sleep: further tasks are published late. */
static void open_unpublished(play *p, uint32_t workers, uint32_t busy) {
  open_asleep(p, workers, 64);
  for (uint32_t i = 0; i < 48; i++) {
    play_submit(p, i);
    CHECK_EQUAL(play_next(p, busy, NONE), i);
  }
  put_to_sleep(p, workers);
}

/* A worker that passes the search on also counts unpublished tasks. */
static void passes_the_search_on_for_unpublished_tasks(void) {
  play p;
  open_unpublished(&p, 3, 0);
  for (uint32_t i = 48; i < 51; i++) play_submit(&p, i);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 48);
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  CHECK_EQUAL(play_next(&p, 2, NONE), 49);
  play_close(&p);

  /* So does the owner if the summoned worker has died, */
  open_unpublished(&p, 2, 1);
  play_submit(&p, 48);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  uint32_t out, claimed;
  CHECK_EQUAL(telar_sched_worker_retire(p.sched, 0, &out, 1, &claimed), 0);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 48);
  play_close(&p);

  /* or does not respond. */
  open_unpublished(&p, 3, 2);
  play_submit(&p, 48);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  summoned_long_ago(&p);
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 48);
  play_close(&p);
}

static void finds_nothing_and_can_be_summoned_again(void) {
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

/* A worker that has free places but runs a task may not respond for as long as the task runs. */
static void summons_first_those_that_run_nothing(void) {
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
  play_submit(&p, 4); /* worker 0 is full, so it cannot help */
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  play_close(&p);
}

/* The summoned worker does not respond in time: when the owner looks again, it summons another. */
static void summons_another_when_the_first_does_not_respond(void) {
  play p;
  open_asleep(&p, 3, 1);
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK_EQUAL(play_rung(&p), 0); /* no task, so no worker is summoned */
  CHECK(!telar_sched_owner_looks_again(p.sched));
  telar_sched_owner_awake(p.sched);
  play_submit(&p, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  summoned_just_now(&p);
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK_EQUAL(play_rung(&p), 0); /* it is given time */
  CHECK(telar_sched_owner_looks_again(p.sched));
  telar_sched_owner_awake(p.sched);
  summoned_long_ago(&p);
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK(!telar_sched_owner_looks_again(p.sched));
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  telar_sched_owner_awake(p.sched);
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK_EQUAL(play_rung(&p), 0); /* the task was claimed */
  play_park(&p, 0);              /* now it responds: its count in searching is gone */
  telar_sched_owner_awake(p.sched);
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  /* There is no worker left to summon: searching does not stay raised either. */
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
  CHECK_EQUAL(play_rung(&p), 0); /* rung once for each sleep */
  CHECK_EQUAL(play_next(&p, 2, NONE), 0);
  CHECK_EQUAL(play_next(&p, 2, NONE), 1);
  CHECK_EQUAL(play_next(&p, 2, NONE), TELAR_NEXT_PARK);
  /* Without a free place it is woken for its lane only. */
  play_submit(&p, 2);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  CHECK_EQUAL(play_next(&p, 0, NONE), 2);
  CHECK_STATUS(sched_submit_to(p.sched, 3, 2, TELAR_LANE_FORCED), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  CHECK_EQUAL(play_next(&p, 2, NONE), 3);
  /* Awake: it checks by itself. */
  CHECK_STATUS(sched_submit_to(p.sched, 4, 2, TELAR_LANE_FORCED), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), 0);
  CHECK_EQUAL(play_next(&p, 2, NONE), 4);
  play_close(&p);
}

/* A worker that is woken for its lane does not respond to the ready queue. */
static void a_task_does_not_wait_for_a_worker_woken_for_its_lane(void) {
  play p;
  open_asleep(&p, 2, 1);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(play_next(&p, 1, NONE), 1);
  play_close(&p);

  /* There is no other worker: the attempt to summon one fails at once, and the task is run
   * later. */
  open_asleep(&p, 1, 1);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  play_submit(&p, 1);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(play_next(&p, 0, 0), 1);
  play_close(&p);
}

/* A worker that was summoned to search finds a task in its lane first. */
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

/* The same if its places are taken: reserved for a task that is not in the lane yet. */
static void passes_the_search_on_when_it_has_no_place(void) {
  play p;
  open_asleep(&p, 2, 1);
  play_submit(&p, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  atomic_store(&p.sched->workers[0].usage, 1); /* as the owner does between reserve and submit_to */
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_PARK);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  play_close(&p);
}

/* A worker that checked while its places were reserved sleeps as full. It must be woken when they
 * are given back. */
static void is_woken_when_a_reserved_place_is_given_back(void) {
  play p;
  play_open(&p, play_config(8, 2, 1));
  play_hire_many(&p, 2);
  uint32_t places = 0;
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_SHARED, &places), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_PARK);
  play_submit(&p, 1);
  CHECK_EQUAL(play_next(&p, 1, NONE), 1);
  play_submit(&p, 2);
  CHECK_EQUAL(play_rung(&p), 0); /* both workers are full */
  CHECK_STATUS(telar_sched_unreserve(p.sched, 0, places), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  CHECK_EQUAL(play_next(&p, 0, NONE), 2);
  play_park(&p, 1);
  CHECK(play_is_asleep(play_next(&p, 0, 2)));
  play_rung(&p);
  /* A worker that sleeps with free places does not have to be woken. */
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_SHARED, &places), TELAR_OK);
  CHECK_STATUS(telar_sched_unreserve(p.sched, 0, places), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), 0);
  play_close(&p);
}

/* The same between its check for a place and its sleep. */
static void give_back_when_1_is_woken(void *context, uint32_t worker) {
  play_count_ring(context, worker);
  if (worker == 1) CHECK_STATUS(telar_sched_unreserve(((play *)context)->sched, 0, 1), TELAR_OK);
}

static void does_not_park_as_full_when_a_place_was_given_back(void) {
  play p;
  telar_sched_config config = play_config(8, 2, 1);
  config.wake = give_back_when_1_is_woken;
  play_open(&p, config);
  play_hire_many(&p, 2);
  play_park(&p, 0);
  play_park(&p, 1);
  play_submit(&p, 0);
  CHECK_EQUAL(play_rung(&p), WORKER(0));
  uint32_t places = 0;
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_SHARED, &places), TELAR_OK);
  /* It has no place for the task that it was summoned for, and passes the search on. */
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  play_close(&p);
}

/* --- the last check ------------------------------------------------------------------------ */

/* What the owner does between a worker's check for work and its sleep: the owner watches for a free
 * place, is rung in just that moment, and acts at once. */
typedef struct moment {
  play play; /* first: the context of the bells points to both */
  void (*act)(play *p);
} moment;

static void act_in_the_moment(void *context, uint32_t worker) {
  moment *m = context;
  play_count_ring(&m->play, worker);
  if (worker == NONE) m->act(&m->play);
}

/* The result of next() for worker 0, which has just run out of work. */
static int32_t runs_out_of_work_while(moment *m, void (*act)(play *p)) {
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
  CHECK_EQUAL(m->play.rings[0], 0); /* still awake: nothing rings it */
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

static void checks_once_more_before_it_sleeps(void) {
  moment m;
  CHECK_EQUAL(runs_out_of_work_while(&m, submit_1), 1);
  CHECK_EQUAL(runs_out_of_work_while(&m, submit_1_to_0), 1);
  CHECK_EQUAL(runs_out_of_work_while(&m, close_0), TELAR_NEXT_CLOSED);
  CHECK_EQUAL(runs_out_of_work_while(&m, close_idle_0), TELAR_NEXT_CLOSED);
  CHECK_EQUAL(runs_out_of_work_while(&m, nothing_happens), TELAR_NEXT_STANDBY);
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
  /* The task is completed, and no other one claimed. */
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

/* Whatever a worker was doing when it died, the next task wakes another worker. */
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
      if (left == 1) { /* otherwise the dead worker's search is continued */
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
    /* Every count is exact again. */
    CHECK_EQUAL(atomic_load(&p.sched->searching), 0);
    CHECK_EQUAL(atomic_load(&p.sched->awake), 0);
    CHECK_EQUAL(atomic_load(&p.sched->standby), 0);
    play_close(&p);
  }
}

/* --- short tasks, and the standby worker
 * -------------------------------------------------------- */

static void one_stands_by_while_the_pool_is_in_use(void) {
  play p;
  open_asleep(&p, 3, 1);
  play_submit(&p, 0);
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  CHECK_EQUAL(play_next(&p, 1, 0), TELAR_NEXT_STANDBY);
  play_rung(&p);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_PARK); /* one standby worker is enough */
  CHECK_EQUAL(play_next(&p, 2, NONE), TELAR_NEXT_PARK);
  /* Its timer has expired and no task came: the pool is not in use. */
  CHECK_EQUAL(play_next(&p, 1, NONE), TELAR_NEXT_PARK);
  CHECK_EQUAL(play_next(&p, 1, NONE), TELAR_NEXT_PARK);
  PLAY_DRAINS(&p, 0);
  /* When it is woken for something else, the next worker may stand by. */
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
  CHECK_EQUAL(play_rung(p),
              WORKER(0)); /* no worker is awake: even with short tasks, one must be woken */
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

/* The tasks were not short after all: the standby worker wakes the third worker. */
static void the_standby_worker_passes_the_search_on(void) {
  play p;
  open_lazy(&p, 3);
  play_submit(&p, 1);
  play_submit(&p, 2);
  CHECK_EQUAL(play_rung(&p), 0);
  CHECK_EQUAL(play_next(&p, 1, NONE), 1); /* its millisecond has passed */
  CHECK_EQUAL(play_rung(&p), WORKER(2));
  CHECK_EQUAL(play_next(&p, 2, NONE), 2);
  play_close(&p);

  open_lazy(&p, 3);
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), 0);
  CHECK_STATUS(sched_submit_to(p.sched, 2, 1, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  CHECK_EQUAL(play_next(&p, 1, NONE), 2); /* woken for its lane */
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

static void short_tasks_wake_a_worker_when_none_stands_by(void) {
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

/* The only worker that was awake has died: no worker would come to take the task. */
static void the_dead_are_not_awake(void) {
  play p;
  open_lazy(&p, 3);
  retire(&p, 0, 1);
  CHECK_EQUAL(play_rung(&p), 0);
  play_submit(&p, 1);
  CHECK_EQUAL(play_rung(&p), WORKER(1));
  play_close(&p);
}

/* Tasks that take long end the rule for short tasks. */
static void long_tasks_wake_a_second_worker_again(void) {
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

/* Tasks are short, and worker 0 holds that many of them; worker 1 sleeps. */
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
  /* There are results already: the owner does not sleep or nap. */
  telar_sched_owner_awake(p.sched);
  CHECK(!telar_sched_owner_nap(p.sched, &naps));
  completes(&p, 20, 40);
  CHECK_EQUAL(p.owner_rings, 1);
  play_close(&p);
}

static void a_nap_ends_when_a_worker_runs_out_of_work(void) {
  play p;
  bool naps = false;
  open_napping(&p, 40);
  CHECK(telar_sched_owner_nap(p.sched, &naps) && naps);
  play_park(&p, 1);
  CHECK_EQUAL(p.owner_rings, 0); /* there are no results */
  telar_sched_owner_awake(p.sched);
  CHECK(telar_sched_owner_nap(p.sched, &naps) && naps);
  completes(&p, 0, 2);
  CHECK_EQUAL(p.owner_rings, 0);
  play_park(&p, 1);
  CHECK_EQUAL(p.owner_rings, 1);
  play_close(&p);
}

static void an_owner_may_sleep_after_a_nap(void) {
  play p;
  bool naps = false;
  open_napping(&p, 40);
  CHECK(telar_sched_owner_nap(p.sched, &naps) && naps);
  telar_sched_owner_awake(p.sched);
  CHECK(telar_sched_owner_sleep(p.sched));
  completes(&p, 0, 1);
  CHECK_EQUAL(p.owner_rings, 1); /* the first completion, as in a normal sleep */
  play_close(&p);
}

static void a_few_tasks_are_not_worth_a_nap(void) {
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

  /* Or while it is not known how long tasks take. */
  naps = true;
  open_asleep(&p, 1, 64);
  for (uint32_t i = 0; i < 40; i++) play_submit(&p, i);
  CHECK(telar_sched_owner_nap(p.sched, &naps) && !naps);
  play_close(&p);
}

int main(void) {
  check_deadline(60);
  wakes_one_that_wakes_the_next();
  wakes_across_words_of_the_idle_map();
  finds_unpublished_tasks();
  passes_the_search_on_for_unpublished_tasks();
  finds_nothing_and_can_be_summoned_again();
  summons_first_those_that_run_nothing();
  summons_another_when_the_first_does_not_respond();
  a_lane_wakes_its_worker_and_no_other();
  a_task_does_not_wait_for_a_worker_woken_for_its_lane();
  passes_the_search_on_when_its_lane_comes_first();
  passes_the_search_on_when_it_has_no_place();
  is_woken_when_a_reserved_place_is_given_back();
  does_not_park_as_full_when_a_place_was_given_back();
  checks_once_more_before_it_sleeps();
  yields_when_its_time_slice_is_over();
  a_search_does_not_end_with_the_time_slice();
  close_wakes_the_worker();
  a_worker_that_is_closed_passes_the_search_on();
  cancel_wakes_the_worker_that_is_to_end();
  the_dead_are_not_waited_for();
  one_stands_by_while_the_pool_is_in_use();
  short_tasks_wake_no_second_worker();
  the_standby_worker_passes_the_search_on();
  short_tasks_wake_a_worker_when_none_stands_by();
  the_dead_do_not_stand_by();
  the_dead_are_not_awake();
  long_tasks_wake_a_second_worker_again();
  a_nap_ends_when_a_quarter_is_done();
  a_nap_ends_when_a_worker_runs_out_of_work();
  an_owner_may_sleep_after_a_nap();
  a_few_tasks_are_not_worth_a_nap();
  return 0;
}
