/*
 * sched_ready.h - the ready queue: slots that any worker may claim.
 *
 * FOR     the order of waiting tasks. Only this file and sched_ready.c know it: the highest
 *         priority first, and within a priority first in, first out. (The bound on the wait of low
 *         priorities is in sched_choice.c, since it counts the tasks that a worker starts.)
 *
 * USE     memory = zeroed, aligned to TELAR_CACHELINE, telar_sched_ready_size(config) bytes
 *         sched_ready *ready = telar_sched_ready_init(memory, config);
 *         sched_ready_push(ready, slot, level);                  // owner
 *         sched_ready_publish_if_due(ready, outstanding);        // owner
 *         while (sched_ready_claim(ready, &slot)) ...            // any thread
 *
 * THREADS push, publish, publish_if_due, sweep: the owner. The others: any thread.
 *
 * ORDER   What was written to a slot before its push is visible after its claim. A push that ended
 *         before a fence (W1) is seen by has_next after the paired fence (W2, W4).
 *
 * LEVELS  Each priority has a queue of its own. That of priority 0 is always there. While it is the
 *         only one in use (is_plain), the others cost one load of a word that does not change. A
 *         set of bits says which of the others may have slots. Only the owner writes it: it adds a
 *         level before it pushes to it, and removes one after it has found it empty (sweep), which
 *         no other thread can change. So a level that has a slot is in the set, and workers that
 *         find a level of the set empty pass over it.
 *
 * PUBLISHING While workers have enough to do, new slots are published to them one cache line at a
 *         time. Otherwise they would read each line while it is being written. A
 *         slot can be claimed, and has_next sees it, as soon as it is pushed. has_published and
 *         length count it only once it is published. A worker that runs out of work checks
 *         has_next.
 *
 * SPACE   Never full: each queue has as many cells as there are slots, and a slot is in one queue
 *         at most, once. The queue of a priority is set up when that is used first, so the memory
 *         of the others stays untouched.
 */
#ifndef TELAR_CORE_SCHED_READY_H
#define TELAR_CORE_SCHED_READY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backoff.h"
#include "index_queue.h"
#include "sched.h"
#include "sched_levels.h"
#include "sched_slot.h"

/* With fewer outstanding tasks each slot is published at once; with more, this many together. */
#define SCHED_READY_PUBLISH_AT_ONCE 48u
#define SCHED_READY_PUBLISH_EVERY 16u

/* A separate type, so that only these files can reach the queues. */
typedef struct sched_ready {
  /* Written by the owner. Levels other than that of priority 0 that may have slots. */
  TELAR_CACHELINE_ALIGNED _Atomic uint64_t levels[SCHED_LEVEL_WORDS];
  _Atomic uint32_t levels_used; /* how many bits of `levels` are set */
  /* owner */
  sched_levels made;    /* levels whose queues have been set up */
  sched_levels pending; /* levels with slots that have not been published */
  uint32_t slots, start;
  char *memory; /* the queues of the levels */
  /* of priority 0; its cells follow */
  telar_index_queue queue;
} sched_ready;

/* A task that may be claimed. */
typedef struct sched_candidate {
  uint32_t level;
  uint64_t created_ns;
} sched_candidate;

/* Bytes to allocate for init. pre, here and for init: the config is valid. */
size_t telar_sched_ready_size(const telar_sched_config *config);

/* Call it before the queue is shared. There is no matching destroy. */
sched_ready *telar_sched_ready_init(void *memory, const telar_sched_config *config);

void telar_sched_ready_push_level_(sched_ready *ready, uint32_t slot, uint32_t level);
void telar_sched_ready_publish_levels_(sched_ready *ready);
bool telar_sched_ready_has_published_level_(sched_ready *ready);
bool telar_sched_ready_has_level_(sched_ready *ready);
bool telar_sched_ready_claim_highest_(sched_ready *ready, uint32_t *slot);
uint32_t telar_sched_ready_levels_length_(sched_ready *ready);
void telar_sched_ready_sweep_(sched_ready *ready);

