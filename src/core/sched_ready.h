/*
 * sched_ready.h - the ready queue: slots that any worker may claim.
 *
 * FOR     the order of waiting tasks. Only this file knows it. Here it is first in, first out; for
 *         another order, change this file. What an order depends on is in the config, or becomes an
 *         argument of sched_ready_push.
 *
 * USE     memory = zeroed, aligned to TELAR_CACHELINE, sched_ready_size(config) bytes
 *         sched_ready *ready = sched_ready_init(memory, config);
 *         sched_ready_push(ready, slot);                         // owner
 *         sched_ready_publish_if_due(ready, outstanding);        // owner
 *         while (sched_ready_claim(ready, &slot)) ...            // any thread
 *
 * THREADS push, publish, publish_if_due: the owner. claim, has_published, has_next, length: any
 *         thread.
 *
 * ORDER   What was written to a slot before its push is visible after its claim. A push that ended
 *         before a fence (W1) is seen by has_next after the paired fence (W2, W4).
 *
 * PUBLISHING While workers have enough to do, new slots are published to them one cache line at a
 *         time. Otherwise they would read each line while it is being written. A slot can be
 * claimed, and has_next sees it, as soon as it is pushed. has_published and length count it only
 * once it is published. A worker that runs out of work checks has_next.
 *
 * SPACE   Never full: there are as many cells as slots, and a slot is in the queue at most once.
 */
#ifndef TELAR_CORE_SCHED_READY_H
#define TELAR_CORE_SCHED_READY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index_queue.h"
#include "sched.h"
#include "backoff.h"

/* With fewer outstanding tasks each slot is published at once; with more, this many together. */
#define SCHED_READY_PUBLISH_AT_ONCE 48u
#define SCHED_READY_PUBLISH_EVERY 16u

/* A separate type, so that only this file can reach the queue. Its cells follow it. */
typedef struct sched_ready {
  telar_index_queue queue;
} sched_ready;

/* Bytes to allocate for init. pre, here and for init: the config is valid. */
static inline size_t sched_ready_size(const telar_sched_config *config) {
  return telar_index_queue_size(config->slots);
}

/* Call it before the queue is shared. There is no matching destroy. */
static inline sched_ready *sched_ready_init(void *memory, const telar_sched_config *config) {
  telar_index_queue *queue = NULL;
  telar_index_queue_init(memory, config->slots, config->start, &queue);
  return (sched_ready *)(void *)queue;
}

/* Publishes everything that was pushed. Owner. */
static inline void sched_ready_publish(sched_ready *ready) {
  telar_index_queue_publish_sp(&ready->queue);
}

/* Adds a slot at the end. Owner. */
static inline void sched_ready_push(sched_ready *ready, uint32_t slot) {
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

/* Claims the next slot, published or not; false: there is none. Any thread. */
static inline bool sched_ready_claim(sched_ready *ready, uint32_t *slot) {
  for (uint32_t turns = 0;;) {
    telar_status status = telar_index_queue_pop_mc(&ready->queue, slot);
    if (status != TELAR_AGAIN) {
      return status == TELAR_OK;
    }
    telar_backoff(&turns);
  }
}

/* Whether there is a published slot. Does not read the cache line that the owner writes to. */
static inline bool sched_ready_has_published(sched_ready *ready) {
  return !telar_index_queue_is_empty(&ready->queue);
}

/* Whether there is a slot, published or not. */
static inline bool sched_ready_has_next(sched_ready *ready) {
  return telar_index_queue_has_next(&ready->queue);
}

/* Number of published slots. May be outdated when it returns. */
static inline uint32_t sched_ready_length(sched_ready *ready) {
  return telar_index_queue_length(&ready->queue);
}

#endif
