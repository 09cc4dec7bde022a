/* sched_table.c - the table of workers: adding, closing and retiring them, and their counters. */
#include "sched_internal.h"

telar_status telar_sched_worker_add(telar_sched *s, uint32_t *worker) {
  for (uint32_t i = 0; i < s->config.workers; i++) {
    sched_worker *w = &s->workers[i];
    if (w->phase == WORKER_FREE) {
      w->phase = WORKER_PRESENT;
      if (s->config.timing) {
        telar_sched_metrics_add(s, i);
      }
      if (s->table_end <= i) {
        s->table_end = i + 1;
      }
      *worker = i;
      return TELAR_OK;
    }
  }
  return TELAR_FULL;
}

void telar_sched_worker_close(telar_sched *s, uint32_t worker) {
  if (sched_is_present(s, worker)) {
    atomic_store(&s->workers[worker].closing, 1);
    telar_sched_wake_worker(s, worker);
  }
}

bool telar_sched_worker_close_idle(telar_sched *s, uint32_t worker) {
  if (!sched_is_present(s, worker)) {
    return false;
  }
  uint32_t none = 0;
  /* Takes all places at once, so that nothing can be claimed between the check and the close. */
  if (!atomic_compare_exchange_strong(&s->workers[worker].usage, &none, s->config.concurrency)) {
    return false;
  }
  telar_sched_worker_close(s, worker);
  return true;
}

uint32_t telar_sched_worker_retire(telar_sched *s, uint32_t worker, uint32_t *out, uint32_t max,
                                   uint32_t *claimed) {
  *claimed = 0;
  if (!sched_is_present(s, worker)) {
    return 0;
  }
  sched_worker *w = &s->workers[worker];
  uint32_t n = 0;
  for (uint32_t i = 0; i < s->config.slots && n < max; i++) {
    if (telar_sched_holds(s, worker, i)) {
      sched_own(s, &s->slots[i]);
      out[n++] = i;
    }
  }
  *claimed = n;
  while (n < max && telar_lane_pop(&w->lane, s->links, &out[n])) {
    sched_own(s, &s->slots[out[n]]);
    n++;
  }
  if (n == max) {
    return n;
  }
  telar_sched_forget_sleep(s, worker);
  if (s->config.timing) {
    telar_sched_metrics_retire(s, w);
  }
  atomic_store_explicit(&w->usage, 0, memory_order_relaxed);
  atomic_store_explicit(&w->closing, 0, memory_order_relaxed);
  atomic_store_explicit(&w->completed, 0, memory_order_relaxed);
  atomic_store_explicit(&w->ready, 0, memory_order_relaxed);
  w->dry_since_ns = 0;
  w->holds_place = false;
  w->phase = WORKER_FREE;
  return n;
}

uint32_t telar_sched_worker_usage(const telar_sched *s, uint32_t worker) {
  return worker < s->config.workers
             ? atomic_load_explicit(&s->workers[worker].usage, memory_order_relaxed)
             : 0;
}

uint64_t telar_sched_worker_completed(const telar_sched *s, uint32_t worker) {
  return worker < s->config.workers
             ? atomic_load_explicit(&s->workers[worker].completed, memory_order_relaxed)
             : 0;
}

bool telar_sched_worker_is_ready(const telar_sched *s, uint32_t worker) {
  return worker < s->config.workers && atomic_load(&s->workers[worker].ready) != 0;
}
