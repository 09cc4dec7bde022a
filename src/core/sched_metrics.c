/*
 * sched_metrics.c - histograms of wait and run times, of one worker or over all of them. A worker
 * records in sched_metrics_record (sched_internal.h).
 */
#include "sched_internal.h"

void telar_sched_metrics_init(telar_sched *s, void *snapshots) {
  s->metrics = snapshots;
  for (size_t m = 0; m < TELAR_METRIC_COUNT; m++) {
    telar_histogram_snapshot_clear(&s->metrics[m].retired);
    telar_histogram_snapshot_clear(&s->metrics[m].baseline);
  }
}

/* A multiple of TELAR_CACHELINE, so that each histogram is aligned. */
size_t telar_sched_worker_size(void) {
  return TELAR_METRIC_COUNT * telar_histogram_size();
}

/* Called for each added worker, not for all at setup: a large table takes memory only for the
 * workers that there are. False: there is no memory. */
bool telar_sched_metrics_add(telar_sched *s, uint32_t worker) {
  sched_worker *w = &s->workers[worker];
  if (w->metric_memory == NULL) {
    w->metric_memory = s->config.memory(s->config.context, worker);
  }
  if (w->metric_memory == NULL) {
    return false;
  }
  for (size_t m = 0; m < TELAR_METRIC_COUNT; m++) {
    telar_histogram_init(w->metric_memory + m * telar_histogram_size(), &w->metric[m]);
  }
  return true;
}

/* A worker is retired: what it recorded is kept. */
void telar_sched_metrics_retire(telar_sched *s, const sched_worker *w) {
  for (size_t m = 0; m < TELAR_METRIC_COUNT; m++) {
    telar_histogram_merge(w->metric[m], &s->metrics[m].retired);
  }
}

static void sum_up(telar_sched *s, telar_sched_metric metric, telar_histogram_snapshot *out) {
  telar_histogram_snapshot_add(out, &s->metrics[metric].retired);
  for (uint32_t i = 0; i < sched_table_end(s); i++) {
    if (sched_is_present(s, i)) {
      telar_histogram_merge(s->workers[i].metric[metric], out);
    }
  }
}

void telar_sched_histogram(telar_sched *s, telar_sched_metric metric, uint32_t worker,
                           telar_histogram_snapshot *out) {
  telar_histogram_snapshot_clear(out);
  if (!s->config.timing) {
    return;
  }
  if (worker == TELAR_SCHED_NONE) {
    sum_up(s, metric, out);
    telar_histogram_snapshot_subtract(out, &s->metrics[metric].baseline);
  } else if (sched_is_present(s, worker)) {
    telar_histogram_merge(s->workers[worker].metric[metric], out);
  }
}

void telar_sched_histogram_reset(telar_sched *s, telar_sched_metric metric) {
  if (s->config.timing) {
    telar_histogram_snapshot_clear(&s->metrics[metric].baseline);
    sum_up(s, metric, &s->metrics[metric].baseline);
  }
}
