/*
 * sched.h - the pool's scheduler: hands task slots from one owner thread to
 * many worker threads and back.
 *
 * A task is a SLOT, a small index. The scheduler never sees the task's value:
 * that lies in the payload area of the slot, which the caller owns. Life of a
 * slot (the state word; everything else about a task hangs on it):
 *
 *     OWNED --submit--> QUEUED --next--> CLAIMED(w) --complete--> DONE --drain--> OWNED
 *                          |                 |
 *                        cancel            cancel
 *                          v                 v
 *                      CANCELLED        CONDEMNED(w) --complete--> CANCELLED
 *                          |                                          |
 *                          +----- comes back through drain as well ---+
 *
 *     slots of a worker that died: CLAIMED(w) | CONDEMNED(w) --retire--> OWNED
 *
 * Slots go through one READY queue (sched_ready.h) that every worker pulls from, or through
 * the LANE of one worker (a custom balancer, tasks that travel by MessagePort,
 * tasks that need a worker to themselves). Each worker has `concurrency`
 * PLACES. A claim from the ready queue takes a place; a push to a lane takes
 * it beforehand, so a task in a lane never waits behind one from the ready
 * queue.
 *
 * Threads. "owner" functions: only the thread that created the scheduler.
 * "worker" functions: only the thread attached under that index. "any": all.
 * No function blocks; `next` and `poll` spin for a bounded time (tens of
 * microseconds at most, not at all where there are too few CPUs).
 *
 * Progress. submit, drain, complete are lock-free; next is lock-free apart
 * from its bounded spin. A thread may be killed between two calls, never
 * inside one, so no queue is ever left half-changed.
 *
 * Wake-ups. Sleepers announce themselves, then look once more; producers
 * publish, then look for sleepers (sequentially consistent fences on both
 * sides: labels W1 to W5 in sched_wake.c, D1 and D2 in sched_done.c). A submit wakes no worker
 * while another one is searching. A searcher that finds work wakes the next one while work
 * is left (the scheme of Go's and Tokio's schedulers).
 *
 * Memory. The caller provides it, zeroed: telar_sched_size, then telar_sched_init
 * in place. Nothing is allocated afterwards.
 */
#ifndef TELAR_SCHED_H
#define TELAR_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"
#include "slab.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct telar_sched telar_sched;

/* No worker, no slot. */
#define TELAR_SCHED_NONE UINT32_MAX

#define TELAR_SCHED_SLOTS_MAX 65536u
#define TELAR_SCHED_WORKERS_MAX 32768u
#define TELAR_SCHED_CONCURRENCY_MAX 65535u
/* A payload block up to this size stays with its slot, for the next value. */
#define TELAR_SCHED_KEEP_BLOCK_BYTES 4096u

/* Rings the bell of a sleeping thread: a worker's, or the owner's for
 * TELAR_SCHED_NONE. Called from any thread, possibly after that worker is gone
 * or another has its index: the callee guards itself. Must not block. */
typedef void (*telar_wake_fn)(void *context, uint32_t worker);

typedef struct telar_sched_config {
  uint32_t slots;       /* tasks handed over and not yet drained, power of two from 2 */
  uint32_t workers;     /* size of the worker table, from 1 */
  uint32_t concurrency; /* places of a worker, from 1 */
  uint32_t cpus;        /* processors the process may use; 1 switches spinning off */
  uint32_t start;       /* first position of the queues; tests start near wrap-around */
  bool timing;          /* record histograms of waiting and running time */
  telar_slab *slab;     /* payload blocks of the slots; may be NULL when none are used */
  telar_wake_fn wake;
  void *wake_context;
} telar_sched_config;

/* What next() says instead of a slot. */
enum {
  TELAR_NEXT_PARK = -1,    /* nothing to do: sleep until the bell rings */
  TELAR_NEXT_STANDBY = -2, /* the same, but call again after about a millisecond */
  TELAR_NEXT_YIELD = -3,   /* the time slice is over: let the event loop turn, then come again */
  TELAR_NEXT_CLOSED = -4   /* this worker gets no more tasks: it is being retired */
};

