/*
 * Priorities: which of the waiting tasks a worker starts next, and how long one of the lowest
 * priority may wait. Played in one thread.
 */
#include "check.h"

#include "sched_play.h"

enum { SLOTS = 256 };

static void submit_at(play *p, uint32_t slot, int32_t priority, uint64_t created_ns) {
  telar_sched_route route = {.priority = priority, .key = NONE, .worker = NONE};
  CHECK_STATUS(telar_sched_submit_routed(p->sched, slot, &route, false, created_ns), TELAR_OK);
}

static void submit(play *p, uint32_t slot, int32_t priority) {
  submit_at(p, slot, priority, 0);
}

static void starts(play *p, uint32_t worker, uint32_t done, uint32_t wanted) {
  CHECK_EQUAL(play_next(p, worker, done), wanted);
}

static void highest_first_then_oldest(void) {
  play p;
  play_open(&p, play_config(SLOTS, 1, 1));
  play_hire(&p);
  static const int32_t priorities[] = {0, -100, 100, 7, 0, 100, -1, 7, -100, 1};
  static const uint32_t wanted[] = {2, 5, 3, 7, 9, 0, 4, 6, 1, 8};
  for (uint32_t i = 0; i < 10; i++) {
    if (priorities[i] == 0 && i == 4) {
      CHECK_STATUS(telar_sched_submit(p.sched, i, true, 0), TELAR_OK);
    } else {
      submit(&p, i, priorities[i]);
    }
  }
  CHECK_EQUAL(telar_sched_ready_length(p.sched), 10);
  uint32_t done = NONE;
  for (uint32_t i = 0; i < 10; i++) {
    starts(&p, 0, done, wanted[i]);
    done = wanted[i];
  }
  CHECK(play_is_asleep(play_next(&p, 0, done)));
  PLAY_DRAINS(&p, 2, 5, 3, 7, 9, 0, 4, 6, 1, 8);
  play_close(&p);
}

/* A priority that was used may be used again, after the queue of priority 0 was alone for a while,
 * and each of all priorities may wait at the same time. */
static void every_priority_again_and_again(void) {
  play p;
  play_open(&p, play_config(SLOTS, 1, 1));
  play_hire(&p);
  for (uint32_t lap = 0; lap < 3; lap++) {
    for (uint32_t i = 0; i < SCHED_LEVELS; i++) {
      submit(&p, i, (int32_t)(i * 7 % SCHED_LEVELS) + TELAR_SCHED_PRIORITY_MIN);
    }
    CHECK(!sched_ready_is_plain(p.sched->ready));
    uint32_t done = NONE;
    for (uint32_t i = 0; i < SCHED_LEVELS; i++) {
      int32_t slot = play_next(&p, 0, done);
      CHECK(slot >= 0);
      CHECK_EQUAL((uint32_t)slot * 7 % SCHED_LEVELS, SCHED_LEVELS - 1 - i);
      done = (uint32_t)slot;
    }
    CHECK(play_is_asleep(play_next(&p, 0, done)));
    uint32_t out[SLOTS];
    CHECK_EQUAL(telar_sched_drain(p.sched, out, SLOTS), SCHED_LEVELS);
    CHECK(telar_sched_owner_sleep(p.sched));
    telar_sched_owner_awake(p.sched);
    CHECK(sched_ready_is_plain(p.sched->ready)); /* so that a pool that stops using them is fast */
    for (uint32_t i = 0; i < 9; i++) {
      CHECK_STATUS(telar_sched_submit(p.sched, i, false, 0), TELAR_OK);
      starts(&p, 0, NONE, i);
      CHECK_STATUS(telar_sched_complete(p.sched, 0, i), TELAR_OK);
    }
    CHECK_EQUAL(telar_sched_drain(p.sched, out, SLOTS), 9);
    play_park(&p, 0);
  }
  play_close(&p);
}

/* The bound that sched.h states: a task that has waited for TELAR_SCHED_AGED_NS, with k older ones
 * before it, is started after at most TELAR_SCHED_AGED_TURN * (k + 1) starts. */
static void an_aged_task_is_not_passed_forever(uint32_t older) {
  play p;
  play_open(&p, play_config(SLOTS, 1, 1));
  play_hire(&p);
  uint64_t long_ago = telar_os_now_ns() - 2 * TELAR_SCHED_AGED_NS;
  for (uint32_t i = 0; i < older; i++) submit_at(&p, i, -50, long_ago + i);
  submit_at(&p, older, TELAR_SCHED_PRIORITY_MIN, long_ago + older);
  uint32_t done = NONE, starts = 0, slot;
  uint32_t next = older + 1;
  do { /* there is always a task of the highest priority, and one of priority 0 */
    submit(&p, next, starts % 2 == 0 ? TELAR_SCHED_PRIORITY_MAX : 0);
    submit(&p, next + 1, TELAR_SCHED_PRIORITY_MAX);
    next += 2;
    int32_t answer = play_next(&p, 0, done);
    CHECK(answer >= 0);
    slot = done = (uint32_t)answer;
    starts++;
  } while (slot != older);
  CHECK(starts <= TELAR_SCHED_AGED_TURN * (older + 1));
  CHECK(starts > 1); /* priorities count nevertheless */
  play_close(&p);
}

