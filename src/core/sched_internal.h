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
#include "sched_ready.h"
#include "backoff.h"

#include "../os/os.h"

/* State word of a slot: the state in the low byte, the worker above it. */
enum { SLOT_OWNED, SLOT_QUEUED, SLOT_CLAIMED, SLOT_CONDEMNED, SLOT_CANCELLED, SLOT_DONE };
#define SLOT_STATE(word) ((word)&0xffu)
#define SLOT_WORKER(word) ((word) >> 8)
#define SLOT_WORD(state, worker) ((uint32_t)(state) | ((worker) << 8))

/* A slot is handed from thread to thread as a whole. The state word tells which thread owns its
 * plain fields; the release of a queue hands them over. */
typedef struct sched_slot {
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t state;
  uint32_t places;     /* places of the worker that this task takes */
  uint64_t created_ns; /* when the task was created */
  uint64_t started_ns; /* when a worker claimed it */
  uint64_t ran_ns;     /* run time */
  uint64_t block;      /* 1 + offset of the payload block in use or kept, or SLOT_NO_BLOCK */
  uint64_t block_capacity;
  uint64_t spare;   /* the same for the block that the last growth replaced */
  bool block_used;  /* `block` holds the current value */
  bool cancellable; /* the owner may change the state while a worker has the slot */
} sched_slot;
#define IDLE_BITS 32u /* workers in a word of sched.idle */
#define SLOT_NO_BLOCK 0u

/* Values of a worker's sleeper word. Only the worker writes AWAKE and PARKED_*. Wakers only change
 * PARKED_* to SUMMONED or NOTIFIED, so at most one waker ends each park. */
enum {
  AWAKE,
  PARKED_IDLE, /* may be summoned for the ready queue */
  PARKED_FULL, /* no free place: woken for its lane, or when the owner gives a place back */
  SUMMONED,    /* woken to search; already counted in `searching` */
  NOTIFIED     /* woken for its lane, for a place, or to close */
};

typedef enum worker_phase { WORKER_FREE, WORKER_PRESENT } worker_phase;

typedef struct sched_worker {
  /* shared: places taken, by claims (worker) and lane reservations (owner) */
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t usage;
  /* shared: the sleeper word */
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t sleeper;
  _Atomic uint32_t closing;
  telar_lane lane; /* from the owner to the worker */
  /* worker */
  TELAR_CACHELINE_ALIGNED bool awake; /* counted in sched.awake */
  bool searching;                     /* counted in sched.searching */
  bool standby;                       /* counted in sched.standby */
  bool parked;
  bool holds_place; /* keeps the place of its last task for the next one */
  uint64_t slice_end_ns;
  uint64_t dry_since_ns; /* when it ran out of work; 0 while it has work */
  uint64_t gap_ns;       /* moving average of the time without work */
  uint32_t seen_submits;
  _Atomic uint64_t completed; /* written by the worker, read by any thread */
  _Atomic uint32_t ready;     /* set by the worker once its task file is loaded */
  telar_histogram *metric[TELAR_METRIC_COUNT];
  /* owner */
  TELAR_CACHELINE_ALIGNED worker_phase phase;
} sched_worker;

typedef struct sched_metrics {
  telar_histogram_snapshot retired;  /* of workers that have been retired */
  telar_histogram_snapshot baseline; /* at the last reset */
} sched_metrics;

struct telar_sched {
  telar_sched_config config;
  sched_slot *slots;
  sched_worker *workers;
  sched_ready *ready;
  telar_index_queue *done;
  uint32_t *links;        /* links of the lanes, by slot */
  sched_metrics *metrics; /* owner; by telar_sched_metric */
  char *metric_memory;    /* the workers' histograms, TELAR_METRIC_COUNT each */
  size_t metric_stride;

  /* owner */
  TELAR_CACHELINE_ALIGNED uint32_t outstanding;
  uint32_t table_end; /* 1 + highest index in use */
  uint64_t ran_ns;    /* moving average of the run time; 0: no task has ended yet */

  /* shared, written only when a thread goes to sleep or wakes */
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t searching; /* workers that search, or are summoned to */
  _Atomic uint32_t awake;                             /* attached workers that are not parked */
  _Atomic uint32_t standby; /* parked workers that check for work by a timer */
  _Atomic uint32_t watch_claims;
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
void telar_sched_wake_unanswered(telar_sched *s);
void telar_sched_stop_searching(telar_sched *s, sched_worker *w);
bool telar_sched_idle_any(const telar_sched *s);
void telar_sched_resume(telar_sched *s, uint32_t worker);
int32_t telar_sched_park(telar_sched *s, uint32_t worker);
void telar_sched_forget_sleep(telar_sched *s, uint32_t worker);

/* sched_payload.c */
void telar_sched_drop_large_block(telar_sched *s, sched_slot *slot);

/* sched_metrics.c; all but the first only if the config has `timing` */
void telar_sched_metrics_init(telar_sched *s, void *snapshots);
void telar_sched_metrics_add(telar_sched *s, uint32_t worker);
void telar_sched_metrics_retire(telar_sched *s, const sched_worker *w);

/* sched_done.c */
void telar_sched_give_back(telar_sched *s, uint32_t slot);
void telar_sched_end_nap(telar_sched *s);

static inline void sched_ring(const telar_sched *s, uint32_t worker) {
  s->config.wake(s->config.wake_context, worker);
}

/* Records the times of a task that a worker has completed. Called by the worker. A new metric needs
 * a name in telar_sched_metric and a line here. */
static inline void sched_metrics_record(sched_worker *w, const sched_slot *slot) {
  telar_histogram_record(w->metric[TELAR_METRIC_WAIT], slot->started_ns - slot->created_ns);
  telar_histogram_record(w->metric[TELAR_METRIC_RUN], slot->ran_ns);
}

static inline bool sched_is_owned(const telar_sched *s, uint32_t slot) {
  return slot < s->config.slots &&
         atomic_load_explicit(&s->slots[slot].state, memory_order_relaxed) ==
             SLOT_WORD(SLOT_OWNED, 0u);
}

static inline bool sched_is_present(const telar_sched *s, uint32_t worker) {
  return worker < s->config.workers && s->workers[worker].phase == WORKER_PRESENT;
}

/* Returns a slot to the owner. */
static inline void sched_own(telar_sched *s, sched_slot *slot) {
  slot->block_used = false;
  atomic_store_explicit(&slot->state, SLOT_WORD(SLOT_OWNED, 0u), memory_order_relaxed);
  s->outstanding--;
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

static inline bool sched_has_place(const telar_sched *s, const sched_worker *w) {
  return atomic_load_explicit(&w->usage, memory_order_relaxed) < s->config.concurrency;
}

#endif