/* What a slot takes of the worker whose lane it enters. */
typedef enum telar_lane_mode {
  TELAR_LANE_SHARED,    /* one place, refused when there is none */
  TELAR_LANE_EXCLUSIVE, /* all places, refused unless all are free */
  TELAR_LANE_FORCED     /* one place, beyond the limit if need be */
} telar_lane_mode;

/* Bytes and alignment of a scheduler's memory; 0 when the config is invalid. */
size_t telar_sched_size(const telar_sched_config *config);
size_t telar_sched_align(void);
telar_status telar_sched_init(void *memory, const telar_sched_config *config, telar_sched **out);

/* ---- owner ---- */

/* Enters a worker into the table. FULL when the table has no free place. */
telar_status telar_sched_worker_add(telar_sched *s, uint32_t *worker);

/* OWNED -> QUEUED. `created_ns`: when the task was made, 0 for now.
 * `cancellable`: cancel() may be called for it; others are a little cheaper.
 * INVALID for a slot that is not the owner's. */
telar_status telar_sched_submit(telar_sched *s, uint32_t slot, bool cancellable,
                                uint64_t created_ns);

/* Reserves places of a worker for a task that is to enter its lane. A caller that sends the
 * worker something ahead of the task reserves first: it cannot take back what it sent. BUSY: no
 * place is free (nothing changed). OK: submit_to or unreserve has to follow. */
telar_status telar_sched_reserve(telar_sched *s, uint32_t worker, telar_lane_mode mode,
                                 uint32_t *places);
/* Gives reserved places back: the task does not come. Rings the owner if it watches for a place. */
telar_status telar_sched_unreserve(telar_sched *s, uint32_t worker, uint32_t places);

/* OWNED -> QUEUED, in the lane of a worker that has reserved `places` for it. Always
 * cancellable. There is room for any number of slots. */
telar_status telar_sched_submit_to(telar_sched *s, uint32_t slot, uint32_t worker, uint32_t places,
                                   uint64_t created_ns);

/* Takes finished and cancelled slots back: DONE | CANCELLED -> OWNED. Returns
 * how many, at most `max`, in `out`. */
uint32_t telar_sched_drain(telar_sched *s, uint32_t *out, uint32_t max);

/* drain, but when nothing is there spins for up to `spin_ns` while tasks are
 * outstanding and recent ones were short. */
uint32_t telar_sched_poll(telar_sched *s, uint32_t *out, uint32_t max, uint64_t spin_ns);

/* Before the owner goes back to its event loop: true, the bell will ring for
 * the next completion; false, there is one already, drain again. */
bool telar_sched_owner_sleep(telar_sched *s);

/* The same for an owner that drains again by a timer, in about a millisecond. With many
 * short tasks outstanding, a ring for the first of them would cost a worker more than the
 * task. *naps: workers ring only when a quarter of the outstanding tasks has come back, or
 * when they run out of work. Where a nap is not worth it, this is owner_sleep, and *naps is
 * false. */
bool telar_sched_owner_nap(telar_sched *s, bool *naps);

/* The owner is going to poll soon: until it sleeps again, completions do not ring. */
void telar_sched_owner_awake(telar_sched *s);

typedef enum telar_cancel_result {
  TELAR_CANCEL_DONE,    /* already finished: it is on its way back */
  TELAR_CANCEL_QUEUED,  /* taken out; the slot comes back through drain, withdraw or retire */
  TELAR_CANCEL_RUNNING, /* *worker runs it and claims nothing from now on: terminate it */
  TELAR_CANCEL_INVALID  /* not a slot in flight, or not cancellable */
} telar_cancel_result;
telar_cancel_result telar_sched_cancel(telar_sched *s, uint32_t slot, uint32_t *worker);

/* The same for a slot in the lane of the worker `closes`, which is to end together with the
 * task (TELAR_SCHED_NONE: no worker). Unless the answer is DONE or INVALID, that worker claims
 * nothing from now on, not even in the place of the slot that was taken out. */
telar_cancel_result telar_sched_cancel_closing(telar_sched *s, uint32_t slot, uint32_t closes,
                                               uint32_t *worker);

/* Ends a worker that has nothing to do: true, it will claim nothing any more
 * (terminate it); false, it is busy. */
bool telar_sched_worker_close_idle(telar_sched *s, uint32_t worker);

/* Tells a worker to claim nothing after its present tasks. */
void telar_sched_worker_close(telar_sched *s, uint32_t worker);

