/*
 * sched_internal.h - the scheduler's data, shared by its .c files only.
 *
 * Rule of access: only the owner's thread uses a field under "owner". Only the thread of that
 * worker uses a field under "worker" (after that thread has ended, the owner does). All shared
 * fields are _Atomic.
 */
#ifndef TELAR_SCHED_INTERNAL_H
#define TELAR_SCHED_INTERNAL_H

#include "atomic.h"
#include "cacheline.h"
#include "eventcount.h"
#include "index_queue.h"
#include "lane.h"
#include "sched.h"
#include "sched_agenda.h"
#include "sched_ready.h"
#include "sched_slot.h"
#include "spin_credit.h"
#include "wake_cost.h"
#include "backoff.h"

#include "../os/os.h"

#define IDLE_BITS 32u /* workers in a word of sched.idle */
/* A task that is bound ahead may be kept from a worker that is free earlier for about so long. */
#define AHEAD_NS UINT64_C(200000)

/* Values of a worker's sleeper word. Only the worker writes AWAKE and PARKED_*. Wakers only change
 * PARKED_* to SUMMONED or NOTIFIED, so at most one waker ends each park. */
enum {
  AWAKE,
  PARKED_IDLE, /* may be summoned for the ready queue */
  PARKED_FULL, /* no free place: woken for its lane, or when the owner gives a place back */
  SUMMONED,    /* woken to search; already counted in `searching` */
  NOTIFIED     /* woken for its lane, for a place, or to close */
};

/* Values of a worker's closing word. The owner changes STAYS to LEAVING, the worker LEAVING to
 * LEFT. Either of them changes any value to CLOSED. */
enum {
  STAYS,
  CLOSED,  /* claims nothing more, and is about to be terminated */
  LEAVING, /* claims only what is in its lane */
  LEFT     /* was LEAVING, and holds nothing more */
};

typedef enum worker_phase { WORKER_FREE, WORKER_PRESENT } worker_phase;

typedef struct sched_worker {
  /* shared: places taken, by claims (worker) and lane reservations (owner) */
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t usage;
  /* shared: the sleeper word */
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t sleeper;
  _Atomic uint32_t closing;
  _Atomic uint32_t window;  /* see sched_interrupt.c */
  _Atomic uint64_t rung_ns; /* when its bell was rung to end its park */
  telar_lane lane;          /* from the owner to the worker */
  telar_lane inbox;         /* the same, for the agenda */
  /* worker */
  TELAR_CACHELINE_ALIGNED bool awake; /* counted in sched.awake */
  bool searching;                     /* counted in sched.searching */
  bool standby;                       /* counted in sched.standby */
  bool parked;
  bool holds_place; /* keeps the place of its last task for the next one */
  uint16_t wants;   /* places that its next task needs, minus one: it waits for them (choose) */
  uint32_t turns;   /* tasks it has started since it took the oldest one (sched_choice.c) */
  uint32_t listed;  /* tasks in its agenda that may be started */
  uint64_t slice_end_ns;
  uint64_t dry_since_ns; /* when it ran out of work; 0 while it has work */
  uint64_t gap_ns;       /* moving average of the time without work */
  uint32_t seen_submits;
  telar_spin_credit spin;
  _Atomic uint64_t claimed;   /* free-running; written by the worker, read by any thread */
  _Atomic uint64_t completed; /* the same */
  _Atomic uint32_t ready;     /* set by the worker once its task file is loaded */
  _Atomic uint32_t gone;      /* set by the worker when it has left and its thread may be ended */
  telar_histogram *metric[TELAR_METRIC_COUNT];
  /* owner */
  TELAR_CACHELINE_ALIGNED worker_phase phase;
  uint32_t keys;       /* keys whose worker it is */
  uint32_t routed;     /* tasks that went to its agenda and have not come back */
  sched_list left;     /* while it is retired: tasks with keys that others will run */
  char *metric_memory; /* of `metric`; kept for the next worker of this index */
} sched_worker;

typedef struct sched_metrics {
  telar_histogram_snapshot retired;  /* of workers that have been retired */
  telar_histogram_snapshot baseline; /* at the last reset */
} sched_metrics;

/* A key, by its hash. */
typedef struct sched_key {
  uint32_t worker;      /* 1 + its worker; 0: none */
  uint32_t outstanding; /* its tasks; while there are some, it keeps its worker */
  uint32_t delivered;   /* those of them that its worker has; the others are in `unplaced` */
} sched_key;

struct telar_sched {
  telar_sched_config config;
  sched_slot *slots;
  sched_worker *workers;
  sched_ready *ready;
  telar_index_queue *done;
  uint32_t *links;        /* links of lanes, agendas and `unplaced`, by slot */
  sched_agenda *agendas;  /* by worker */
  uint32_t *last_of_key;  /* by key: 1 + its last task that its worker has; that worker's */
  sched_key *keys;        /* owner */
  sched_metrics *metrics; /* owner; by telar_sched_metric */
  /* Written by the owner when it adds workers: 1 + highest index that was ever in use. */
  _Atomic uint32_t table_end;

