/*
 * sched_done.c - the way back of finished and cancelled slots. Workers push them to the done queue.
 * The owner drains it, and sleeps or naps while it is empty.
 */
#include "sched_internal.h"

/* Tasks this short are not worth waking a second worker for, if the backlog is short too. */
#define SHORT_TASK_NS UINT64_C(5000)
#define SHORT_BACKLOG_NS UINT64_C(100000)
/* Cap, so that one preempted task among short ones does not count as a long task. */
#define RAN_NS_MAX UINT64_C(200000)
/* The owner naps with at least this many outstanding tasks that are this short. */
#define NAP_OUTSTANDING 32u
#define NAP_RAN_NS UINT64_C(150000)
/* After results of tasks shorter than this, the owner waits a moment for more results. */
#define GATHER_RAN_NS UINT64_C(1000)
#define GATHER_POLLS 6u
/* An owner that has nothing else to do spins for as long as so many wake-ups take: longer than its
 * worker takes to wake. Otherwise both would sleep in each call. After this time of it, and again
 * and again, it offers its CPU to other threads, since the worker may need it. That is a system
 * call of half a microsecond: a short task is done before the first. */
#define AWAIT_WAKES 8u
#define YIELD_AFTER_NS UINT64_C(5000)

static void wake_owner(telar_sched *s) {
  if (telar_eventcount_notify(&s->owner_sleep)) {
    sched_ring(s, TELAR_SCHED_NONE);
  }
}

/* Gives a finished or cancelled slot back to the owner. Any thread. */
void telar_sched_give_back(telar_sched *s, uint32_t slot) {
  /* Never full: there are as many cells as slots, and a slot is in the queue at most once. */
  for (uint32_t turns = 0; telar_index_queue_push_mp(s->done, slot) !=
                           TELAR_OK;) { /* D1: publish, then check for the sleeper */
    telar_backoff(&turns); /* the consumer of the cell's last value is about to free it */
  }
  /* While the owner naps, workers do not ring; the owner's timer ends the nap. The load is
   * relaxed: the subtraction, or N2, follows. R1: released to A1, the end of the nap. Otherwise
   * the owner could miss this push at the end of its nap, and then sleep without a timer and
   * without a ring. */
  if (atomic_load_explicit(&s->nap, memory_order_relaxed) > 0 &&
      atomic_fetch_sub_explicit(&s->nap, 1, memory_order_release) > 1) {
    return;
  }
  wake_owner(s);
}

/* A worker has nothing to do: its next completion may be a long time away. */
void telar_sched_end_nap(telar_sched *s) {
  /* Relaxed: the exchange follows. It is a read-modify-write, so that an earlier R1 reaches A1
   * through it. */
  if (atomic_load_explicit(&s->nap, memory_order_relaxed) > 0) {
    atomic_exchange_explicit(&s->nap, 0, memory_order_acq_rel); /* A1, R1 */
    if (!telar_index_queue_is_empty(s->done)) {
      wake_owner(s);
    }
  }
}

/* ---- owner ---- */

static void note_ran(telar_sched *s, uint64_t ran) {
  s->short_in_row = ran > AHEAD_NS ? 0 : s->short_in_row + 1;
  if (ran > RAN_NS_MAX) {
    ran = RAN_NS_MAX;
  }
  s->ran_ns = s->ran_ns == 0 ? ran : s->ran_ns - (s->ran_ns >> 4) + (ran >> 4);
}

static void update_lazy(telar_sched *s) {
  uint32_t lazy =
      s->ran_ns != 0 && s->ran_ns < SHORT_TASK_NS && s->outstanding * s->ran_ns < SHORT_BACKLOG_NS;
  if (atomic_load_explicit(&s->lazy, memory_order_relaxed) != lazy) {
    atomic_store_explicit(&s->lazy, lazy, memory_order_relaxed); /* relaxed: only a hint */
  }
}

uint32_t telar_sched_drain(telar_sched *s, uint32_t *out, uint32_t max) {
  sched_ready_publish(s->ready);
  uint32_t n = telar_index_queue_pop_sc_many(s->done, out, max);
  for (uint32_t i = 0; i < n; i++) {
    sched_slot *slot = &s->slots[out[i]];
    if (atomic_load_explicit(&slot->state, memory_order_relaxed) == SLOT_WORD(SLOT_DONE, 0u)) {
      note_ran(s, slot->ran_ns);
    }
    sched_own(s, slot);
  }
  if (s->unplaced.first != 0) {
    telar_sched_place_waiting(s);
  }
  if (n != 0) {
    update_lazy(s);
  }
  return n;
}

