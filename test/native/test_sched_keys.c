/*
 * Keys and agendas: tasks of one key run on one worker, one after the other, in their order, also
 * when workers end, tasks are cancelled, and priorities differ. Played in one thread.
 */
#include "check.h"

#include "sched_play.h"

enum { SLOTS = 256 };

static void submit(play *p, uint32_t slot, uint32_t key, int32_t priority) {
  telar_sched_route route = {.priority = priority, .key = key, .worker = NONE};
  CHECK_STATUS(telar_sched_submit_routed(p->sched, slot, &route, true, 0), TELAR_OK);
}

static void bind_to(play *p, uint32_t slot, uint32_t worker, int32_t priority,
                    telar_lane_mode mode) {
  telar_sched_route route = {.priority = priority, .key = NONE, .worker = worker, .mode = mode};
  CHECK_STATUS(telar_sched_submit_routed(p->sched, slot, &route, true, 0), TELAR_OK);
}

static void starts(play *p, uint32_t worker, uint32_t done, uint32_t wanted) {
  CHECK_EQUAL(play_next(p, worker, done), wanted);
}

static uint32_t retire(play *p, uint32_t worker, uint32_t *out, uint32_t *claimed) {
  return telar_sched_worker_retire(p->sched, worker, out, PLAY_SLOTS_MOST, claimed);
}

static void one_worker_in_order(void) {
  play p;
  play_open(&p, play_config(SLOTS, 3, 1));
  play_hire_many(&p, 3);
  for (uint32_t i = 0; i < 3; i++) play_park(&p, i);
  for (uint32_t i = 0; i < 4; i++) submit(&p, i, 77, 0);
  CHECK_EQUAL(play_rung(&p), 1); /* the worker that has the key, once */
  CHECK_EQUAL(telar_sched_ready_length(p.sched), 0);
  for (uint32_t i = 1; i < 3; i++) CHECK(play_is_asleep(play_next(&p, i, NONE)));
  starts(&p, 0, NONE, 0);
  for (uint32_t i = 1; i < 4; i++) starts(&p, 0, i - 1, i);
  CHECK(play_is_asleep(play_next(&p, 0, 3)));
  PLAY_DRAINS(&p, 0, 1, 2, 3);
  submit(&p, 9, 77, 0); /* the same worker again, although another one is as idle */
  CHECK_EQUAL(play_rung(&p), 1);
  play_close(&p);
}

/* One after the other, even if the worker has places for more. */
static void one_at_a_time(void) {
  play p;
  play_open(&p, play_config(SLOTS, 1, 3));
  play_hire(&p);
  submit(&p, 0, 1, 0);
  submit(&p, 1, 1, 100);
  submit(&p, 2, 2, -5);
  starts(&p, 0, NONE, 0);
  starts(&p, 0, NONE, 2);
  CHECK(play_is_asleep(play_next(&p, 0, NONE)));
  CHECK_STATUS(telar_sched_complete(p.sched, 0, 0), TELAR_OK);
  starts(&p, 0, NONE, 1);
  submit(&p, 3, 1, 0);
  CHECK(play_is_asleep(play_next(&p, 0, NONE)));
  starts(&p, 0, 1, 3);
  play_close(&p);
}

static void order_of_a_key_is_above_priority(void) {
  play p;
  play_open(&p, play_config(SLOTS, 1, 1));
  play_hire(&p);
  submit(&p, 0, 1, -10);
  submit(&p, 1, 1, 50);
  submit(&p, 2, 2, 20);
  CHECK_STATUS(telar_sched_submit(p.sched, 3, false, 0), TELAR_OK);
  submit(&p, 4, 2, 20);
  starts(&p, 0, NONE, 2);
  starts(&p, 0, 2, 4);
  starts(&p, 0, 4, 3);
  starts(&p, 0, 3, 0);
  starts(&p, 0, 0, 1);
  CHECK(play_is_asleep(play_next(&p, 0, 1)));
  play_close(&p);
}

/* Of the same priority, the older one goes first, whether it has a key or not. */
static void takes_turns_with_others_by_age(void) {
  play p;
  play_open(&p, play_config(SLOTS, 1, 1));
  play_hire(&p);
  for (uint32_t i = 0; i < 6; i++) {
    telar_sched_route route = {.key = i % 2 == 0 ? i : NONE, .worker = NONE};
    CHECK_STATUS(telar_sched_submit_routed(p.sched, i, &route, true, 1000 + i), TELAR_OK);
  }
  uint32_t done = NONE;
  for (uint32_t i = 0; i < 6; i++) {
    starts(&p, 0, done, i);
    done = i;
  }
  play_close(&p);
}

