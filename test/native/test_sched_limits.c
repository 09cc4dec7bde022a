/*
 * sched: tasks that are told to stop, and limits of time. One thread runs the owner and all
 * workers.
 */
#include "sched_play.h"

#define HOUR_NS UINT64_C(3600000000000)
#define NEVER UINT64_MAX

static telar_cancel_result tell(play *p, uint32_t slot, uint32_t expected_worker) {
  uint32_t worker = 77;
  telar_cancel_result result = telar_sched_tell(p->sched, slot, NEVER, &worker);
  CHECK_EQUAL(worker, expected_worker);
  return result;
}

/* --- tell ------------------------------------------------------------------------------ */

static void a_told_task_comes_back_and_its_worker_goes_on(bool with_next) {
  play p;
  play_open(&p, play_config(8, 2, 2));
  play_hire_many(&p, 2);
  for (uint32_t i = 0; i < 3; i++) play_submit(&p, i);
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  CHECK_EQUAL(play_next(&p, 1, NONE), 1);
  CHECK_EQUAL(tell(&p, 0, 1), TELAR_CANCEL_RUNNING);
  CHECK_EQUAL(tell(&p, 0, NONE), TELAR_CANCEL_INVALID); /* only once */
  CHECK(telar_sched_holds(p.sched, 1, 0) && !telar_sched_holds(p.sched, 0, 0));
  CHECK_STATUS(telar_sched_complete(p.sched, 0, 0), TELAR_INVALID);
  play_drains_nothing(&p);
  if (with_next) {
    CHECK_EQUAL(play_next(&p, 1, 0), 2);
  } else {
    CHECK_STATUS(telar_sched_complete(p.sched, 1, 0), TELAR_OK);
    CHECK_EQUAL(play_next(&p, 1, NONE), 2);
  }
  CHECK(!telar_sched_holds(p.sched, 1, 0));
  CHECK_EQUAL(tell(&p, 0, NONE), TELAR_CANCEL_INVALID);
  PLAY_DRAINS(&p, 0);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 1), 2);
  play_close(&p);
}

static void tells_no_task_that_waits_or_has_finished(void) {
  play p;
  play_open(&p, play_config(8, 1, 1));
  play_hire(&p);
  CHECK_EQUAL(tell(&p, 0, NONE), TELAR_CANCEL_INVALID);
  CHECK_EQUAL(tell(&p, 8, NONE), TELAR_CANCEL_INVALID);
  play_submit(&p, 0);
  play_submit(&p, 1);
  CHECK_EQUAL(tell(&p, 0, NONE), TELAR_CANCEL_QUEUED);
  CHECK_EQUAL(play_next(&p, 0, NONE), 1);
  CHECK_STATUS(telar_sched_complete(p.sched, 0, 1), TELAR_OK);
  CHECK_EQUAL(tell(&p, 1, NONE), TELAR_CANCEL_DONE);
  PLAY_DRAINS(&p, 0, 1);
  CHECK_STATUS(telar_sched_submit(p.sched, 2, false, 0), TELAR_OK);
  CHECK_EQUAL(tell(&p, 2, NONE), TELAR_CANCEL_INVALID); /* not cancellable */
  CHECK(!telar_sched_cancel_queued(p.sched, 2));
  play_close(&p);
}

static void a_told_task_may_be_cancelled(void) {
  play p;
  uint32_t worker = NONE;
  play_open(&p, play_config(8, 1, 2));
  play_hire(&p);
  play_submit(&p, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(tell(&p, 0, 0), TELAR_CANCEL_RUNNING);
  CHECK_EQUAL(telar_sched_cancel(p.sched, 0, &worker), TELAR_CANCEL_RUNNING);
  CHECK_EQUAL(worker, 0);
  CHECK(telar_sched_holds(p.sched, 0, 0));
  CHECK_EQUAL(tell(&p, 0, NONE), TELAR_CANCEL_INVALID);
  CHECK_EQUAL(play_next(&p, 0, 0), TELAR_NEXT_CLOSED);
  PLAY_DRAINS(&p, 0);
  play_close(&p);
}

static void a_told_task_of_a_dead_worker_counts_as_claimed(void) {
  play p;
  uint32_t out[8], claimed = 77;
  play_open(&p, play_config(8, 1, 2));
  play_hire(&p);
  play_submit(&p, 5);
  CHECK_EQUAL(play_next(&p, 0, NONE), 5);
  CHECK_EQUAL(tell(&p, 5, 0), TELAR_CANCEL_RUNNING);
  CHECK_EQUAL(telar_sched_worker_retire(p.sched, 0, out, 8, &claimed), 1);
  CHECK_EQUAL(claimed, 1);
  CHECK_EQUAL(out[0], 5);
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 0);
  play_close(&p);
}

