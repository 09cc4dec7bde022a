/* sched_worker.c - the worker's side: claim, search, park, complete. */
#include "sched_internal.h"

/* How long a worker may run before it must return to its event loop. */
#define SLICE_NS UINT64_C(4000000)
/* A worker without work spins for twice its average gap between tasks, if that gap is not much
 * longer than what a sleep costs both sides: that of a wake-up each, and as much to fall asleep. */
#define GAP_WORTH_SPINNING 4 /* wake-ups */
#define GAP_FIRST_GUESS_NS UINT64_C(10000)
/* Cap, so that one long pause, such as a preemption, does not dominate the average. */
#define GAP_NS_MAX UINT64_C(200000)
#define RELAXES_PER_POLL 2
#define POLLS_PER_THOROUGH_POLL 8

static void give_places(sched_worker *w, uint32_t places) {
  atomic_fetch_sub_explicit(&w->usage, places, memory_order_relaxed);
}

static void drop_held_place(telar_sched *s, sched_worker *w) {
  if (w->holds_place) {
    w->holds_place = false;
    sched_give_places(s, w, 1);
  }
}

static uint32_t claim_from_lane(telar_sched *s, uint32_t worker) {
  sched_worker *w = &s->workers[worker];
  uint32_t slot;
  while (telar_lane_pop(&w->lane, s->links, &slot)) {
    if (sched_claim_slot(s, worker, slot)) {
      return slot;
    }
    give_places(w, s->slots[slot].places);
    telar_sched_give_back(s, slot);
  }
  return TELAR_SCHED_NONE;
}

static uint32_t claim_from_ready(telar_sched *s, uint32_t worker) {
  sched_worker *w = &s->workers[worker];
  if (!sched_take_places(s, w, 1)) {
    return TELAR_SCHED_NONE;
  }
  uint32_t slot;
  while (sched_ready_claim(s->ready, &slot)) {
    if (sched_claim_slot(s, worker, slot)) {
      return slot;
    }
    telar_sched_give_back(s, slot);
  }
  w->holds_place = true;
  return TELAR_SCHED_NONE;
}

/* `thorough`: also claims tasks that the owner has pushed and not published yet. */
static uint32_t claim(telar_sched *s, uint32_t worker, bool thorough) {
  sched_worker *w = &s->workers[worker];
  uint32_t slot = claim_from_lane(s, worker);
  if (slot != TELAR_SCHED_NONE) {
    drop_held_place(s, w); /* the task of the lane has its own place */
    return slot;
  }
  /* Relaxed: the failed compare-and-swap on the state of a lane's slot has ordered it
   * (telar_sched_cancel_closing). */
  if (atomic_load_explicit(&w->closing, memory_order_relaxed) != STAYS) {
    return TELAR_SCHED_NONE;
  }
  /* The ready queue first: a task that was bound to this worker before one that is there would
   * otherwise be missed, and overtaken. */
  bool has_ready = thorough ? sched_ready_has_next(s->ready) : sched_ready_has_published(s->ready);
  bool has_agenda = sched_has_agenda(w);
  if (!has_agenda && !has_ready) {
    return TELAR_SCHED_NONE;
  }
  if (has_agenda || !sched_ready_is_plain(s->ready)) {
    return telar_sched_claim_chosen(s, worker);
  }
  return claim_from_ready(s, worker);
}

/* Spins for work, but only if a CPU is left for it: the owner needs one, and so does every worker
 * that is awake. */
static uint32_t search(telar_sched *s, uint32_t worker, uint64_t *now) {
  sched_worker *w = &s->workers[worker];
  uint32_t awake = atomic_load_explicit(&s->awake, memory_order_relaxed);
  uint64_t wake_cost = telar_wake_cost_ns(&s->wake_cost);
  if (awake + 1 > s->config.cpus || w->gap_ns > GAP_WORTH_SPINNING * wake_cost ||
      !telar_spin_pays(&w->spin)) {
    return TELAR_SCHED_NONE;
  }
  if (!w->searching) {
    w->searching = true;
    atomic_fetch_add(&s->searching, 1);
  }
  uint32_t polls = 0;
  uint64_t spin = 2 * w->gap_ns;
  uint64_t deadline = *now + (spin < wake_cost ? wake_cost : spin);
  do {
    for (int i = 0; i < RELAXES_PER_POLL; i++) {
      telar_os_relax();
    }
    uint32_t slot = claim(s, worker, ++polls % POLLS_PER_THOROUGH_POLL == 0);
    drop_held_place(s, w);
    *now = telar_os_now_ns();
    if (slot != TELAR_SCHED_NONE) {
      telar_spin_note(&w->spin, true);
      return slot;
    }
  } while (*now < deadline && atomic_load_explicit(&w->closing, memory_order_relaxed) == STAYS);
  telar_spin_note(&w->spin, false);
  return TELAR_SCHED_NONE;
}

