/*
 * sched_internal.h - the scheduler's data, shared by its .c files only.
 *
 * Rule of access: a field under "owner" is touched by the owner's thread only,
 * one under "worker" by that worker's thread only (by the owner once that
 * thread has ended); everything shared is _Atomic.
 */
#ifndef TELAR_SCHED_INTERNAL_H
#define TELAR_SCHED_INTERNAL_H

#include "atomic.h"
#include "cacheline.h"
#include "eventcount.h"
#include "index_queue.h"
#include "sched.h"

#include "../os/os.h"

/* State word of a slot: the state in the low byte, the worker above it. */
enum {
  SLOT_OWNED,
  SLOT_QUEUED,
  SLOT_CLAIMED,
  SLOT_CONDEMNED,
  SLOT_CANCELLED,
  SLOT_DONE
};
#define SLOT_STATE(word) ((word) & 0xffu)
#define SLOT_WORKER(word) ((word) >> 8)
#define SLOT_WORD(state, worker) ((uint32_t)(state) | ((worker) << 8))

/* A slot is handed from thread to thread as a whole: every plain field belongs
 * to whoever the state word says, and travels with the queue's release. */
typedef struct sched_slot {
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t state;
  uint32_t places;     /* places of the worker this task takes */
  uint64_t created_ns; /* when the task was made */
  uint64_t started_ns; /* when a worker claimed it */
  uint64_t ran_ns;     /* how long it ran */
  uint64_t block;      /* 1 + offset of the payload block in use or kept, or SLOT_NO_BLOCK */
  uint64_t block_capacity;
  uint64_t spare;  /* likewise, the block that the last growth replaced */
  bool block_used;  /* the present encoding lies in `block` */
  bool cancellable; /* the state may be changed under the worker's hands */
} sched_slot;
#define IDLE_BITS 32u /* workers in a word of sched.idle */
#define SLOT_NO_BLOCK 0u

/* What a worker's sleeper word says. Only the worker writes AWAKE and PARKED_*,
 * wakers only move PARKED_* on; so each park is ended by one waker at most. */
enum {
  AWAKE,
  PARKED_IDLE, /* may be summoned for the ready queue */
  PARKED_FULL, /* has no place left: only its lane can wake it */
  SUMMONED,    /* woken to search; counts in `searching` already */
  NOTIFIED     /* woken for its lane, or to close */
};

typedef enum worker_phase { WORKER_FREE, WORKER_PRESENT } worker_phase;

typedef struct sched_worker {
  /* shared: places taken, by claims (worker) and lane pushes (owner) */
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t usage;
  /* shared: the sleeper word */
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t sleeper;
  _Atomic uint32_t closing;
  telar_index_queue *lane;
  /* worker */
  TELAR_CACHELINE_ALIGNED bool awake; /* counts in sched.awake */
  bool searching;                     /* counts in sched.searching */
  bool standby;                       /* counts in sched.standby */
  bool parked;
  bool holds_place; /* of the task that ended last, for the next one */
  uint64_t slice_end_ns;
  uint64_t dry_since_ns; /* ran out of work at; 0 while it has some */
  uint64_t gap_ns;       /* moving average of how long it stays dry */
  uint32_t seen_submits;
  _Atomic uint64_t completed; /* written by the worker, read by any thread */
  _Atomic uint32_t ready;     /* set by the worker: its handler is loaded */
  telar_histogram *metric[2]; /* by telar_sched_metric */
  char *metric_memory;
  /* owner */
  TELAR_CACHELINE_ALIGNED worker_phase phase;
} sched_worker;

typedef struct sched_metrics {
  telar_histogram_snapshot retired;  /* of workers that are gone */
  telar_histogram_snapshot baseline; /* at the last reset */
} sched_metrics;

struct telar_sched {
  telar_sched_config config;
  sched_slot *slots;
  sched_worker *workers;
  telar_index_queue *ready;
  telar_index_queue *done;
  sched_metrics *metrics[2]; /* owner; by telar_sched_metric */

  /* owner */
  TELAR_CACHELINE_ALIGNED uint32_t outstanding;
  uint32_t table_end; /* 1 + highest index in use */
  uint64_t ran_ns;    /* moving average of the running time, 0: none ended yet */

  /* shared, written at changes of sleep only */
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t searching; /* workers that look for work, or were summoned to */
  _Atomic uint32_t awake;                             /* attached workers that are not parked */
  _Atomic uint32_t standby;                           /* parked workers that look again by a timer */
  _Atomic uint32_t watch_claims;
  _Atomic uint32_t *idle; /* bit w: worker w is PARKED_IDLE (a hint: the sleeper word decides) */

  /* written by the owner, read by workers */
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t submits; /* free-running: tells a parked worker that the pool is in use */
  _Atomic uint32_t lazy; /* tasks are so short that waking a second worker costs more than it brings */

  TELAR_CACHELINE_ALIGNED telar_eventcount owner_sleep;
  _Atomic int32_t nap; /* completions that need not wake a napping owner; 0 when it does not nap */
};

/* sched_wake.c */
void telar_sched_wake_one(telar_sched *s);
void telar_sched_wake_for_ready(telar_sched *s);
void telar_sched_wake_worker(telar_sched *s, uint32_t worker);
void telar_sched_wake_unanswered(telar_sched *s);
void telar_sched_stop_searching(telar_sched *s, sched_worker *w);
bool telar_sched_idle_any(const telar_sched *s);
void telar_sched_resume(telar_sched *s, uint32_t worker);
int32_t telar_sched_park(telar_sched *s, uint32_t worker);
void telar_sched_forget_sleep(telar_sched *s, uint32_t worker);

/* sched.c */
void telar_sched_drop_large_block(telar_sched *s, sched_slot *slot);
void telar_sched_give_back(telar_sched *s, uint32_t slot);
void telar_sched_end_nap(telar_sched *s);

static inline void sched_ring(const telar_sched *s, uint32_t worker)
{
  s->config.wake(s->config.wake_context, worker);
}

/* One turn of waiting for another thread that is between two stores. It may
 * have lost its processor: from time to time, offer ours. */
static inline void sched_wait_turn(uint32_t *turns)
{
  if (++*turns % 64 == 0) {
    telar_os_yield();
  } else {
    telar_os_relax();
  }
}

static inline bool sched_has_place(const telar_sched *s, const sched_worker *w)
{
  return atomic_load_explicit(&w->usage, memory_order_relaxed) < s->config.concurrency;
}

#endif