  /* owner */
  TELAR_CACHELINE_ALIGNED uint32_t outstanding;
  telar_spin_credit spin;       /* of polls */
  telar_spin_credit await_spin; /* of an owner that blocks its event loop */
  uint32_t limited;             /* slots with limits */
  sched_limits *limits;         /* by slot */
  uint64_t ran_ns;              /* moving average of the run time; 0: no task has ended yet */
  uint32_t short_in_row;        /* tasks since the last that was longer than AHEAD_NS */
  uint32_t present;             /* workers in the table */
  uint32_t keys_bound;          /* keys that have a worker */
  bool looks_again;             /* see telar_sched_owner_looks_again */
  sched_list unplaced; /* tasks with keys that wait because there is no worker, in their order */

  /* shared, written only when a thread goes to sleep or wakes */
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t searching; /* workers that search, or are summoned to */
  _Atomic uint32_t awake;                             /* attached workers that are not parked */
  _Atomic uint32_t standby; /* parked workers that check for work by a timer */
  _Atomic uint32_t watch_claims;
  _Atomic uint64_t summoned_ns; /* when a worker was summoned last */
  telar_wake_cost wake_cost;    /* of workers that were parked */
  _Atomic uint32_t *idle; /* bit w: worker w is PARKED_IDLE (a hint; the sleeper word decides) */

  /* written by the owner, read by workers */
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t submits; /* free-running: the pool is in use */
  _Atomic uint32_t lazy; /* 1: tasks are too short to wake a second worker for */

  TELAR_CACHELINE_ALIGNED telar_eventcount owner_sleep;
  _Atomic int32_t nap; /* completions that need not wake a napping owner; 0 if it does not nap */
};

/* sched_wake.c */
void telar_sched_wake_one(telar_sched *s);
void telar_sched_wake_for_ready(telar_sched *s);
void telar_sched_wake_worker(telar_sched *s, uint32_t worker);
void telar_sched_wake_for_place(telar_sched *s, uint32_t worker);
void telar_sched_wake_for_agenda(telar_sched *s, uint32_t worker);
void telar_sched_wake_unanswered(telar_sched *s);
void telar_sched_stop_searching(telar_sched *s, sched_worker *w);
bool telar_sched_idle_any(const telar_sched *s);
void telar_sched_resume(telar_sched *s, uint32_t worker);
int32_t telar_sched_park(telar_sched *s, uint32_t worker);
void telar_sched_forget_sleep(telar_sched *s, uint32_t worker);

/* sched_choice.c */
uint32_t telar_sched_claim_chosen(telar_sched *s, uint32_t worker);
void telar_sched_collect(telar_sched *s, uint32_t worker);
void telar_sched_let_follow(telar_sched *s, uint32_t worker, sched_slot *slot);

/* sched_route.c */
void telar_sched_end_route(telar_sched *s, sched_slot *slot);
void telar_sched_place_waiting(telar_sched *s);
void telar_sched_unplace(telar_sched *s, uint32_t slot);
void telar_sched_unplace_left(telar_sched *s, uint32_t worker);
void telar_sched_unbind_keys(telar_sched *s, uint32_t worker);

/* sched_payload.c */
void telar_sched_drop_large_block(telar_sched *s, sched_slot *slot);

/* sched_metrics.c; all but the first only if the config has `timing` */
void telar_sched_metrics_init(telar_sched *s, void *snapshots);
bool telar_sched_metrics_add(telar_sched *s, uint32_t worker);
void telar_sched_metrics_retire(telar_sched *s, const sched_worker *w);

/* sched_done.c */
void telar_sched_give_back(telar_sched *s, uint32_t slot);
void telar_sched_end_nap(telar_sched *s);

static inline void sched_ring(const telar_sched *s, uint32_t worker) {
  s->config.wake(s->config.context, worker);
}

static inline uint64_t sched_created(const sched_slot *slot) {
  return atomic_load_explicit(&slot->created_ns, memory_order_relaxed);
}

/* Records the times of a task that a worker has completed. Called by the worker. A new metric needs
 * a name in telar_sched_metric and a line here. */
static inline void sched_metrics_record(sched_worker *w, const sched_slot *slot) {
  /* Relaxed: this worker wrote it. */
  uint64_t started_ns = atomic_load_explicit(&slot->started_ns, memory_order_relaxed);
  telar_histogram_record(w->metric[TELAR_METRIC_WAIT], started_ns - sched_created(slot));
  telar_histogram_record(w->metric[TELAR_METRIC_RUN], slot->ran_ns);
}

static inline bool sched_is_owned(const telar_sched *s, uint32_t slot) {
  return slot < s->config.slots &&
         atomic_load_explicit(&s->slots[slot].state, memory_order_relaxed) ==
             SLOT_WORD(SLOT_OWNED, 0u);
}

