/* sched_cancel.c - the owner takes back tasks that have not finished or not started. */
#include "sched_internal.h"

telar_cancel_result telar_sched_cancel(telar_sched *s, uint32_t index, uint32_t *worker) {
  *worker = TELAR_SCHED_NONE;
  if (index >= s->config.slots) {
    return TELAR_CANCEL_INVALID;
  }
  if (!s->slots[index].cancellable) {
    return TELAR_CANCEL_INVALID;
  }
  _Atomic uint32_t *state = &s->slots[index].state;
  uint32_t seen = atomic_load_explicit(state, memory_order_relaxed);
  for (;;) {
    switch (SLOT_STATE(seen)) {
      case SLOT_QUEUED:
        if (atomic_compare_exchange_weak(state, &seen, SLOT_WORD(SLOT_CANCELLED, 0u))) {
          return TELAR_CANCEL_QUEUED;
        }
        break;
      case SLOT_CLAIMED:
        if (atomic_compare_exchange_weak(state, &seen,
                                         SLOT_WORD(SLOT_CONDEMNED, SLOT_WORKER(seen)))) {
          *worker = SLOT_WORKER(seen);
          telar_sched_worker_close(s, *worker);
          return TELAR_CANCEL_RUNNING;
        }
        break;
      case SLOT_DONE:
        return TELAR_CANCEL_DONE;
      default:
        return TELAR_CANCEL_INVALID;
    }
  }
}

telar_cancel_result telar_sched_cancel_closing(telar_sched *s, uint32_t index, uint32_t closes,
                                               uint32_t *worker) {
  /* Before the slot is taken out: the worker that finds it cancelled, by a compare-and-swap on the
   * state, then also finds itself closed (claim). */
  bool was_open =
      sched_is_present(s, closes) && atomic_exchange(&s->workers[closes].closing, 1) == 0;
  telar_cancel_result result = telar_sched_cancel(s, index, worker);
  if (result == TELAR_CANCEL_QUEUED) {
    telar_sched_worker_close(s, closes);
  } else if (result != TELAR_CANCEL_RUNNING && was_open) {
    atomic_store(&s->workers[closes].closing, 0);
    sched_ring(s, closes); /* it may have seen itself closed in the meantime */
  }
  return result;
}

uint32_t telar_sched_withdraw(telar_sched *s, uint32_t *out, uint32_t max) {
  uint32_t n = 0;
  while (n < max && sched_ready_claim(s->ready, &out[n])) {
    sched_own(s, &s->slots[out[n]]);
    n++;
  }
  return n;
}