/* The gap ends when the task was created, not when it was seen. Otherwise the cost of one sleep
 * would cause the next one. */
static void note_gap(sched_worker *w, uint64_t created) {
  uint64_t gap = created > w->dry_since_ns ? created - w->dry_since_ns : 0;
  if (gap > GAP_NS_MAX) {
    gap = GAP_NS_MAX;
  }
  w->gap_ns += (gap >> 3);
  w->gap_ns -= (w->gap_ns >> 3);
  w->dry_since_ns = 0;
}

/* CLAIMED -> DONE, or TOLD | STOPPED | CONDEMNED -> CANCELLED. Relaxed: the push publishes the
 * state. */
static void end_cancellable(sched_worker *w, sched_slot *slot, uint32_t worker) {
  uint32_t seen = SLOT_WORD(SLOT_CLAIMED, worker);
  if (atomic_compare_exchange_strong_explicit(&slot->state, &seen, SLOT_WORD(SLOT_DONE, 0u),
                                              memory_order_relaxed, memory_order_relaxed)) {
    return;
  }
  /* A task that was told to stop may be stopped or condemned meanwhile, when its grace is over. */
  while (SLOT_STATE(seen) == SLOT_TOLD || SLOT_STATE(seen) == SLOT_STOPPED) {
    if (atomic_compare_exchange_strong_explicit(&slot->state, &seen, SLOT_WORD(SLOT_CANCELLED, 0u),
                                                memory_order_relaxed, memory_order_relaxed)) {
      return;
    }
  }
  /* The owner has condemned this task and is about to terminate this thread, which must not claim
   * anything else. */
  atomic_store_explicit(&slot->state, SLOT_WORD(SLOT_CANCELLED, 0u), memory_order_relaxed);
  atomic_store_explicit(&w->closing, CLOSED, memory_order_relaxed);
}

static void complete(telar_sched *s, uint32_t worker, uint32_t index, uint64_t now,
                     bool keeps_place) {
  sched_worker *w = &s->workers[worker];
  sched_slot *slot = &s->slots[index];
  /* Relaxed: this worker wrote it. */
  uint64_t started = atomic_load_explicit(&slot->started_ns, memory_order_relaxed);
  uint64_t ran = now > started ? now - started : 0;
  slot->ran_ns = ran;
  if (!slot->block_used) {
    telar_sched_drop_large_block(s, slot); /* the task's value was large, but its result is not */
  }
  slot->block_used = false;
  if (s->config.timing) {
    sched_metrics_record(w, slot);
  }
  /* Relaxed: there is one writer, and a reader only wants a recent number. */
  atomic_store_explicit(&w->completed,
                        atomic_load_explicit(&w->completed, memory_order_relaxed) + 1,
                        memory_order_relaxed);

  if (!slot->cancellable) {
    atomic_store_explicit(&slot->state, SLOT_WORD(SLOT_DONE, 0u),
                          memory_order_relaxed); /* the push publishes */
  } else {
    end_cancellable(w, slot, worker);
  }
  if (slot->is_routed) {
    telar_sched_let_follow(s, worker, slot);
  }
  /* Places are given back first: an owner that sees the task done may count on them. A task
   * without options, or with limits alone, leaves its place to the next one, which saves two
   * changes of the count; an owner that waits for a place is rung when that place becomes free
   * (drop_held_place). This does not apply while forced tasks run beyond the limit: then there is
   * no place to keep. */
  if (keeps_place && slot->lends_place && !w->holds_place &&
      atomic_load_explicit(&w->usage, memory_order_relaxed) <= s->config.concurrency) {
    w->holds_place = true;
  } else {
    give_places(w, slot->places);
  }
  telar_sched_give_back(s, index);
}

bool telar_sched_holds(const telar_sched *s, uint32_t worker, uint32_t slot) {
  if (slot >= s->config.slots) {
    return false;
  }
  /* Relaxed: while a worker holds a slot, its state can change only from CLAIMED to TOLD and
   * STOPPED, and from any of them to CONDEMNED. */
  return sched_is_held(atomic_load_explicit(&s->slots[slot].state, memory_order_relaxed), worker);
}

telar_status telar_sched_worker_attach(telar_sched *s, uint32_t worker) {
  /* The owner wrote `phase` before it started this thread. */
  if (worker >= s->config.workers || s->workers[worker].phase != WORKER_PRESENT ||
      s->workers[worker].awake || s->workers[worker].parked) {
    return TELAR_INVALID;
  }
  sched_worker *w = &s->workers[worker];
  w->awake = true;
  w->gap_ns = GAP_FIRST_GUESS_NS;
  atomic_fetch_add(&s->awake, 1);
  return TELAR_OK;
}

void telar_sched_worker_set_ready(telar_sched *s, uint32_t worker) {
  atomic_store(&s->workers[worker].ready, 1);
  sched_ring(s, TELAR_SCHED_NONE);
}

