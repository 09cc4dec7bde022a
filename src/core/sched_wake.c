/*
 * sched_wake.c - which workers sleep, which one is woken, and why no wake-up is lost.
 *
 * The danger is a task in the ready queue while every worker sleeps. Two Dekker pairs prevent it.
 * All four sides have a sequentially consistent fence or read-modify-write between their store and
 * their load.
 *
 *   W1 (submit):   push to ready; fence; load searching, idle
 *   W2 (park):     announce in idle and sleeper; fence; check ready again
 *       Either the submitter sees the sleeper or the sleeper sees the task.
 *
 *   W3 (submit):   push to ready; fence; load searching: not 0, so wake no worker
 *   W4 (searcher that found another task): searching - 1; check ready again
 *       Either the submitter sees the lower count, or the former searcher sees the task and passes
 * the search on.
 *
 * Lanes have one more pair. Lane push; fence; load sleeper (W5). Against: announce in sleeper;
 * fence; check the lane again (W2). Places that the owner reserves have one too. Give a place back;
 * fence; load sleeper (W5). Against: announce PARKED_FULL; fence; check the places again (W2).
 * Otherwise the worker would sleep as if it were full, and no thread would summon it. The inbox of
 * an agenda has the same pair as a lane, but only a worker that is PARKED_IDLE is woken for it: one
 * that is PARKED_FULL has no place for the task, and checks its agenda again when it has.
 *
 * The bits of `idle` are read up to table_end, which the owner raises before the thread of a worker
 * starts. A waker that reads an old value misses the bit of a worker that has just parked for the
 * first time. Then its fence comes before that of the worker (W2), so the worker sees the task.
 *
 * A wake-up costs the waker a system call and the woken thread about ten microseconds. That is
 * longer than many tasks take. So while tasks are short (`lazy`) and some worker is awake, no
 * second worker is woken for them. Instead one worker stands by: it checks for work once a
 * millisecond. This bounds how long a task can wait for a long task while another worker sleeps. A
 * pool that is not in use has no standby worker.
 */
#include "bits.h"
#include "sched_internal.h"

/* Tasks wait this long for a worker that was summoned, before another one is. A standby worker
 * checks as often. */
#define ANSWER_NS UINT64_C(1000000)

/* Rings a worker whose park this thread has ended. */
static void ring_parked(telar_sched *s, uint32_t worker, uint64_t now) {
  /* Relaxed: the worker may read an older time, and would take the wake-up for a slow one. */
  atomic_store_explicit(&s->workers[worker].rung_ns, now, memory_order_relaxed);
  sched_ring(s, worker);
}

static uint32_t idle_words(const telar_sched *s) {
  return (sched_table_end(s) + IDLE_BITS - 1) / IDLE_BITS;
}

static void set_idle(telar_sched *s, uint32_t worker) {
  atomic_fetch_or_explicit(&s->idle[worker / IDLE_BITS], UINT32_C(1) << (worker % IDLE_BITS),
                           memory_order_seq_cst);
}

static void clear_idle(telar_sched *s, uint32_t worker) {
  atomic_fetch_and_explicit(&s->idle[worker / IDLE_BITS], ~(UINT32_C(1) << (worker % IDLE_BITS)),
                            memory_order_relaxed); /* relaxed: a hint, the sleeper word decides */
}

bool telar_sched_idle_any(const telar_sched *s) {
  for (uint32_t word = 0; word < idle_words(s); word++) {
    if (atomic_load_explicit(&s->idle[word], memory_order_relaxed) != 0) {
      return true; /* relaxed: the caller's fence (W1, W4) orders it */
    }
  }
  return false;
}

/* Summons an idle worker. First those that run nothing: a worker with a free place may be in the
 * middle of another task, and responds only after it. Among these, the one with the lowest index,
 * so that the others can sleep until they are no longer needed. */
static bool summon(telar_sched *s) {
  for (int pass = 0; pass < 2; pass++) {
    for (uint32_t word = 0; word < idle_words(s); word++) {
      uint32_t bits = atomic_load_explicit(&s->idle[word], memory_order_relaxed);
      for (; bits != 0; bits &= bits - 1) {
        uint32_t worker = word * IDLE_BITS + telar_bits_lowest(bits);
        sched_worker *w = &s->workers[worker];
        uint32_t expected = PARKED_IDLE;
        if ((pass == 1 || atomic_load_explicit(&w->usage, memory_order_relaxed) == 0) &&
            atomic_compare_exchange_strong(&w->sleeper, &expected, SUMMONED)) {
          uint64_t now = telar_os_now_ns();
          /* Relaxed: only a hint for the owner. */
          atomic_store_explicit(&s->summoned_ns, now, memory_order_relaxed);
          ring_parked(s, worker, now);
          return true;
        }
      }
    }
  }
  return false;
}