/* After the worker's thread has ended (and after a drain): gives back, in
 * `out`, the slots it had claimed, then those that waited in its lane; all are
 * OWNED again. Returns how many; *claimed says how many of them were claimed.
 * Call again while the answer equals `max`. The index is free for reuse when
 * fewer than `max` came. */
uint32_t telar_sched_worker_retire(telar_sched *s, uint32_t worker, uint32_t *out, uint32_t max,
                                   uint32_t *claimed);

/* Takes back slots that nobody has claimed yet, from the ready queue, in its
 * order. All are OWNED again. This and retire also give back cancelled slots. */
uint32_t telar_sched_withdraw(telar_sched *s, uint32_t *out, uint32_t max);

/* Slots in the ready queue. Approximate while workers run. Tells workers of all that was
 * submitted, as drain and poll do: with many tasks waiting, submit alone tells of several
 * together (a worker that runs out of work finds them all the same). */
uint32_t telar_sched_ready_length(telar_sched *s);
/* Submitted and not yet drained. */
uint32_t telar_sched_outstanding(const telar_sched *s);
/* The owner's bell rings once: at the next claim, or when a worker runs out of work. For a task
 * that waits for the ready queue to empty, or for a place. */
void telar_sched_watch_claims(telar_sched *s);
/* Places of a worker in use or reserved; any thread, approximate. */
uint32_t telar_sched_worker_usage(const telar_sched *s, uint32_t worker);
/* Tasks a worker has completed; any thread. */
uint64_t telar_sched_worker_completed(const telar_sched *s, uint32_t worker);

/* The worker has said that it is ready for tasks (telar_sched_worker_set_ready). */
bool telar_sched_worker_is_ready(const telar_sched *s, uint32_t worker);

typedef enum telar_sched_metric {
  TELAR_METRIC_WAIT, /* from a task's making to its claim */
  TELAR_METRIC_RUN,  /* from its claim to its completion */
  TELAR_METRIC_COUNT /* not a metric: how many there are */
} telar_sched_metric;
/* Merges a metric over all workers since the last reset (worker
 * TELAR_SCHED_NONE), or one worker's since it was added. */
void telar_sched_histogram(telar_sched *s, telar_sched_metric metric, uint32_t worker,
                           telar_histogram_snapshot *out);
void telar_sched_histogram_reset(telar_sched *s, telar_sched_metric metric);

/* ---- payload blocks ----
 * A slot holds at most one block in use; growing keeps the old one until the
 * next call, so that the caller can copy. The owner may call these for slots
 * it OWNs, a worker for slots it has CLAIMED. */
telar_status telar_sched_block_alloc(telar_sched *s, uint32_t slot, uint32_t worker, uint64_t bytes,
                                     uint64_t *offset, uint64_t *capacity);
telar_status telar_sched_block_free(telar_sched *s, uint32_t slot, uint32_t worker);

/* ---- worker ---- */

/* The thread of `worker` is there and can be woken. INVALID: no such worker was
 * added, or it is attached already. */
telar_status telar_sched_worker_attach(telar_sched *s, uint32_t worker);

/* Everything that tasks need is loaded: rings the owner's bell once. */
void telar_sched_worker_set_ready(telar_sched *s, uint32_t worker);

/* The worker's event loop calls in: a new time slice begins. To be called
 * before the first next() after every park, standby or yield. */
void telar_sched_worker_resume(telar_sched *s, uint32_t worker);

/* Completes `done` (TELAR_SCHED_NONE: nothing) and claims the next slot.
 * Returns a slot or one of TELAR_NEXT_*. */
int32_t telar_sched_next(telar_sched *s, uint32_t worker, uint32_t done);

/* Whether a worker has claimed that slot and not completed it: only then it may write to the
 * slot's payload. */
bool telar_sched_holds(const telar_sched *s, uint32_t worker, uint32_t slot);

/* Completes a slot without claiming another (asynchronous tasks). INVALID, and nothing
 * changes, for a slot that this worker does not hold; next() ignores such a `done`. Call next()
 * soon: nobody rings this worker for the place that has come free. */
telar_status telar_sched_complete(telar_sched *s, uint32_t worker, uint32_t slot);

#ifdef __cplusplus
}
#endif
#endif
