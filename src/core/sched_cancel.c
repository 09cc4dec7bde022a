/* sched_cancel.c - the owner takes back tasks that have not finished or not started. */
#include "sched_internal.h"

/* Takes a slot out if it is QUEUED. If a worker has it, its state becomes `running`: SLOT_TOLD or
 * SLOT_CONDEMNED. */
static telar_cancel_result change(telar_sched *s, uint32_t index, uint32_t running,
                                  uint32_t *worker) {
  *worker = TELAR_SCHED_NONE;
  if (index >= s->config.slots || !s->slots[index].cancellable) {
    return TELAR_CANCEL_INVALID;
  }
  _Atomic uint32_t *state = &s->slots[index].state;
  uint32_t seen = atomic_load_explicit(state, memory_order_relaxed);
  for (;;) {
    uint32_t holder = SLOT_WORKER(seen);
    switch (SLOT_STATE(seen)) {
      case SLOT_QUEUED:
        if (atomic_compare_exchange_weak(state, &seen, SLOT_WORD(SLOT_CANCELLED, 0u))) {
          return TELAR_CANCEL_QUEUED;
        }
        break;
      case SLOT_TOLD:
      case SLOT_STOPPED:
        if (running == SLOT_TOLD) {
          return TELAR_CANCEL_INVALID;
        }
        /* fall through */
      case SLOT_CLAIMED:
        if (atomic_compare_exchange_weak(state, &seen, SLOT_WORD(running, holder))) {
          *worker = holder;
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

telar_cancel_result telar_sched_cancel(telar_sched *s, uint32_t slot, uint32_t *worker) {
  telar_cancel_result result = change(s, slot, SLOT_CONDEMNED, worker);
  if (result == TELAR_CANCEL_RUNNING) {
    telar_sched_worker_close(s, *worker);
  }
  return result;
}

telar_cancel_result telar_sched_tell(telar_sched *s, uint32_t slot, uint64_t grace_ns,
                                     uint32_t *worker) {
  telar_cancel_result result = change(s, slot, SLOT_TOLD, worker);
  if (result == TELAR_CANCEL_RUNNING) {
    telar_sched_limit_grace(s, slot, grace_ns);
  }
  return result;
}

bool telar_sched_cancel_queued(telar_sched *s, uint32_t slot) {
  uint32_t queued = SLOT_WORD(SLOT_QUEUED, 0u);
  return slot < s->config.slots && s->slots[slot].cancellable &&
         atomic_compare_exchange_strong(&s->slots[slot].state, &queued,
                                        SLOT_WORD(SLOT_CANCELLED, 0u));
}

telar_cancel_result telar_sched_cancel_closing(telar_sched *s, uint32_t index, uint32_t closes,
                                               uint32_t *worker) {
  /* Before the slot is taken out: the worker that finds it cancelled, by a compare-and-swap on the
   * state, then also finds itself closed (claim). */
  uint32_t was =
      sched_is_present(s, closes) ? atomic_exchange(&s->workers[closes].closing, CLOSED) : CLOSED;
  telar_cancel_result result = telar_sched_cancel(s, index, worker);
  if (result == TELAR_CANCEL_QUEUED) {
    telar_sched_worker_close(s, closes);
  } else if (result != TELAR_CANCEL_RUNNING && was != CLOSED) {
    atomic_store(&s->workers[closes].closing, was);
    sched_ring(s, closes); /* it may have seen itself closed in the meantime */
  }
  return result;
}

bool telar_sched_cancel_routed(telar_sched *s, uint32_t index) {
  return index < s->config.slots && s->slots[index].is_routed &&
         telar_sched_cancel_queued(s, index);
}

uint32_t telar_sched_withdraw(telar_sched *s, uint32_t *out, uint32_t max) {
  uint32_t n = 0;
  while (n < max && sched_ready_claim(s->ready, &out[n])) {
    sched_own(s, &s->slots[out[n]]);
    n++;
  }
  while (n < max && s->unplaced.first != 0) {
    out[n] = sched_list_take(&s->unplaced, s->links);
    sched_own(s, &s->slots[out[n]]);
    n++;
  }
  return n;
}
