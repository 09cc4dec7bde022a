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

/* Called for each added worker, not for all at setup, so that most of a large table stays
 * untouched. */
void telar_sched_metrics_add(telar_sched *s, uint32_t worker) {
  for (size_t m = 0; m < TELAR_METRIC_COUNT; m++) {
    void *memory = s->metric_memory + s->metric_stride * (TELAR_METRIC_COUNT * worker + m);
    telar_histogram_init(memory, &s->workers[worker].metric[m]);
  }
}

/* A worker is retired: what it recorded is kept. */
void telar_sched_metrics_retire(telar_sched *s, const sched_worker *w) {
  for (size_t m = 0; m < TELAR_METRIC_COUNT; m++) {
    telar_histogram_merge(w->metric[m], &s->metrics[m].retired);
  }
}

static void sum_up(telar_sched *s, telar_sched_metric metric, telar_histogram_snapshot *out) {
  telar_histogram_snapshot_add(out, &s->metrics[metric].retired);
  for (uint32_t i = 0; i < s->table_end; i++) {
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
