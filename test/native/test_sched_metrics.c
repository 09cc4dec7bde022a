/*
 * sched: the histograms of wait and run times. Nothing here depends on the speed of the machine:
 * times are only checked against lower bounds, which the test has waited for.
 */
#include "sched_play.h"

enum { WAITED_NS = 40000000, RAN_NS = 200000 };

static uint64_t count_of(play *p, telar_sched_metric metric, uint32_t worker) {
  static telar_histogram_snapshot snapshot;
  memset(&snapshot, 0xa5, sizeof snapshot);
  telar_sched_histogram(p->sched, metric, worker, &snapshot);
  return telar_histogram_count(&snapshot);
}

static uint64_t min_of(play *p, telar_sched_metric metric, uint32_t worker) {
  static telar_histogram_snapshot snapshot;
  telar_sched_histogram(p->sched, metric, worker, &snapshot);
  return telar_histogram_min(&snapshot);
}

static uint64_t max_of(play *p, telar_sched_metric metric, uint32_t worker) {
  static telar_histogram_snapshot snapshot;
  telar_sched_histogram(p->sched, metric, worker, &snapshot);
  return telar_histogram_max(&snapshot);
}

static void open_timed(play *p, uint32_t workers) {
  telar_sched_config config = play_config(8, workers, 1);
  config.timing = true;
  play_open(p, config);
}

/* Runs that many tasks, one after another. */
static void run(play *p, uint32_t worker, uint32_t tasks) {
  uint32_t out;
  for (uint32_t i = 0; i < tasks; i++) {
    play_submit(p, 0);
    CHECK_EQUAL(play_next(p, worker, NONE), 0);
    CHECK(play_is_asleep(play_next(p, worker, 0)));
    CHECK_EQUAL(telar_sched_drain(p->sched, &out, 1), 1);
  }
}

static void retire(play *p, uint32_t worker) {
  uint32_t out[8], claimed;
  CHECK_EQUAL(telar_sched_worker_retire(p->sched, worker, out, 8, &claimed), 0);
}

static void counts_what_it_measures(void) {
  play p;
  open_timed(&p, 1);
  play_hire(&p);
  /* Created long before it was submitted; runs for a while. */
  CHECK_STATUS(telar_sched_submit(p.sched, 0, true, telar_os_now_ns() - WAITED_NS), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  for (uint64_t end = telar_os_now_ns() + RAN_NS; telar_os_now_ns() < end;) telar_os_relax();
  CHECK(play_is_asleep(play_next(&p, 0, 0)));
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_WAIT, NONE), 1);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, NONE), 1);
  CHECK(min_of(&p, TELAR_METRIC_WAIT, NONE) >= WAITED_NS);
  CHECK(min_of(&p, TELAR_METRIC_RUN, NONE) >= RAN_NS);
  CHECK(min_of(&p, TELAR_METRIC_RUN, 0) >= RAN_NS);
  play_close(&p);
}

/* The worker read its clock before the task was created: the wait must not wrap to a huge
 * number. */
static void a_wait_is_never_negative(void) {
  play p;
  open_timed(&p, 1);
  play_hire(&p);
  CHECK_STATUS(telar_sched_submit(p.sched, 0, true, telar_os_now_ns() + UINT64_C(3600000000000)),
               TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK(play_is_asleep(play_next(&p, 0, 0)));
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_WAIT, NONE), 1);
  CHECK_EQUAL(max_of(&p, TELAR_METRIC_WAIT, NONE), 0);
  play_close(&p);
}

static void merges_the_living_and_the_dead(void) {
  play p;
  open_timed(&p, 3);
  play_hire_many(&p, 3);
  run(&p, 0, 2);
  run(&p, 1, 3);
  run(&p, 2, 4);
  for (int m = 0; m < 2; m++) {
    telar_sched_metric metric = m == 0 ? TELAR_METRIC_WAIT : TELAR_METRIC_RUN;
    for (uint32_t i = 0; i < 3; i++) CHECK_EQUAL(count_of(&p, metric, i), 2 + i);
    CHECK_EQUAL(count_of(&p, metric, 3), 0);
    CHECK_EQUAL(count_of(&p, metric, NONE), 9);
  }
  retire(&p, 1);
  retire(&p, 2);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, 1), 0);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, NONE), 9);
  CHECK_EQUAL(play_hire(&p), 1);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, 1),
              0); /* those of its predecessor do not count as its own */
  run(&p, 1, 5);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, 1), 5);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, NONE), 14);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_WAIT, NONE), 14);
  play_close(&p);
}

static void a_reset_begins_anew(void) {
  play p;
  open_timed(&p, 2);
  play_hire_many(&p, 2);
  run(&p, 0, 2);
  run(&p, 1, 3);
  retire(&p, 1);
  CHECK_EQUAL(play_hire(&p), 1);
  run(&p, 1, 4);
  telar_sched_histogram_reset(p.sched, TELAR_METRIC_RUN);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, NONE), 0);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_WAIT, NONE), 9); /* each metric is reset separately */
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, 1),
              4); /* a worker's histogram starts when it was added */
  run(&p, 0, 1);
  retire(&p, 1); /* what was recorded before the reset stays excluded */
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, NONE), 1);
  CHECK_EQUAL(play_hire(&p), 1);
  run(&p, 1, 6);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, NONE), 7);
  telar_sched_histogram_reset(p.sched, TELAR_METRIC_RUN);
  telar_sched_histogram_reset(p.sched, TELAR_METRIC_RUN);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, NONE), 0);
  run(&p, 1, 2);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, NONE), 2);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_WAIT, NONE), 18);
  play_close(&p);
}

/* Retiring in portions merges the histogram once. Tasks that did not complete are not recorded. */
static void retiring_in_portions_counts_once(void) {
  play p;
  telar_sched_config config = play_config(8, 1, 3);
  config.timing = true;
  play_open(&p, config);
  play_hire(&p);
  run(&p, 0, 4);
  for (uint32_t i = 0; i < 3; i++) {
    play_submit(&p, i);
    CHECK_EQUAL(play_next(&p, 0, NONE), i);
  }
  uint32_t out, claimed;
  for (uint32_t i = 0; i < 3; i++) {
    CHECK_EQUAL(telar_sched_worker_retire(p.sched, 0, &out, 1, &claimed), 1);
    CHECK_EQUAL(out, i);
    CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, NONE), 4);
  }
  CHECK_EQUAL(telar_sched_worker_retire(p.sched, 0, &out, 1, &claimed), 0);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, NONE), 4);
  play_close(&p);
}

static void measures_nothing_unless_asked_to(void) {
  play p;
  play_open(&p, play_config(8, 1, 1));
  play_hire(&p);
  run(&p, 0, 3);
  telar_sched_histogram_reset(p.sched, TELAR_METRIC_RUN);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, NONE), 0);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_WAIT, 0), 0);
  retire(&p, 0);
  CHECK_EQUAL(count_of(&p, TELAR_METRIC_RUN, NONE), 0);
  play_close(&p);
}

int main(void) {
  check_deadline(60);
  counts_what_it_measures();
  a_wait_is_never_negative();
  merges_the_living_and_the_dead();
  a_reset_begins_anew();
  retiring_in_portions_counts_once();
  measures_nothing_unless_asked_to();
  return 0;
}