static void takes_only_waiting_tasks_out_of_the_queue(void) {
  play p;
  play_open(&p, play_config(8, 1, 1));
  play_hire(&p);
  play_submit(&p, 0);
  play_submit(&p, 1);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK(!telar_sched_cancel_queued(p.sched, 0));
  CHECK(telar_sched_cancel_queued(p.sched, 1));
  CHECK(!telar_sched_cancel_queued(p.sched, 1));
  CHECK(!telar_sched_cancel_queued(p.sched, 2));
  CHECK(!telar_sched_cancel_queued(p.sched, 8));
  CHECK(play_is_asleep(play_next(&p, 0, 0)));
  PLAY_DRAINS(&p, 0, 1);
  play_close(&p);
}

/* --- stop ------------------------------------------------------------------------------ */

static telar_stop_result stop(play *p, uint32_t slot, bool may_hit) {
  uint32_t worker = 77;
  telar_stop_result result = telar_sched_stop(p->sched, slot, may_hit, NEVER, &worker);
  CHECK_EQUAL(worker, result == TELAR_STOP_OVER ? NONE : 0);
  return result;
}

static void begin_told(play *p) {
  play_open(p, play_config(8, 1, 2));
  play_hire(p);
  play_submit(p, 3);
  CHECK_EQUAL(play_next(p, 0, NONE), 3);
  CHECK_EQUAL(stop(p, 3, true), TELAR_STOP_OVER); /* it was not told */
  CHECK_EQUAL(tell(p, 3, 0), TELAR_CANCEL_RUNNING);
}

static void end_stopped(play *p) {
  CHECK(telar_sched_is_stopped(p->sched, 0, 3));
  CHECK_EQUAL(stop(p, 3, true), TELAR_STOP_OVER); /* only once */
  CHECK_STATUS(telar_sched_complete(p->sched, 0, 3), TELAR_OK);
  CHECK(!telar_sched_is_stopped(p->sched, 0, 3));
  PLAY_DRAINS(p, 3);
  play_close(p);
}

static void a_task_is_hit_in_its_window(void) {
  play p;
  begin_told(&p);
  CHECK(telar_sched_window_open(p.sched, 0, 3));
  CHECK_EQUAL(stop(&p, 3, true), TELAR_STOP_HIT);
  CHECK_EQUAL(telar_sched_window_close(p.sched, 0, 3), TELAR_WINDOW_MARKED); /* it waits */
  telar_sched_window_was_hit(p.sched, 0);
  telar_sched_interrupt_spent(p.sched, 0, 3); /* too late */
  CHECK_EQUAL(telar_sched_window_open(p.sched, 0, 3), false);
  end_stopped(&p);
}

static void a_window_is_closed_when_its_interrupt_was_spent(void) {
  play p;
  begin_told(&p);
  CHECK(telar_sched_window_open(p.sched, 0, 3));
  telar_sched_interrupt_spent(p.sched, 0, 3); /* none was sent */
  CHECK_EQUAL(telar_sched_window_close(p.sched, 0, 3), TELAR_WINDOW_CLOSED);
  CHECK(telar_sched_window_open(p.sched, 0, 3));
  CHECK_EQUAL(stop(&p, 3, true), TELAR_STOP_HIT);
  telar_sched_interrupt_spent(p.sched, 0, 4); /* for another task */
  CHECK_EQUAL(telar_sched_window_close(p.sched, 0, 3), TELAR_WINDOW_MARKED);
  telar_sched_interrupt_spent(p.sched, 0, 3);
  CHECK_EQUAL(telar_sched_window_close(p.sched, 0, 3), TELAR_WINDOW_SPENT);
  end_stopped(&p);
}

static void a_task_without_a_window_is_dropped(bool opens_later) {
  play p;
  begin_told(&p);
  CHECK_EQUAL(stop(&p, 3, true), TELAR_STOP_NOTED);
  if (opens_later) {
    CHECK(!telar_sched_window_open(p.sched, 0, 3));
  }
  end_stopped(&p);
}

static void nothing_is_hit_that_the_owner_cannot_interrupt(void) {
  play p;
  begin_told(&p);
  CHECK(telar_sched_window_open(p.sched, 0, 3));
  CHECK_EQUAL(stop(&p, 3, false), TELAR_STOP_NOTED);
  CHECK_EQUAL(telar_sched_window_close(p.sched, 0, 3), TELAR_WINDOW_CLOSED);
  end_stopped(&p);
}

static bool stop_again(play *p) {
  uint32_t worker = 77;
  bool hits = telar_sched_stop_again(p->sched, 3, &worker);
  CHECK(!hits || worker == 0);
  return hits;
}