static void keys_spread_evenly(void) {
  play p;
  play_open(&p, play_config(SLOTS, 4, 1));
  play_hire_many(&p, 4);
  for (uint32_t i = 0; i < 100; i++) submit(&p, i, i * 7919, 0);
  for (uint32_t i = 0; i < 4; i++) CHECK_EQUAL(p.sched->workers[i].keys, 25);
  play_close(&p);
}

static uint32_t finish_all(play *p, uint32_t workers, uint32_t *ran_by) {
  uint32_t count = 0, out[SLOTS];
  for (uint32_t w = 0; w < workers; w++) {
    int32_t slot;
    for (uint32_t done = NONE; (slot = play_next(p, w, done)) >= 0; done = (uint32_t)slot) {
      ran_by[slot] = w;
    }
  }
  for (uint32_t n; (n = telar_sched_drain(p->sched, out, SLOTS)) > 0;) count += n;
  return count;
}

/* New workers get keys of the old ones, but none that has tasks; and no more than their share. */
static void keys_move_to_new_workers(void) {
  play p;
  uint32_t ran_by[SLOTS] = {0};
  play_open(&p, play_config(SLOTS, 3, 1));
  play_hire(&p);
  for (uint32_t i = 0; i < 8; i++) submit(&p, i, i, 0);
  CHECK_EQUAL(play_hire(&p), 1);
  submit(&p, 100, 0, 0); /* key 0 has a task: it stays */
  CHECK_EQUAL(finish_all(&p, 2, ran_by), 9);
  CHECK_EQUAL(ran_by[100], 0);
  for (uint32_t lap = 0; lap < 2; lap++) {
    for (uint32_t i = 0; i < 8; i++) submit(&p, i, i, 0);
    CHECK_EQUAL(p.sched->workers[0].keys, 4);
    CHECK_EQUAL(p.sched->workers[1].keys, 4);
    CHECK_EQUAL(finish_all(&p, 2, ran_by), 8);
    for (uint32_t i = 0; i < 8; i++) CHECK_EQUAL(ran_by[i], i < 4 ? 1 : 0);
  }
  play_close(&p);
}

/* Its tasks go to another worker in their order; what it ran comes back, as do bound tasks. */
static void a_dead_worker_leaves_its_keys(void) {
  play p;
  uint32_t out[SLOTS], claimed, worker;
  play_open(&p, play_config(SLOTS, 2, 2));
  play_hire_many(&p, 2);
  submit(&p, 0, 5, 0);
  submit(&p, 1, 6, 0);
  for (uint32_t i = 2; i < 7; i++) submit(&p, i, 5, (int32_t)i);
  bind_to(&p, 10, 0, 0, TELAR_LANE_SHARED);
  bind_to(&p, 11, 0, 0, TELAR_LANE_SHARED);
  starts(&p, 0, NONE, 0); /* collects its inbox */
  submit(&p, 7, 5, 100);  /* and this one is still there */
  CHECK_EQUAL(telar_sched_cancel(p.sched, 3, &worker), TELAR_CANCEL_QUEUED);
  CHECK_EQUAL(retire(&p, 0, out, &claimed), 4);
  CHECK_EQUAL(claimed, 1);
  CHECK_EQUAL(out[0], 0);
  CHECK(out[1] == 3 && out[2] == 10 && out[3] == 11);
  CHECK(p.owner_rings > 0);
  submit(&p, 8, 5, 0); /* after the others, although these have no worker yet */
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 7);
  play_drains_nothing(&p);
  CHECK_EQUAL(p.sched->workers[1].keys, 2);
  starts(&p, 1, NONE, 2);
  starts(&p, 1, NONE, 1);
  static const uint32_t wanted[] = {4, 5, 6, 7, 8};
  uint32_t done = 2;
  for (uint32_t i = 0; i < 5; i++) {
    starts(&p, 1, done, wanted[i]);
    done = wanted[i];
  }
  CHECK(play_is_asleep(play_next(&p, 1, done)));
  CHECK_EQUAL(p.sched->workers[1].routed, 7);
  CHECK_STATUS(telar_sched_complete(p.sched, 1, 1), TELAR_OK);
  PLAY_DRAINS(&p, 2, 4, 5, 6, 7, 8, 1);
  CHECK_EQUAL(p.sched->workers[1].routed, 0);
  for (uint32_t i = 0; i < TELAR_SCHED_KEYS; i++) CHECK_EQUAL(p.sched->keys[i].outstanding, 0);
  play_close(&p);
}