void telar_sched_worker_resume(telar_sched *s, uint32_t worker) {
  telar_sched_resume(s, worker);
  s->workers[worker].slice_end_ns = telar_os_now_ns() + SLICE_NS;
}

void telar_sched_worker_set_gone(telar_sched *s, uint32_t worker) {
  atomic_store(&s->workers[worker].gone, 1);
  sched_ring(s, TELAR_SCHED_NONE);
}

/* A worker starts a task that it has claimed. */
static int32_t start(telar_sched *s, sched_worker *w, uint32_t slot, uint64_t now) {
  /* `now` may be older than the task, if the task was created after it was read. */
  uint64_t created = sched_created(&s->slots[slot]);
  /* Relaxed: the owner may read it for a report (telar_sched_started_ns). */
  atomic_store_explicit(&s->slots[slot].started_ns, now > created ? now : created,
                        memory_order_relaxed);
  /* Relaxed: there is one writer, and a reader only wants a recent number. */
  atomic_store_explicit(&w->claimed, atomic_load_explicit(&w->claimed, memory_order_relaxed) + 1,
                        memory_order_relaxed);
  return (int32_t)slot;
}

/* next() of a worker that is closed or leaves: claims what is left in its lane and its agenda. */
static int32_t next_of_leaving(telar_sched *s, uint32_t worker, uint64_t now) {
  sched_worker *w = &s->workers[worker];
  telar_sched_end_nap(s);
  for (;;) {
    /* Acquire: pairs with the compare-and-swap of telar_sched_worker_leave. The places that the
     * owner reserved before it are visible. */
    uint32_t closing = atomic_load_explicit(&w->closing, memory_order_acquire);
    if (closing == CLOSED || closing == LEFT) {
      return closing == CLOSED ? TELAR_NEXT_CLOSED : TELAR_NEXT_LEFT;
    }
    if (now >= w->slice_end_ns) {
      return TELAR_NEXT_YIELD;
    }
    uint32_t slot = claim_from_lane(s, worker);
    if (slot == TELAR_SCHED_NONE && sched_has_agenda(w)) {
      slot = telar_sched_claim_chosen(s, worker);
    }
    if (slot != TELAR_SCHED_NONE) {
      return start(s, w, slot, now);
    }
    /* Nothing is claimed from the ready queue any more, no place is reserved, and no task enters
     * the agenda (sched_route.c). So once it has no task it stays so. */
    if (atomic_load_explicit(&w->usage, memory_order_relaxed) == 0 && !sched_has_agenda(w)) {
      if (atomic_compare_exchange_strong(&w->closing, &closing, LEFT)) {
        sched_ring(s, TELAR_SCHED_NONE);
      }
      continue;
    }
    int32_t parked = telar_sched_park(s, worker);
    if (parked != 0) {
      return parked;
    }
    telar_sched_stop_searching(s, w);
  }
}

int32_t telar_sched_next(telar_sched *s, uint32_t worker, uint32_t done) {
  sched_worker *w = &s->workers[worker];
  uint64_t now = telar_os_now_ns();
  if (done != TELAR_SCHED_NONE && telar_sched_holds(s, worker, done)) {
    complete(s, worker, done, now, true);
  }
  for (bool thorough = false;; thorough = true) {
    if (atomic_load_explicit(&w->closing, memory_order_relaxed) != STAYS ||
        now >= w->slice_end_ns) {
      drop_held_place(s, w);
      telar_sched_stop_searching(s, w);
      return atomic_load_explicit(&w->closing, memory_order_relaxed) != STAYS
                 ? next_of_leaving(s, worker, now)
                 : TELAR_NEXT_YIELD;
    }
    uint32_t slot = claim(s, worker, thorough);
    if (slot == TELAR_SCHED_NONE) {
      drop_held_place(s, w);
      telar_sched_end_nap(s);
      if (sched_has_place(s, w)) {
        if (w->dry_since_ns == 0) {
          w->dry_since_ns = now;
        }
        slot = search(s, worker, &now);
      }
    }
    if (slot != TELAR_SCHED_NONE) {
      telar_sched_stop_searching(s, w);
      if (w->dry_since_ns != 0) {
        now = telar_os_now_ns();
        note_gap(w, sched_created(&s->slots[slot]));
      }
      start(s, w, slot, now);
      telar_fence_after_rmw(); /* between the pop and the read of watch_claims
                                  (telar_sched_watch_claims) */
      sched_answer_watch(s);
      return (int32_t)slot;
    }
    int32_t parked = telar_sched_park(s, worker);
    if (parked != 0) {
      return parked;
    }
    now = telar_os_now_ns();
  }
}

telar_status telar_sched_complete(telar_sched *s, uint32_t worker, uint32_t slot) {
  if (!telar_sched_holds(s, worker, slot)) {
    return TELAR_INVALID;
  }
  complete(s, worker, slot, telar_os_now_ns(), false);
  return TELAR_OK;
}