static void what_a_stopped_task_has_left_is_hit_too(bool was_hit) {
  play p;
  begin_told(&p);
  CHECK(telar_sched_window_open(p.sched, 0, 3));
  CHECK(!stop_again(&p)); /* it is not stopped */
  if (was_hit) {
    CHECK_EQUAL(stop(&p, 3, true), TELAR_STOP_HIT);
    telar_sched_window_was_hit(p.sched, 0);
    telar_sched_interrupt_spent(p.sched, 0, 3);
  } else {
    CHECK_EQUAL(telar_sched_window_close(p.sched, 0, 3), TELAR_WINDOW_CLOSED);
    CHECK_EQUAL(stop(&p, 3, true), TELAR_STOP_NOTED);
  }
  CHECK(!stop_again(&p)); /* the window is closed */
  uint32_t before = p.owner_rings;
  telar_sched_window_reopen(p.sched, 0, 3);
  CHECK_EQUAL(p.owner_rings, before + 1);
  CHECK(stop_again(&p));
  CHECK(!stop_again(&p)); /* one interrupt is on its way */
  CHECK_EQUAL(telar_sched_window_close(p.sched, 0, 3), TELAR_WINDOW_MARKED);
  telar_sched_interrupt_spent(p.sched, 0, 3);
  CHECK_EQUAL(telar_sched_window_close(p.sched, 0, 3), TELAR_WINDOW_SPENT);
  end_stopped(&p);
}

static void a_window_that_is_reopened_for_a_task_that_was_not_stopped_rings_nobody(void) {
  play p;
  begin_told(&p);
  uint32_t before = p.owner_rings;
  telar_sched_window_reopen(p.sched, 0, 3);
  CHECK_EQUAL(p.owner_rings, before);
  CHECK_EQUAL(stop(&p, 3, true), TELAR_STOP_HIT);
  telar_sched_window_was_hit(p.sched, 0);
  end_stopped(&p);
}

static void a_stopped_task_may_be_condemned(void) {
  play p;
  uint32_t worker = NONE;
  begin_told(&p);
  CHECK(telar_sched_window_open(p.sched, 0, 3));
  CHECK_EQUAL(stop(&p, 3, true), TELAR_STOP_HIT);
  CHECK_EQUAL(telar_sched_cancel(p.sched, 3, &worker), TELAR_CANCEL_RUNNING);
  CHECK_EQUAL(worker, 0);
  CHECK(telar_sched_holds(p.sched, 0, 3));
  CHECK_EQUAL(play_next(&p, 0, 3), TELAR_NEXT_CLOSED);
  PLAY_DRAINS(&p, 3);
  play_close(&p);
}

/* --- limits ---------------------------------------------------------------------------- */

static void submit_limited(play *p, uint32_t slot, uint64_t queue_ns, uint64_t run_ns) {
  CHECK_STATUS(telar_sched_limit(p->sched, slot, queue_ns, run_ns), TELAR_OK);
  play_submit(p, slot);
}

/* Checks that exactly this slot is over exactly this limit. Returns after what time to ask again.
 */
static uint64_t is_overdue(play *p, uint32_t slot, telar_sched_limit_kind limit) {
  telar_sched_late late[8];
  uint64_t wait;
  CHECK_EQUAL(telar_sched_overdue(p->sched, late, 8, &wait), 1);
  CHECK_EQUAL(late[0].slot, slot);
  CHECK_EQUAL(late[0].limit, limit);
  return wait;
}

static uint64_t nothing_is_overdue(play *p) {
  telar_sched_late late[8];
  uint64_t wait;
  CHECK_EQUAL(telar_sched_overdue(p->sched, late, 8, &wait), 0);
  return wait;
}

static void reports_the_limit_that_counts(void) {
  play p;
  play_open(&p, play_config(8, 1, 1));
  play_hire(&p);
  CHECK_EQUAL(nothing_is_overdue(&p), NEVER);
  CHECK_STATUS(telar_sched_limit(p.sched, 8, 1, 1), TELAR_INVALID);
  submit_limited(&p, 3, 1, 1);
  CHECK_STATUS(telar_sched_limit(p.sched, 3, 1, 1), TELAR_INVALID); /* not OWNED */
  CHECK_EQUAL(is_overdue(&p, 3, TELAR_LIMIT_QUEUE), NEVER);
  CHECK_EQUAL(is_overdue(&p, 3, TELAR_LIMIT_QUEUE), NEVER); /* again, until it is cancelled */
  /* It has been claimed in time: it may run for a while, or without a limit. */
  CHECK_EQUAL(play_next(&p, 0, NONE), 3);
  CHECK_EQUAL(is_overdue(&p, 3, TELAR_LIMIT_RUN), NEVER);
  CHECK_STATUS(telar_sched_complete(p.sched, 0, 3), TELAR_OK);
  CHECK_EQUAL(nothing_is_overdue(&p), NEVER);
  PLAY_DRAINS(&p, 3);
  CHECK_EQUAL(nothing_is_overdue(&p), NEVER);

  submit_limited(&p, 3, 1, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), 3);
  CHECK_EQUAL(nothing_is_overdue(&p), NEVER);
  CHECK_STATUS(telar_sched_complete(p.sched, 0, 3), TELAR_OK);
  PLAY_DRAINS(&p, 3);

  /* Its next use has no limits. */
  play_submit(&p, 3);
  CHECK_EQUAL(nothing_is_overdue(&p), NEVER);
  play_close(&p);
}

