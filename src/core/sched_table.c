/* sched_table.c - the table of workers: adding, closing and retiring them, and their counters. */
#include "sched_internal.h"

telar_status telar_sched_worker_add(telar_sched *s, uint32_t *worker) {
  for (uint32_t i = 0; i < s->config.workers; i++) {
    sched_worker *w = &s->workers[i];
    if (w->phase == WORKER_FREE) {
      if (s->config.timing && !telar_sched_metrics_add(s, i)) {
        return TELAR_NO_MEMORY;
      }
      w->phase = WORKER_PRESENT;
      if (sched_table_end(s) <= i) {
        atomic_store(&s->table_end, i + 1);
      }
      s->present++;
      if (s->unplaced.first != 0) {
        sched_ring(s, TELAR_SCHED_NONE); /* so that the owner drains */
      }
      *worker = i;
      return TELAR_OK;
    }
  }
  return TELAR_FULL;
}

void telar_sched_worker_close(telar_sched *s, uint32_t worker) {
  if (sched_is_present(s, worker)) {
    atomic_store(&s->workers[worker].closing, CLOSED);
    telar_sched_wake_worker(s, worker);
  }
}

void telar_sched_worker_leave(telar_sched *s, uint32_t worker) {
  uint32_t stays = STAYS;
  if (sched_is_present(s, worker) &&
      atomic_compare_exchange_strong(&s->workers[worker].closing, &stays, LEAVING)) {
    telar_sched_wake_worker(s, worker);
  }
}

bool telar_sched_worker_close_idle(telar_sched *s, uint32_t worker) {
  if (!sched_is_present(s, worker) || s->workers[worker].routed != 0) {
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

/* The worker has ended. The tasks of keys wait for another one, the others are given back. Returns
 * the number of slots in `out`. */
static uint32_t clear_agenda(telar_sched *s, uint32_t worker, uint32_t *out, uint32_t n,
                             uint32_t max) {
  telar_sched_collect(s, worker);
  int32_t level;
  while (n < max && (level = sched_levels_highest(&s->agendas[worker].levels)) >= 0) {
    uint32_t index = sched_agenda_take(&s->agendas[worker], s->links, (uint32_t)level);
    sched_slot *slot = &s->slots[index];
    s->workers[worker].listed--;
    telar_sched_let_follow(s, worker, slot);
    /* Relaxed: the owner changes QUEUED to CANCELLED itself. */
    bool is_queued =
        atomic_load_explicit(&slot->state, memory_order_relaxed) == SLOT_WORD(SLOT_QUEUED, 0u);
    if (slot->has_key && !slot->is_bound && is_queued) {
      telar_sched_unplace(s, index);
    } else {
      sched_own(s, slot);
      out[n++] = index;
    }
  }
  return n;
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
      telar_sched_let_follow(s, worker, &s->slots[i]);
      sched_own(s, &s->slots[i]);
      out[n++] = i;
    }
  }
  *claimed = n;
  while (n < max && telar_lane_pop(&w->lane, s->links, &out[n])) {
    sched_own(s, &s->slots[out[n]]);
    n++;
  }
  n = clear_agenda(s, worker, out, n, max);
  if (n == max) {
    return n;
  }
  telar_sched_unplace_left(s, worker);
  telar_sched_unbind_keys(s, worker);
  s->present--;
  if (s->unplaced.first != 0) {
    sched_ring(s, TELAR_SCHED_NONE); /* so that the owner drains, when it has replaced the worker */
  }
  telar_sched_forget_sleep(s, worker);
  if (s->config.timing) {
    telar_sched_metrics_retire(s, w);
  }
  atomic_store_explicit(&w->usage, 0, memory_order_relaxed);
  atomic_store_explicit(&w->closing, STAYS, memory_order_relaxed);
  atomic_store_explicit(&w->claimed, 0, memory_order_relaxed);
  atomic_store_explicit(&w->completed, 0, memory_order_relaxed);
  atomic_store_explicit(&w->ready, 0, memory_order_relaxed);
  atomic_store_explicit(&w->gone, 0, memory_order_relaxed);
  atomic_store_explicit(&w->window, 0, memory_order_relaxed);
  w->dry_since_ns = 0;
  w->holds_place = false;
  w->wants = 0;
  w->turns = 0;
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

uint32_t telar_sched_worker_running(const telar_sched *s, uint32_t worker) {
  if (worker >= s->config.workers) {
    return 0;
  }
  /* Relaxed: the worker may be between the two. `completed` is read first, so that the difference
   * is not below zero. */
  uint64_t completed = telar_sched_worker_completed(s, worker);
  uint64_t claimed = atomic_load_explicit(&s->workers[worker].claimed, memory_order_relaxed);
  return claimed > completed ? (uint32_t)(claimed - completed) : 0;
}

bool telar_sched_worker_is_ready(const telar_sched *s, uint32_t worker) {
  return worker < s->config.workers && atomic_load(&s->workers[worker].ready) != 0;
}

bool telar_sched_worker_is_gone(const telar_sched *s, uint32_t worker) {
  return worker < s->config.workers && atomic_load(&s->workers[worker].gone) != 0;
}

uint32_t telar_sched_claimed_by(const telar_sched *s, uint32_t slot) {
  if (slot >= s->config.slots) {
    return TELAR_SCHED_NONE;
  }
  /* Relaxed: the caller wants a recent state; nothing of the slot is read because of it. */
  uint32_t state = atomic_load_explicit(&s->slots[slot].state, memory_order_relaxed);
  return sched_is_held(state, SLOT_WORKER(state)) ? SLOT_WORKER(state) : TELAR_SCHED_NONE;
}

uint64_t telar_sched_started_ns(const telar_sched *s, uint32_t slot) {
  return slot < s->config.slots
             ? atomic_load_explicit(&s->slots[slot].started_ns, memory_order_relaxed)
             : 0;
}