/* The task to claim next; false: there is none. `slots`: the scheduler's. */
bool telar_sched_ready_first(sched_ready *ready, const sched_slot *slots, sched_candidate *first);

/* The oldest of the tasks that are next at their priority; false: there is none. */
bool telar_sched_ready_oldest(sched_ready *ready, const sched_slot *slots, sched_candidate *oldest);

/* Claims the next slot of a level; false: there is none. */
bool telar_sched_ready_claim_at(sched_ready *ready, uint32_t level, uint32_t *slot);

/* Whether only priority 0 is in use. Relaxed: W1 and W2 order it; otherwise a task may be noticed a
 * moment later. */
static inline bool sched_ready_is_plain(const sched_ready *ready) {
  return atomic_load_explicit(&ready->levels_used, memory_order_relaxed) == 0;
}

/* Publishes everything that was pushed. Owner. */
static inline void sched_ready_publish(sched_ready *ready) {
  telar_index_queue_publish_sp(&ready->queue);
  if (!sched_ready_is_plain(ready)) {
    telar_sched_ready_publish_levels_(ready);
  }
}

/* Adds a slot at the end of its level. Owner. */
static inline void sched_ready_push(sched_ready *ready, uint32_t slot, uint32_t level) {
  if (level != SCHED_LEVEL_NORMAL) {
    telar_sched_ready_push_level_(ready, slot, level);
    return;
  }
  /* Only AGAIN is possible: the consumer of the cell's last value is about to free it. */
  for (uint32_t turns = 0; telar_index_queue_push_sp_deferred(&ready->queue, slot) != TELAR_OK;) {
    telar_backoff(&turns);
  }
}

/* After a push: publishes, unless that can wait. `outstanding`: tasks with the scheduler. Owner. */
static inline void sched_ready_publish_if_due(sched_ready *ready, uint32_t outstanding) {
  if (outstanding < SCHED_READY_PUBLISH_AT_ONCE || outstanding % SCHED_READY_PUBLISH_EVERY == 0) {
    sched_ready_publish(ready);
  }
}

/* Removes the levels that are empty from the set. Owner, when it has nothing else to do: this reads
 * cache lines that workers write to. */
static inline void sched_ready_sweep(sched_ready *ready) {
  if (!sched_ready_is_plain(ready)) {
    telar_sched_ready_sweep_(ready);
  }
}

static inline bool sched_ready_pop_(telar_index_queue *queue, uint32_t *slot) {
  for (uint32_t turns = 0;;) {
    telar_status status = telar_index_queue_pop_mc(queue, slot);
    if (status != TELAR_AGAIN) {
      return status == TELAR_OK;
    }
    telar_backoff(&turns);
  }
}

/* Claims the next slot, published or not; false: there is none. Any thread. */
static inline bool sched_ready_claim(sched_ready *ready, uint32_t *slot) {
  return sched_ready_is_plain(ready) ? sched_ready_pop_(&ready->queue, slot)
                                     : telar_sched_ready_claim_highest_(ready, slot);
}

/* Whether there is a published slot. Does not read the cache line that the owner writes to. */
static inline bool sched_ready_has_published(sched_ready *ready) {
  return !telar_index_queue_is_empty(&ready->queue) ||
         (!sched_ready_is_plain(ready) && telar_sched_ready_has_published_level_(ready));
}

/* Whether there is a slot, published or not. */
static inline bool sched_ready_has_next(sched_ready *ready) {
  return telar_index_queue_has_next(&ready->queue) ||
         (!sched_ready_is_plain(ready) && telar_sched_ready_has_level_(ready));
}

/* Number of published slots. May be outdated when it returns. */
static inline uint32_t sched_ready_length(sched_ready *ready) {
  return telar_index_queue_length(&ready->queue) +
         (sched_ready_is_plain(ready) ? 0 : telar_sched_ready_levels_length_(ready));
}

#endif
