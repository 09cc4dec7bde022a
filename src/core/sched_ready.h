/*
 * sched_ready.h - the ready queue: slots that any worker may claim.
 *
 * FOR     the order of waiting tasks. Nothing else knows it: here it is first in,
 *         first out, and another order is a change of this file. What an order goes
 *         by is in the config, or becomes an argument of sched_ready_push.
 *
 * USE     memory = zeroed, aligned to TELAR_CACHELINE, sched_ready_size(config) bytes
 *         sched_ready *ready = sched_ready_init(memory, config);
 *         sched_ready_push(ready, slot);                         // owner
 *         sched_ready_publish_if_due(ready, outstanding);          // owner
 *         while (sched_ready_claim(ready, &slot)) ...            // any thread
 *
 * THREADS push, tell, tell_in_time: the owner. claim, has_told, has_next, length: any thread.
 *
 * ORDER   What was written to a slot before its push is visible after its claim. A push
 *         that ended before a fence (W1) is seen by has_next behind its partner (W2, W4).
 *
 * TELLING While workers have enough to do they are told of new slots a cache line's worth
 *         at a time: else they would read each line as it is being written. A slot that
 *         was pushed can be claimed and is seen by has_next at once; has_told and length
 *         count it once told of. A worker that runs dry looks with has_next.
 *
 * SPACE   Never full: as many cells as slots, and a slot is there once at most.
 */
#ifndef TELAR_CORE_SCHED_READY_H
#define TELAR_CORE_SCHED_READY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index_queue.h"
#include "sched.h"
#include "backoff.h"

/* With fewer tasks outstanding workers hear of each at once, with more of so many together. */
#define SCHED_READY_PUBLISH_AT_ONCE 48u
#define SCHED_READY_PUBLISH_EVERY 16u

/* A type of its own, so that only this file reaches the queue. Its cells follow it. */
typedef struct sched_ready {
  telar_index_queue queue;
} sched_ready;

/* Bytes to give to init. pre, here and there: the config is valid. */
static inline size_t sched_ready_size(const telar_sched_config *config) {
  return telar_index_queue_size(config->slots);
}

/* Before the queue is shared; there is nothing to undo. */
static inline sched_ready *sched_ready_init(void *memory, const telar_sched_config *config) {
  telar_index_queue *queue = NULL;
  telar_index_queue_init(memory, config->slots, config->start, &queue);
  return (sched_ready *)(void *)queue;
}

/* Tells workers of all that was pushed. Owner. */
static inline void sched_ready_publish(sched_ready *ready) {
  telar_index_queue_publish_sp(&ready->queue);
}

/* Owner. */
static inline void sched_ready_push(sched_ready *ready, uint32_t slot) {
  /* AGAIN only: the popper of the cell's last value is about to free it. */
  for (uint32_t turns = 0; telar_index_queue_push_sp_deferred(&ready->queue, slot) != TELAR_OK;) {
    telar_backoff(&turns);
  }
}

/* After a push: tells, unless that can wait. `outstanding`: tasks with the scheduler. Owner. */
static inline void sched_ready_publish_if_due(sched_ready *ready, uint32_t outstanding) {
  if (outstanding < SCHED_READY_PUBLISH_AT_ONCE || outstanding % SCHED_READY_PUBLISH_EVERY == 0) {
    sched_ready_publish(ready);
  }
}

/* Takes the slot whose turn it is, told of or not; false: there is none. Any thread. */
static inline bool sched_ready_claim(sched_ready *ready, uint32_t *slot) {
  for (uint32_t turns = 0;;) {
    telar_status status = telar_index_queue_pop_mc(&ready->queue, slot);
    if (status != TELAR_AGAIN) {
      return status == TELAR_OK;
    }
    telar_backoff(&turns);
  }
}

/* Whether there is a slot that was told of: keeps off the line that the owner writes to. */
static inline bool sched_ready_has_published(sched_ready *ready) {
  return !telar_index_queue_is_empty(&ready->queue);
}

/* Whether there is a slot, told of or not. */
static inline bool sched_ready_has_next(sched_ready *ready) {
  return telar_index_queue_has_next(&ready->queue);
}

/* Slots that were told of. Out of date when it returns. */
static inline uint32_t sched_ready_length(sched_ready *ready) {
  return telar_index_queue_length(&ready->queue);
}

#endif