/* Whether a worker could be summoned. The idle bits alone do not tell: the bit of a worker that has
 * been woken stays set until the worker runs. */
static bool can_summon(const telar_sched *s) {
  for (uint32_t word = 0; word < idle_words(s); word++) {
    uint32_t bits = atomic_load_explicit(&s->idle[word], memory_order_relaxed);
    for (; bits != 0; bits &= bits - 1) {
      const sched_worker *w = &s->workers[word * IDLE_BITS + telar_bits_lowest(bits)];
      if (atomic_load_explicit(&w->sleeper, memory_order_relaxed) == PARKED_IDLE) {
        return true;
      }
    }
  }
  return false;
}

void telar_sched_wake_one(telar_sched *s) {
  do {
    /* `searching` is raised before the sleeper is chosen, so that a thread which reads it never
     * misses a worker that is being woken. */
    uint32_t none = 0;
    if (!atomic_compare_exchange_strong(&s->searching, &none, 1) || summon(s)) {
      return;
    }
    /* No worker can be summoned. A submitter may have relied on this search in the meantime, so
     * check for its task, as a searcher does (W4). */
    if (atomic_fetch_sub(&s->searching, 1) != 1) {
      return;
    }
    atomic_thread_fence(memory_order_seq_cst);
  } while (sched_ready_has_next(s->ready) && can_summon(s));
}

/* The owner is about to sleep while tasks are unclaimed, and the worker that was summoned may be
 * unable to respond. Summons another one, unless one stands by. A worker that was summoned a moment
 * ago is given time: it passes the search on if there are more tasks. With two workers awake for
 * one task, both are slower, and the task costs twice as much. */
void telar_sched_wake_unanswered(telar_sched *s) {
  s->looks_again = false;
  if (!sched_ready_has_next(s->ready) || !telar_sched_idle_any(s) ||
      (atomic_load_explicit(&s->lazy, memory_order_relaxed) != 0 &&
       atomic_load_explicit(&s->standby, memory_order_relaxed) != 0)) {
    return;
  }
  if (atomic_load(&s->searching) != 0 &&
      telar_os_now_ns() < atomic_load_explicit(&s->summoned_ns, memory_order_relaxed) + ANSWER_NS) {
    s->looks_again = true;
    return;
  }
  atomic_fetch_add(&s->searching, 1);
  if (!summon(s)) {
    atomic_fetch_sub(&s->searching, 1);
  }
}

void telar_sched_wake_for_ready(telar_sched *s) {
  atomic_thread_fence(memory_order_seq_cst); /* W1, W3 */
  if (atomic_load_explicit(&s->searching, memory_order_relaxed) != 0 || !telar_sched_idle_any(s)) {
    return;
  }
  if (atomic_load_explicit(&s->lazy, memory_order_relaxed) != 0 &&
      atomic_load_explicit(&s->standby, memory_order_relaxed) != 0 &&
      atomic_load_explicit(&s->awake, memory_order_relaxed) != 0) {
    return;
  }
  telar_sched_wake_one(s);
}

void telar_sched_wake_worker(telar_sched *s, uint32_t worker) {
  sched_worker *w = &s->workers[worker];
  atomic_thread_fence(memory_order_seq_cst); /* W5 */
  uint32_t seen = atomic_load_explicit(&w->sleeper, memory_order_relaxed);
  while (seen == PARKED_IDLE || seen == PARKED_FULL) {
    if (atomic_compare_exchange_weak(&w->sleeper, &seen, NOTIFIED)) {
      ring_parked(s, worker, telar_os_now_ns());
      return;
    }
  }
  /* AWAKE: the worker checks again before it parks. SUMMONED, NOTIFIED: another thread is waking
   * it. */
}

/* Wakes a worker that sleeps in this state, for a reason that concerns no other state. */
static void wake_from(telar_sched *s, uint32_t worker, uint32_t state) {
  _Atomic uint32_t *sleeper = &s->workers[worker].sleeper;
  atomic_thread_fence(memory_order_seq_cst); /* W5 */
  if (atomic_load_explicit(sleeper, memory_order_relaxed) == state &&
      atomic_compare_exchange_strong(sleeper, &state, NOTIFIED)) {
    ring_parked(s, worker, telar_os_now_ns());
  }
}

/* The owner gave back a reserved place: the worker may have parked because it had none. A worker
 * that is PARKED_IDLE may sleep on. */
void telar_sched_wake_for_place(telar_sched *s, uint32_t worker) {
  wake_from(s, worker, PARKED_FULL);
}

/* The owner pushed to the worker's inbox. A worker that is PARKED_FULL may sleep on: it checks its
 * agenda when it has a place. */