/* Without a worker, tasks with keys wait, and can be taken back. */
static void waits_for_a_worker(void) {
  play p;
  uint32_t out[SLOTS], claimed, worker;
  play_open(&p, play_config(SLOTS, 2, 1));
  submit(&p, 0, 5, 0);
  submit(&p, 1, 5, 9);
  submit(&p, 2, 6, 0);
  CHECK_EQUAL(telar_sched_hold_key(p.sched, 5), NONE);
  CHECK_EQUAL(telar_sched_pick_worker(p.sched), NONE);
  CHECK_EQUAL(telar_sched_withdraw(p.sched, out, SLOTS), 3);
  CHECK(out[0] == 0 && out[1] == 1 && out[2] == 2);
  for (uint32_t i = 0; i < 3; i++) CHECK_STATUS(telar_sched_resubmit(p.sched, i), TELAR_OK);
  CHECK_EQUAL(telar_sched_cancel(p.sched, 2, &worker), TELAR_CANCEL_QUEUED);
  play_hire(&p);
  CHECK_EQUAL(p.owner_rings, 1);
  CHECK(play_is_asleep(play_next(&p, 0, NONE)));
  play_drains_nothing(&p); /* this places them */
  CHECK_EQUAL(play_rung(&p), 1);
  starts(&p, 0, NONE, 0);
  starts(&p, 0, 0, 1);
  CHECK(play_is_asleep(play_next(&p, 0, 1)));
  PLAY_DRAINS(&p, 0, 1, 2);
  /* The last worker goes, with a task in its agenda. */
  submit(&p, 3, 5, 0);
  CHECK(!telar_sched_worker_close_idle(p.sched, 0)); /* it has that task to do */
  telar_sched_worker_close(p.sched, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_CLOSED);
  CHECK_EQUAL(retire(&p, 0, out, &claimed), 0);
  play_drains_nothing(&p);
  CHECK_EQUAL(telar_sched_withdraw(p.sched, out, SLOTS), 1);
  CHECK_EQUAL(out[0], 3);
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 0);
  play_close(&p);
}

/* A worker that leaves runs the tasks of its agenda. Later ones of their keys wait until these have
 * ended, and then go to another worker. */
static void a_leaving_worker_finishes_its_keys(void) {
  play p;
  play_open(&p, play_config(SLOTS, 2, 1));
  play_hire_many(&p, 2);
  submit(&p, 0, 7, 0);
  submit(&p, 1, 7, 0);
  starts(&p, 0, NONE, 0);
  telar_sched_worker_leave(p.sched, 0);
  submit(&p, 2, 7, 0);
  submit(&p, 3, 8, 0);
  CHECK_STATUS(telar_sched_submit(p.sched, 4, false, 0), TELAR_OK);
  starts(&p, 0, 0, 1);
  starts(&p, 1, NONE, 3);
  PLAY_DRAINS(&p, 0);
  CHECK_EQUAL(play_next(&p, 0, 1), TELAR_NEXT_LEFT);
  starts(&p, 1, 3, 4); /* task 2 still waits */
  PLAY_DRAINS(&p, 1, 3);
  starts(&p, 1, 4, 2);
  PLAY_DRAINS(&p, 4);
  CHECK(play_is_asleep(play_next(&p, 1, 2)));
  PLAY_DRAINS(&p, 2);
  play_close(&p);
}

static void a_worker_may_end_while_it_leaves(void) {
  play p;
  uint32_t out[PLAY_SLOTS_MOST], claimed;
  play_open(&p, play_config(SLOTS, 2, 1));
  play_hire_many(&p, 2);
  submit(&p, 0, 7, 0);
  submit(&p, 1, 7, 0);
  starts(&p, 0, NONE, 0);
  telar_sched_worker_leave(p.sched, 0);
  submit(&p, 2, 7, 0);
  CHECK_EQUAL(retire(&p, 0, out, &claimed), 1);
  CHECK_EQUAL(out[0], 0);
  play_drains_nothing(&p);
  starts(&p, 1, NONE, 1);
  starts(&p, 1, 1, 2);
  play_close(&p);
}

