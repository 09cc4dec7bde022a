/*
 * sched_slot.h - a slot as the scheduler keeps it. Included by the scheduler's .c files and its
 * ready queue only.
 *
 * A slot is handed from thread to thread as a whole. The state word tells which thread owns its
 * plain fields; the release of a queue hands them over.
 */
#ifndef TELAR_SCHED_SLOT_H
#define TELAR_SCHED_SLOT_H

#include "atomic.h"
#include "cacheline.h"

/* State word of a slot: the state in the low byte, the worker above it. */
enum {
  SLOT_OWNED,
  SLOT_QUEUED,
  /* these four: a worker has it (sched_is_held) */
  SLOT_CLAIMED,
  SLOT_TOLD,
  SLOT_STOPPED,
  SLOT_CONDEMNED,
  SLOT_CANCELLED,
  SLOT_DONE
};
#define SLOT_STATE(word) ((word)&0xffu)
#define SLOT_WORKER(word) ((word) >> 8)
#define SLOT_WORD(state, worker) ((uint32_t)(state) | ((worker) << 8))

#define SLOT_NO_BLOCK 0u

/* The fields that every task uses come first, in 64 bytes: one cache line of most processors. */
typedef struct sched_slot {
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t state;
  uint16_t places;  /* places of the worker that this task takes */
  uint8_t level;    /* its priority, counted from the lowest one (sched_levels.h) */
  bool cancellable; /* the owner may change the state while a worker has the slot */
  /* When the task was created. Atomic, because a worker that compares the ages of waiting tasks may
   * read it while another one claims the slot; relaxed, because it then only sees another age. */
  _Atomic uint64_t created_ns;
  /* When a worker claimed it; 0: not yet. Written by the worker, read by the owner for limits and
   * reports. */
  _Atomic uint64_t started_ns;
  uint64_t ran_ns; /* run time */
  uint64_t block;  /* 1 + offset of the payload block in use or kept, or SLOT_NO_BLOCK */
  uint64_t block_capacity;
  uint64_t spare;   /* the same for the block that the last growth replaced */
  bool block_used;  /* `block` holds the current value */
  bool lends_place; /* its worker keeps the place for the next task */
  bool limited;     /* owner: `limits` has something for it, and it counts in sched.limited */
  bool is_routed;   /* it goes through the agenda of a worker; false while it is OWNED */
  bool has_key;
  bool is_bound; /* it stays with its worker, even if that ends */
  uint32_t key;  /* if it has one: its index in sched.keys */
  /* Only if it is routed. */
  uint32_t worker;    /* owner: in whose agenda it is, or TELAR_SCHED_NONE: it waits for a worker */
  uint32_t successor; /* worker: 1 + the next task of the same key that it has; 0: none */
} sched_slot;

/* Limits of a slot, for the owner alone. 0: none. */
typedef struct sched_limits {
  uint64_t queue_ns;
  uint64_t run_ns;
  uint64_t grace_end_ns; /* when a task that was told to stop has to have ended */
} sched_limits;

#endif