void telar_sched_wake_for_agenda(telar_sched *s, uint32_t worker) {
  wake_from(s, worker, PARKED_IDLE);
}

void telar_sched_notify(const telar_sched *s, uint32_t worker) {
  sched_ring(s, worker);
}

void telar_sched_stop_searching(telar_sched *s, sched_worker *w) {
  if (!w->searching) {
    return;
  }
  w->searching = false;
  if (atomic_fetch_sub(&s->searching, 1) == 1) { /* W4 */
    atomic_thread_fence(memory_order_seq_cst);
    if (sched_ready_has_next(s->ready)) {
      telar_sched_wake_for_ready(s);
    }
  }
}

static void wake_up(telar_sched *s, uint32_t worker) {
  sched_worker *w = &s->workers[worker];
  uint32_t was = atomic_exchange(&w->sleeper, AWAKE);
  w->parked = false;
  uint64_t rung = atomic_load_explicit(&w->rung_ns, memory_order_relaxed);
  if (rung != 0) {
    atomic_store_explicit(&w->rung_ns, 0, memory_order_relaxed);
    telar_wake_cost_note(&s->wake_cost, telar_os_now_ns() - rung);
  }
  clear_idle(s, worker);
  if (w->standby) {
    w->standby = false;
    atomic_fetch_sub(&s->standby, 1);
  }
  w->awake = true;
  atomic_fetch_add(&s->awake, 1);
  /* Whatever woke it, the worker searches for work now, and passes the search on when it has found
   * some. A summoned worker is already counted. */
  w->searching = true;
  if (was != SUMMONED) {
    atomic_fetch_add(&s->searching, 1);
  }
}

void telar_sched_resume(telar_sched *s, uint32_t worker) {
  if (s->workers[worker].parked) {
    wake_up(s, worker);
  }
}

/* The last check of a worker that has announced its sleep: whether there is something to do.
 * `idle`: it was announced as PARKED_IDLE. */
static bool has_work(const telar_sched *s, sched_worker *w, bool idle) {
  if (telar_lane_has_next(&w->lane)) {
    return true;
  }
  uint32_t closing = atomic_load_explicit(&w->closing, memory_order_relaxed);
  if (closing == LEAVING && !idle) { /* its tasks are asynchronous, and wake it when they end */
    return atomic_load_explicit(&w->usage, memory_order_relaxed) == 0 ||
           (sched_has_agenda(w) && sched_has_place(s, w));
  }
  return closing != STAYS ||
         (idle ? sched_has_agenda(w) || sched_ready_has_next(s->ready) : sched_has_place(s, w));
}

/* Returns TELAR_NEXT_PARK or TELAR_NEXT_STANDBY; 0 if work has arrived. */
int32_t telar_sched_park(telar_sched *s, uint32_t worker) {
  sched_worker *w = &s->workers[worker];
  bool idle =
      sched_has_place(s, w) && atomic_load_explicit(&w->closing, memory_order_relaxed) == STAYS;

  if (!idle) {
    telar_sched_stop_searching(s, w); /* the check below does not include the ready queue */
  } else if (w->searching) {
    w->searching = false;
    atomic_fetch_sub(&s->searching, 1); /* the check below does the work of W4 */
  }
  w->parked = true;
  w->awake = false;
  if (idle) {
    set_idle(s, worker);
  }
  atomic_fetch_sub(&s->awake, 1);
  atomic_store(&w->sleeper, idle ? PARKED_IDLE : PARKED_FULL);
  atomic_thread_fence(memory_order_seq_cst); /* W2 */

  if (has_work(s, w, idle)) {
    wake_up(s, worker);
    return 0;
  }
  uint32_t submits = atomic_load_explicit(&s->submits, memory_order_relaxed);
  bool in_use = submits != w->seen_submits;
  w->seen_submits = submits;
  if (!idle || !in_use) {
    return TELAR_NEXT_PARK;
  }
  uint32_t none = 0;
  w->standby = atomic_compare_exchange_strong(&s->standby, &none, 1);
  return w->standby ? TELAR_NEXT_STANDBY : TELAR_NEXT_PARK;
}

/* The worker's thread has ended: removes it from all counts. */
void telar_sched_forget_sleep(telar_sched *s, uint32_t worker) {
  sched_worker *w = &s->workers[worker];
  if (w->parked) {
    wake_up(s, worker);
  }
  if (w->awake) {
    w->awake = false;
    atomic_fetch_sub(&s->awake, 1);
  }
  if (w->searching) {
    w->searching = false;
    atomic_fetch_sub(&s->searching, 1);
  }
  if (sched_ready_has_next(s->ready)) {
    telar_sched_wake_for_ready(s);
  }
}