/* Relaxed: the worker of an index starts after the owner has raised it. For a reader that wakes
 * sleepers, sched_wake.c says why an old value does no harm. */
static inline uint32_t sched_table_end(const telar_sched *s) {
  return atomic_load_explicit(&s->table_end, memory_order_relaxed);
}

static inline bool sched_is_present(const telar_sched *s, uint32_t worker) {
  return worker < s->config.workers && s->workers[worker].phase == WORKER_PRESENT;
}

/* Whether a worker has the slot, by the word of its state. */
static inline bool sched_is_held(uint32_t state, uint32_t worker) {
  return state - SLOT_WORD(SLOT_CLAIMED, worker) <= SLOT_CONDEMNED - SLOT_CLAIMED;
}

/* Returns a slot to the owner. */
static inline void sched_own(telar_sched *s, sched_slot *slot) {
  slot->block_used = false;
  if (slot->is_routed) {
    telar_sched_end_route(s, slot);
  }
  if (slot->limited) {
    slot->limited = false;
    s->limited--;
  }
  atomic_store_explicit(&slot->state, SLOT_WORD(SLOT_OWNED, 0u), memory_order_relaxed);
  s->outstanding--;
}

/* OWNED -> QUEUED. The push of the slot must follow. */
static inline void sched_make_ready(telar_sched *s, sched_slot *slot, bool cancellable,
                                    uint64_t created_ns) {
  slot->cancellable = cancellable;
  slot->lends_place = !cancellable;
  atomic_store_explicit(&slot->created_ns, created_ns != 0 ? created_ns : telar_os_now_ns(),
                        memory_order_relaxed);
  slot->block_used = false;
  /* Relaxed, both: the push that follows publishes them. */
  atomic_store_explicit(&slot->started_ns, 0, memory_order_relaxed);
  atomic_store_explicit(&slot->state, SLOT_WORD(SLOT_QUEUED, 0u), memory_order_relaxed);
  s->outstanding++;
  /* Relaxed: only shows parked workers that the pool is in use. */
  atomic_store_explicit(&s->submits, atomic_load_explicit(&s->submits, memory_order_relaxed) + 1,
                        memory_order_relaxed);
}

/* Rings an owner that waits for a place, or for the ready queue to become empty. */
static inline void sched_answer_watch(telar_sched *s) {
  if (atomic_load(&s->watch_claims) != 0 && atomic_exchange(&s->watch_claims, 0) != 0) {
    sched_ring(s, TELAR_SCHED_NONE);
  }
}

/* Gives back places that no task holds. Sequentially consistent, before watch_claims is read: an
 * owner that found no place either sees this one or is rung (telar_sched_watch_claims). */
static inline void sched_give_places(telar_sched *s, sched_worker *w, uint32_t places) {
  atomic_fetch_sub(&w->usage, places);
  sched_answer_watch(s);
}

/* Whether the worker can start its next task. Called by the worker. */
static inline bool sched_has_place(const telar_sched *s, const sched_worker *w) {
  return atomic_load_explicit(&w->usage, memory_order_relaxed) + w->wants < s->config.concurrency;
}

/* Takes places for a claim; false: there are too few. Called by the worker. */
static inline bool sched_take_places(const telar_sched *s, sched_worker *w, uint32_t places) {
  uint32_t held = w->holds_place ? 1 : 0;
  if (held == places) {
    w->holds_place = false;
    return true;
  }
  uint32_t taken = atomic_load_explicit(&w->usage, memory_order_relaxed);
  while (taken - held + places <= s->config.concurrency) {
    /* Relaxed: only a count; the contents of a slot travel through a queue. */
    if (atomic_compare_exchange_weak_explicit(&w->usage, &taken, taken - held + places,
                                              memory_order_relaxed, memory_order_relaxed)) {
      w->holds_place = false;
      return true;
    }
  }
  return false;
}

/* QUEUED -> CLAIMED; false: the owner has cancelled it in the meantime. Called by the worker. */
static inline bool sched_claim_slot(telar_sched *s, uint32_t worker, uint32_t index) {
  sched_slot *slot = &s->slots[index];
  slot->block_used = false; /* until a result is written into it */
  if (!slot->cancellable) {
    /* Relaxed: no other thread reads it until the slot comes back. */
    atomic_store_explicit(&slot->state, SLOT_WORD(SLOT_CLAIMED, worker), memory_order_relaxed);
    return true;
  }
  uint32_t queued = SLOT_WORD(SLOT_QUEUED, 0u);
  return atomic_compare_exchange_strong(&slot->state, &queued, SLOT_WORD(SLOT_CLAIMED, worker));
}

/* Whether the worker has tasks in its agenda that it may start. Called by the worker. */
static inline bool sched_has_agenda(const sched_worker *w) {
  return w->listed != 0 || telar_lane_has_next(&w->inbox);
}

#endif
