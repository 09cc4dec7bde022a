/* sched: a worker that is told to leave finishes what it was given, and takes nothing else. */
#include "sched_play.h"

static uint32_t out[8];

static void an_idle_worker_leaves_at_once(void) {
  play p;
  play_open(&p, play_config(8, 2, 2));
  play_hire_many(&p, 2);
  play_park(&p, 0);
  play_rung(&p);
  telar_sched_worker_leave(p.sched, 0);
  CHECK_EQUAL(p.rings[0], 1); /* it is woken */
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_LEFT);
  CHECK_EQUAL(p.owner_rings, 1);
  CHECK(!telar_sched_worker_is_gone(p.sched, 0));
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_LEFT);
  CHECK_EQUAL(p.owner_rings, 1); /* once */
  telar_sched_worker_set_gone(p.sched, 0);
  CHECK_EQUAL(p.owner_rings, 2);
  CHECK(telar_sched_worker_is_gone(p.sched, 0));
  /* Its index starts anew. */
  uint32_t claimed;
  CHECK_EQUAL(telar_sched_worker_retire(p.sched, 0, out, 8, &claimed), 0);
  CHECK(!telar_sched_worker_is_gone(p.sched, 0));
  CHECK_EQUAL(play_hire(&p), 0);
  play_submit(&p, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  play_close(&p);
}

static void it_claims_from_its_lane_only(void) {
  play p;
  play_open(&p, play_config(8, 2, 3));
  play_hire_many(&p, 2);
  play_submit(&p, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_STATUS(sched_submit_to(p.sched, 1, 0, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_STATUS(sched_submit_to(p.sched, 2, 0, TELAR_LANE_SHARED), TELAR_OK);
  play_submit(&p, 3);
  telar_sched_worker_leave(p.sched, 0);
  CHECK_EQUAL(play_next(&p, 0, 0), 1);
  CHECK_EQUAL(play_next(&p, 0, NONE), 2); /* 1 is asynchronous */
  CHECK(play_is_asleep(play_next(&p, 0, 2)));
  CHECK_STATUS(telar_sched_complete(p.sched, 0, 1), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_LEFT);
  CHECK_EQUAL(play_next(&p, 1, NONE), 3);
  play_close(&p);
}

static void it_waits_for_reserved_places(void) {
  play p;
  uint32_t places;
  play_open(&p, play_config(8, 1, 1));
  play_hire(&p);
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_SHARED, &places), TELAR_OK);
  telar_sched_worker_leave(p.sched, 0);
  play_park(&p, 0);
  play_rung(&p);
  CHECK_STATUS(telar_sched_unreserve(p.sched, 0, places), TELAR_OK);
  CHECK_EQUAL(p.rings[0], 1); /* it is woken for the last place */
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_LEFT);
  play_close(&p);
}

/* It was counted as searching: the search goes on. */
static void a_summoned_worker_passes_the_search_on(void) {
  play p;
  play_open(&p, play_config(8, 2, 1));
  play_hire_many(&p, 2);
  play_park(&p, 0);
  play_park(&p, 1);
  play_rung(&p);
  play_submit(&p, 0);
  CHECK_EQUAL(p.rings[0], 1);
  telar_sched_worker_leave(p.sched, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_LEFT);
  CHECK_EQUAL(p.rings[1], 1);
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  play_close(&p);
}

static void a_cancelled_lane_task_does_not_keep_it(void) {
  play p;
  uint32_t worker;
  play_open(&p, play_config(8, 1, 1));
  play_hire(&p);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  telar_sched_worker_leave(p.sched, 0);
  CHECK_EQUAL(telar_sched_cancel(p.sched, 0, &worker), TELAR_CANCEL_QUEUED);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_LEFT);
  CHECK_EQUAL(telar_sched_drain(p.sched, out, 8), 1);
  play_close(&p);
}

/* An abort that comes too late leaves it as it was; one that comes in time closes it. */
static void an_abort_closes_it_only_in_time(void) {
  play p;
  uint32_t worker;
  play_open(&p, play_config(8, 1, 2));
  play_hire(&p);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 0, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_STATUS(sched_submit_to(p.sched, 1, 0, TELAR_LANE_SHARED), TELAR_OK);
  telar_sched_worker_leave(p.sched, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_STATUS(telar_sched_complete(p.sched, 0, 0), TELAR_OK);
  CHECK_EQUAL(telar_sched_cancel_closing(p.sched, 0, 0, &worker), TELAR_CANCEL_DONE);
  CHECK_EQUAL(play_next(&p, 0, NONE), 1);
  CHECK_EQUAL(telar_sched_cancel_closing(p.sched, 1, 0, &worker), TELAR_CANCEL_RUNNING);
  CHECK_EQUAL(play_next(&p, 0, 1), TELAR_NEXT_CLOSED);
  telar_sched_worker_leave(p.sched, 0); /* too late */
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_CLOSED);
  play_close(&p);
}

static void *no_memory(void *context, uint32_t worker) {
  (void)context;
  (void)worker;
  return NULL;
}

static void asks_for_memory_when_an_index_is_first_used(void) {
  play p;
  uint32_t worker, claimed;
  telar_sched_config config = play_config(8, PLAY_WORKERS_MOST, 1);
  config.timing = true;
  play_open(&p, config);
  play_hire(&p);
  CHECK(p.worker_memory[0] != NULL && p.worker_memory[1] == NULL);
  CHECK_EQUAL(telar_sched_worker_retire(p.sched, 0, out, 8, &claimed), 0);
  play_hire(&p); /* play_worker_memory checks that it is not asked again */
  play_close(&p);

  config.memory = no_memory;
  play_open(&p, config);
  CHECK_STATUS(telar_sched_worker_add(p.sched, &worker), TELAR_NO_MEMORY);
  play_close(&p);
}

int main(void) {
  check_deadline(60);
  an_idle_worker_leaves_at_once();
  it_claims_from_its_lane_only();
  it_waits_for_reserved_places();
  a_summoned_worker_passes_the_search_on();
  a_cancelled_lane_task_does_not_keep_it();
  an_abort_closes_it_only_in_time();
  asks_for_memory_when_an_index_is_first_used();
  return 0;
}
