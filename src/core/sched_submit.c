/* sched_submit.c - the owner submits tasks: to the ready queue, or to the lane of one worker. */
#include "sched_internal.h"

static void make_ready(telar_sched *s, sched_slot *slot, uint32_t places, bool cancellable,
                       uint64_t created_ns) {
  slot->places = (uint16_t)places;
  slot->level = SCHED_LEVEL_NORMAL;
  slot->has_key = false;
  sched_make_ready(s, slot, cancellable, created_ns);
}

telar_status telar_sched_submit(telar_sched *s, uint32_t slot, bool cancellable,
                                uint64_t created_ns) {
  if (!sched_is_owned(s, slot)) {
    return TELAR_INVALID;
  }
  make_ready(s, &s->slots[slot], 1, cancellable, created_ns);
  s->slots[slot].lends_place = !cancellable || s->slots[slot].limited;
  sched_ready_push(s->ready, slot, SCHED_LEVEL_NORMAL);
  sched_ready_publish_if_due(s->ready, s->outstanding);
  telar_sched_wake_for_ready(s);
  return TELAR_OK;
}

telar_status telar_sched_reserve(telar_sched *s, uint32_t worker, telar_lane_mode mode,
                                 uint32_t *places) {
  if (!sched_is_present(s, worker)) {
    return TELAR_INVALID;
  }
  sched_worker *w = &s->workers[worker];
  uint32_t limit = s->config.concurrency;
  uint32_t wanted = mode == TELAR_LANE_EXCLUSIVE ? limit : 1;
  uint32_t taken = atomic_load_explicit(&w->usage, memory_order_relaxed);
  do {
    if (mode != TELAR_LANE_FORCED && taken + wanted > limit) {
      return TELAR_BUSY;
    }
  } while (!atomic_compare_exchange_weak_explicit(
      &w->usage, &taken, taken + wanted, memory_order_relaxed,
      memory_order_relaxed)); /* relaxed: only a count */
  *places = wanted;
  return TELAR_OK;
}

telar_status telar_sched_unreserve(telar_sched *s, uint32_t worker, uint32_t places) {
  if (!sched_is_present(s, worker)) {
    return TELAR_INVALID;
  }
  sched_give_places(s, &s->workers[worker], places);
  telar_sched_wake_for_place(s, worker);
  return TELAR_OK;
}

telar_status telar_sched_submit_to(telar_sched *s, uint32_t slot, uint32_t worker, uint32_t places,
                                   uint64_t created_ns) {
  if (!sched_is_owned(s, slot) || !sched_is_present(s, worker) || places == 0) {
    return TELAR_INVALID;
  }
  make_ready(s, &s->slots[slot], places, true, created_ns);
  telar_lane_push(&s->workers[worker].lane, s->links, slot);
  telar_sched_wake_worker(s, worker);
  return TELAR_OK;
}

void telar_sched_watch_claims(telar_sched *s) {
  atomic_store(&s->watch_claims, 1);
  atomic_thread_fence(memory_order_seq_cst); /* before the caller reads ready_length */
}

uint32_t telar_sched_ready_length(telar_sched *s) {
  sched_ready_publish(s->ready);
  return sched_ready_length(s->ready);
}