static void cancelled_tasks_let_the_next_follow(void) {
  play p;
  uint32_t worker;
  play_open(&p, play_config(SLOTS, 1, 2));
  play_hire(&p);
  for (uint32_t i = 0; i < 4; i++) submit(&p, i, 5, 0);
  CHECK_EQUAL(telar_sched_cancel(p.sched, 0, &worker), TELAR_CANCEL_QUEUED);
  CHECK_EQUAL(telar_sched_cancel(p.sched, 2, &worker), TELAR_CANCEL_QUEUED);
  starts(&p, 0, NONE, 1);
  starts(&p, 0, 1, 3);
  CHECK_EQUAL(telar_sched_cancel(p.sched, 3, &worker), TELAR_CANCEL_RUNNING);
  CHECK_EQUAL(worker, 0);
  CHECK_EQUAL(play_next(&p, 0, 3), TELAR_NEXT_CLOSED);
  PLAY_DRAINS(&p, 0, 1, 2, 3);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 0);
  play_close(&p);
}

static void a_held_key_stays(void) {
  play p;
  play_open(&p, play_config(SLOTS, 2, 1));
  play_hire_many(&p, 2);
  CHECK_EQUAL(telar_sched_hold_key(p.sched, 5), 0);
  telar_sched_route route = {.key = 5, .worker = 1};
  CHECK_STATUS(telar_sched_submit_routed(p.sched, 0, &route, true, 0), TELAR_INVALID);
  route.worker = 0;
  CHECK_STATUS(telar_sched_submit_routed(p.sched, 0, &route, true, 0), TELAR_OK);
  CHECK_EQUAL(telar_sched_hold_key(p.sched, 6), 1);
  telar_sched_release_key(p.sched, 6);
  starts(&p, 0, NONE, 0);
  CHECK(play_is_asleep(play_next(&p, 0, 0)));
  PLAY_DRAINS(&p, 0);
  CHECK_EQUAL(p.sched->keys[5].outstanding + p.sched->keys[6].outstanding, 0);
  play_close(&p);
}

static void bound_tasks_run_where_they_belong(void) {
  play p;
  play_open(&p, play_config(SLOTS, 2, 1));
  play_hire_many(&p, 2);
  bind_to(&p, 0, 1, 0, TELAR_LANE_SHARED);
  bind_to(&p, 1, 1, 5, TELAR_LANE_SHARED);
  CHECK_EQUAL(telar_sched_pick_worker(p.sched), 0);
  CHECK(play_is_asleep(play_next(&p, 0, NONE)));
  starts(&p, 1, NONE, 1);
  starts(&p, 1, 1, 0);
  play_close(&p);
}

/* A task that needs all places stops its worker from starting others until they are free. */
static void an_exclusive_task_gets_its_worker(void) {
  play p;
  play_open(&p, play_config(SLOTS, 2, 3));
  play_hire(&p);
  play_submit(&p, 0);
  starts(&p, 0, NONE, 0);
  bind_to(&p, 1, 0, 1, TELAR_LANE_EXCLUSIVE);
  play_submit(&p, 2);
  play_rung(&p);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_PARK);
  CHECK_EQUAL(atomic_load(&p.sched->workers[0].sleeper), PARKED_FULL);
  play_submit(&p, 3);
  CHECK_EQUAL(play_rung(&p), 0); /* a ring would be in vain */
  starts(&p, 0, 0, 1);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 3);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_PARK);
  starts(&p, 0, 1, 2);
  starts(&p, 0, NONE, 3);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 2);
  play_close(&p);
}

/* Runs a task on a worker that is busy with no other one. `ran`: how long that took. */
static void runs_for(play *p, uint32_t worker, uint64_t ran) {
  play_submit(p, SLOTS - 1);
  starts(p, worker, NONE, SLOTS - 1);
  CHECK(play_is_asleep(play_next(p, worker, SLOTS - 1)));
  p->sched->slots[SLOTS - 1].ran_ns = ran;
  PLAY_DRAINS(p, SLOTS - 1);
}

static void only_short_tasks_are_bound_ahead(void) {
  play p;
  uint32_t bound = 0;
  play_open(&p, play_config(SLOTS, 2, 1));
  play_hire_many(&p, 2);
  for (int i = 0; i < 200; i++) runs_for(&p, 0, 1000);
  CHECK_EQUAL(telar_sched_pick_ahead(p.sched), NONE); /* no worker is ready */
  for (uint32_t i = 0; i < 2; i++) telar_sched_worker_set_ready(p.sched, i);
  CHECK_EQUAL(telar_sched_pick_ahead(p.sched), 0);
  bind_to(&p, 0, 0, 0, TELAR_LANE_SHARED);
  CHECK_EQUAL(telar_sched_pick_ahead(p.sched), 1); /* it has fewer */
  for (uint32_t worker; (worker = telar_sched_pick_ahead(p.sched)) != NONE; bound++) {
    CHECK(bound < SLOTS / 2);
    bind_to(&p, bound + 1, worker, 0, TELAR_LANE_SHARED);
  }
  CHECK(bound > 8 && bound < 24); /* a few for each worker */
  play_close(&p);
}