static void says_when_to_ask_again(void) {
  play p;
  play_open(&p, play_config(8, 1, 1));
  play_hire(&p);
  submit_limited(&p, 0, 0, 3 * HOUR_NS);
  CHECK_EQUAL(nothing_is_overdue(&p), 3 * HOUR_NS); /* it could start right now */
  submit_limited(&p, 1, 2 * HOUR_NS, 0);
  CHECK(nothing_is_overdue(&p) <= 2 * HOUR_NS);
  submit_limited(&p, 2, 5 * HOUR_NS, HOUR_NS);
  CHECK_EQUAL(nothing_is_overdue(&p), HOUR_NS);
  submit_limited(&p, 4, 1, 0);
  CHECK_EQUAL(is_overdue(&p, 4, TELAR_LIMIT_QUEUE), HOUR_NS);
  submit_limited(&p, 5, 1, 0);
  telar_sched_late late[1];
  uint64_t wait;
  CHECK_EQUAL(telar_sched_overdue(p.sched, late, 1, &wait), 1); /* more than fit */
  CHECK_EQUAL(wait, 0);
  play_close(&p);
}

static void a_task_that_was_told_has_its_grace(void) {
  play p;
  uint32_t worker;
  play_open(&p, play_config(8, 1, 3));
  play_hire(&p);
  for (uint32_t i = 0; i < 2; i++) play_submit(&p, i);
  submit_limited(&p, 2, 0, 1);
  for (uint32_t i = 0; i < 3; i++) CHECK_EQUAL(play_next(&p, 0, NONE), i);
  CHECK_EQUAL(is_overdue(&p, 2, TELAR_LIMIT_RUN), NEVER);
  CHECK_EQUAL(telar_sched_tell(p.sched, 0, 1, &worker), TELAR_CANCEL_RUNNING);
  CHECK_EQUAL(telar_sched_tell(p.sched, 1, NEVER, &worker), TELAR_CANCEL_RUNNING);
  CHECK_EQUAL(telar_sched_tell(p.sched, 2, HOUR_NS, &worker), TELAR_CANCEL_RUNNING);
  telar_sched_late late[8];
  uint64_t wait;
  for (;;) {
    uint32_t n = telar_sched_overdue(p.sched, late, 8, &wait);
    if (n == 0) continue; /* the clock has not moved yet */
    CHECK_EQUAL(n, 1);
    break;
  }
  CHECK_EQUAL(late[0].slot, 0);
  CHECK_EQUAL(late[0].limit, TELAR_LIMIT_GRACE);
  CHECK(wait <= HOUR_NS && wait > 0);
  CHECK_EQUAL(telar_sched_cancel(p.sched, 0, &worker), TELAR_CANCEL_RUNNING);
  CHECK(nothing_is_overdue(&p) <= HOUR_NS);
  play_close(&p);
}

int main(void) {
  a_told_task_comes_back_and_its_worker_goes_on(true);
  a_told_task_comes_back_and_its_worker_goes_on(false);
  tells_no_task_that_waits_or_has_finished();
  a_told_task_may_be_cancelled();
  a_told_task_of_a_dead_worker_counts_as_claimed();
  a_task_is_hit_in_its_window();
  a_window_is_closed_when_its_interrupt_was_spent();
  a_task_without_a_window_is_dropped(false);
  a_task_without_a_window_is_dropped(true);
  nothing_is_hit_that_the_owner_cannot_interrupt();
  what_a_stopped_task_has_left_is_hit_too(true);
  what_a_stopped_task_has_left_is_hit_too(false);
  a_window_that_is_reopened_for_a_task_that_was_not_stopped_rings_nobody();
  a_stopped_task_may_be_condemned();
  takes_only_waiting_tasks_out_of_the_queue();
  reports_the_limit_that_counts();
  says_when_to_ask_again();
  a_task_that_was_told_has_its_grace();
  return 0;
}