static void a_young_task_is_passed(void) {
  play p;
  play_open(&p, play_config(SLOTS, 1, 1));
  play_hire(&p);
  submit(&p, 0, -1);
  uint32_t done = NONE;
  for (uint32_t i = 1; i <= 3 * TELAR_SCHED_AGED_TURN; i++) {
    submit(&p, i, 0);
    starts(&p, 0, done, i);
    done = i;
  }
  starts(&p, 0, done, 0);
  play_close(&p);
}

static void wakes_a_sleeping_worker(void) {
  play p;
  play_open(&p, play_config(SLOTS, 2, 1));
  play_hire_many(&p, 2);
  play_park(&p, 0);
  play_park(&p, 1);
  submit(&p, 0, -100);
  CHECK_EQUAL(play_rung(&p), 1);
  starts(&p, 0, NONE, 0);
  submit(&p, 1, 100);
  CHECK_EQUAL(play_rung(&p), 2);
  starts(&p, 1, NONE, 1);
  play_close(&p);
}

static void a_worker_does_not_park_over_a_task(void) {
  play p;
  play_open(&p, play_config(SLOTS, 1, 1));
  play_hire(&p);
  submit(&p, 0, -3);
  starts(&p, 0, NONE, 0);
  CHECK(play_is_asleep(play_next(&p, 0, 0)));
  PLAY_DRAINS(&p, 0);
  CHECK(telar_sched_owner_sleep(p.sched));
  telar_sched_owner_awake(p.sched);
  submit(&p, 0, -3); /* the level was swept, and is used again */
  starts(&p, 0, NONE, 0);
  play_close(&p);
}

static void gives_back_in_order(void) {
  play p;
  uint32_t out[8];
  play_open(&p, play_config(SLOTS, 1, 1));
  submit(&p, 0, -3);
  submit(&p, 1, 3);
  CHECK_STATUS(telar_sched_submit(p.sched, 2, false, 0), TELAR_OK);
  CHECK_EQUAL(telar_sched_withdraw(p.sched, out, 8), 3);
  CHECK(out[0] == 1 && out[1] == 2 && out[2] == 0);
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 0);
  for (uint32_t i = 0; i < 3; i++) CHECK_STATUS(telar_sched_resubmit(p.sched, i), TELAR_OK);
  CHECK_STATUS(telar_sched_resubmit(p.sched, 1), TELAR_INVALID);
  play_hire(&p);
  starts(&p, 0, NONE, 1);
  starts(&p, 0, 1, 2);
  starts(&p, 0, 2, 0);
  play_close(&p);
}

static void cancels_one_that_waits(void) {
  play p;
  uint32_t worker;
  play_open(&p, play_config(SLOTS, 1, 1));
  play_hire(&p);
  telar_sched_route route = {.priority = 9, .key = NONE, .worker = NONE};
  CHECK_STATUS(telar_sched_submit_routed(p.sched, 0, &route, true, 0), TELAR_OK);
  submit(&p, 1, 8);
  CHECK_EQUAL(telar_sched_cancel(p.sched, 0, &worker), TELAR_CANCEL_QUEUED);
  starts(&p, 0, NONE, 1);
  PLAY_DRAINS(&p, 0);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 1);
  play_close(&p);
}

static void refuses_what_is_no_route(void) {
  play p;
  play_open(&p, play_config(SLOTS, 2, 1));
  play_hire(&p);
  static const telar_sched_route wrong[] = {
      {.priority = 101, .key = NONE, .worker = NONE},
      {.priority = -101, .key = NONE, .worker = NONE},
      {.priority = 0, .key = NONE, .worker = 1},
      {.priority = 0, .key = 5, .worker = 0}, /* the key is not held */
      {.priority = 0, .key = NONE, .worker = NONE, .mode = TELAR_LANE_EXCLUSIVE},
      {.priority = 0, .key = NONE, .worker = 0, .mode = TELAR_LANE_FORCED},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    CHECK_STATUS(telar_sched_submit_routed(p.sched, 0, &wrong[i], false, 0), TELAR_INVALID);
  }
  telar_sched_route route = {.priority = 1, .key = NONE, .worker = NONE};
  CHECK_STATUS(telar_sched_submit_routed(p.sched, SLOTS, &route, false, 0), TELAR_INVALID);
  submit(&p, 0, 1);
  CHECK_STATUS(telar_sched_submit_routed(p.sched, 0, &route, false, 0), TELAR_INVALID);
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 1);
  play_close(&p);
}

int main(void) {
  highest_first_then_oldest();
  every_priority_again_and_again();
  an_aged_task_is_not_passed_forever(0);
  an_aged_task_is_not_passed_forever(3);
  a_young_task_is_passed();
  wakes_a_sleeping_worker();
  a_worker_does_not_park_over_a_task();
  gives_back_in_order();
  cancels_one_that_waits();
  refuses_what_is_no_route();
  return 0;
}