static void no_task_is_bound_ahead_where_another_worker_may_be_faster(void) {
  play p;
  play_open(&p, play_config(SLOTS, 1, 1));
  play_hire(&p);
  telar_sched_worker_set_ready(p.sched, 0);
  CHECK_EQUAL(telar_sched_pick_ahead(p.sched), NONE); /* nothing is known */
  for (int i = 0; i < 200; i++) runs_for(&p, 0, 1000);
  CHECK_EQUAL(telar_sched_pick_ahead(p.sched), 0);
  play_submit(&p, 0);
  CHECK_EQUAL(telar_sched_pick_ahead(p.sched), NONE); /* it is older, and any worker may take it */
  starts(&p, 0, NONE, 0);
  CHECK_EQUAL(telar_sched_pick_ahead(p.sched), 0);
  CHECK(play_is_asleep(play_next(&p, 0, 0)));
  PLAY_DRAINS(&p, 0);
  runs_for(&p, 0, AHEAD_NS + 1);
  CHECK_EQUAL(telar_sched_pick_ahead(p.sched), NONE);
  for (int i = 0; i < 200; i++) runs_for(&p, 0, 1000);
  CHECK_EQUAL(telar_sched_pick_ahead(p.sched), 0);
  CHECK_STATUS(telar_sched_limit(p.sched, 1, 0, UINT64_MAX / 2), TELAR_OK);
  play_submit(&p, 1);
  starts(&p, 0, NONE, 1);
  CHECK_EQUAL(telar_sched_pick_ahead(p.sched), NONE); /* to stop it, its worker may be ended */
  play_close(&p);
}

/* A worker that is full is not woken for its agenda, and looks at it as soon as it has a place. */
static void a_full_worker_sleeps_on(void) {
  play p;
  play_open(&p, play_config(SLOTS, 1, 1));
  play_hire(&p);
  play_submit(&p, 0);
  starts(&p, 0, NONE, 0);
  play_rung(&p);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_PARK);
  submit(&p, 1, 5, 100);
  CHECK_EQUAL(play_rung(&p), 0);
  starts(&p, 0, 0, 1);
  play_close(&p);
}

static void the_aged_bound_holds_for_agendas(void) {
  play p;
  play_open(&p, play_config(SLOTS, 1, 1));
  play_hire(&p);
  uint64_t long_ago = telar_os_now_ns() - 2 * TELAR_SCHED_AGED_NS;
  telar_sched_route low = {.priority = -100, .key = 3, .worker = NONE};
  telar_sched_route high = {.priority = 100, .key = NONE, .worker = NONE};
  CHECK_STATUS(telar_sched_submit_routed(p.sched, 0, &low, true, long_ago), TELAR_OK);
  uint32_t starts = 0;
  for (uint32_t done = NONE; done != 0; starts++) {
    CHECK_STATUS(telar_sched_submit_routed(p.sched, starts + 1, &high, true, 0), TELAR_OK);
    int32_t slot = play_next(&p, 0, done);
    CHECK(slot >= 0);
    done = (uint32_t)slot;
  }
  CHECK(starts > 1 && starts <= TELAR_SCHED_AGED_TURN);
  play_close(&p);
}

int main(void) {
  one_worker_in_order();
  one_at_a_time();
  order_of_a_key_is_above_priority();
  takes_turns_with_others_by_age();
  keys_spread_evenly();
  keys_move_to_new_workers();
  a_dead_worker_leaves_its_keys();
  waits_for_a_worker();
  a_leaving_worker_finishes_its_keys();
  a_worker_may_end_while_it_leaves();
  cancelled_tasks_let_the_next_follow();
  a_held_key_stays();
  bound_tasks_run_where_they_belong();
  an_exclusive_task_gets_its_worker();
  only_short_tasks_are_bound_ahead();
  no_task_is_bound_ahead_where_another_worker_may_be_faster();
  a_full_worker_sleeps_on();
  the_aged_bound_holds_for_agendas();
  return 0;
}