/* Also takes results that are about to come, so that the results of short tasks are settled
 * together. Stops when none has come for a moment. */
static uint32_t gather(telar_sched *s, uint32_t *out, uint32_t n, uint32_t max) {
  for (uint32_t quiet = 0; quiet < GATHER_POLLS && s->outstanding != 0 && n < max;) {
    telar_os_relax();
    uint32_t more =
        telar_index_queue_is_empty(s->done) ? 0 : telar_sched_drain(s, out + n, max - n);
    n += more;
    quiet = more == 0 ? quiet + 1 : 0;
  }
  return n;
}

/* `yields`: now and then offers the CPU to other threads. */
static uint32_t spin_for(telar_sched *s, uint32_t *out, uint32_t max, uint64_t spin_ns,
                         bool yields) {
  uint64_t now = telar_os_now_ns();
  uint64_t deadline = now + spin_ns;
  uint64_t yield_at = !yields ? UINT64_MAX : s->config.cpus < 2 ? now : now + YIELD_AFTER_NS;
  uint32_t n;
  do {
    for (int i = 0; i < 4 && telar_index_queue_is_empty(s->done); i++) {
      telar_os_relax();
    }
    n = telar_index_queue_is_empty(s->done) ? 0 : telar_sched_drain(s, out, max);
    now = telar_os_now_ns();
    if (n == 0 && now >= yield_at) {
      telar_os_yield();
      yield_at = telar_os_now_ns() + YIELD_AFTER_NS;
    }
  } while (n == 0 && now < deadline);
  return n;
}

uint32_t telar_sched_poll(telar_sched *s, uint32_t *out, uint32_t max, uint64_t spin_ns) {
  uint32_t n = telar_sched_drain(s, out, max);
  if (spin_ns == 0 || s->ran_ns > spin_ns || s->config.cpus < 2) {
    return n;
  }
  if (n == 0 && s->outstanding != 0 && telar_spin_pays(&s->spin)) {
    n = spin_for(s, out, max, spin_ns, false);
    telar_spin_note(&s->spin, n != 0);
  }
  return n != 0 && s->ran_ns < GATHER_RAN_NS ? gather(s, out, n, max) : n;
}

uint64_t telar_sched_spin_ns(const telar_sched *s) {
  return telar_wake_cost_ns(&s->wake_cost);
}

uint32_t telar_sched_await(telar_sched *s, uint32_t *out, uint32_t max) {
  uint64_t spin_ns = AWAIT_WAKES * telar_sched_spin_ns(s);
  uint32_t n = telar_sched_drain(s, out, max);
  if (n == 0 && s->outstanding != 0 && s->ran_ns <= spin_ns && telar_spin_pays(&s->await_spin)) {
    n = spin_for(s, out, max, spin_ns, true);
    telar_spin_note(&s->await_spin, n != 0);
  }
  return n;
}

bool telar_sched_owner_sleep(telar_sched *s) {
  telar_eventcount_prepare(&s->owner_sleep); /* D2: announce, then check once more */
  if (telar_index_queue_is_empty(s->done)) {
    telar_sched_wake_unanswered(s);
    sched_ready_sweep(s->ready);
    return true;
  }
  telar_eventcount_cancel(&s->owner_sleep);
  return false;
}

bool telar_sched_owner_looks_again(const telar_sched *s) {
  return s->looks_again;
}

bool telar_sched_owner_nap(telar_sched *s, bool *naps) {
  *naps = s->outstanding >= NAP_OUTSTANDING && s->ran_ns != 0 && s->ran_ns < NAP_RAN_NS;
  if (*naps) {
    atomic_store_explicit(&s->nap, (int32_t)(s->outstanding / 4), memory_order_relaxed);
  }
  return telar_sched_owner_sleep(s);
}

void telar_sched_owner_awake(telar_sched *s) {
  /* A1: acquires R1, the workers that did not ring. */
  if (atomic_load_explicit(&s->nap, memory_order_acquire) != 0) {
    atomic_exchange_explicit(&s->nap, 0, memory_order_acquire);
  }
  /* Relaxed: only this thread changes AWAKE. The load avoids a write to a cache line that every
   * worker reads. */
  if (atomic_load_explicit(&s->owner_sleep.state, memory_order_relaxed) != TELAR_EVENTCOUNT_AWAKE) {
    telar_eventcount_cancel(&s->owner_sleep);
  }
}

uint32_t telar_sched_outstanding(const telar_sched *s) {
  return s->outstanding;
}
