/*
 * sched.h - the pool's scheduler: hands task slots from one owner thread to many worker threads and
 * back.
 *
 * A task is a SLOT, a small index. The scheduler never sees the task's value: that lies in the
 * payload area of the slot, which the caller owns. Life of a slot (its state word, which controls
 * everything else about the task):
 *
 *     OWNED --submit--> QUEUED --next--> CLAIMED(w) --complete--> DONE --drain--> OWNED
 *                          |               |     |
 *                       cancel             |   tell
 *                          |               |     v
 *                          |            cancel  TOLD(w) --cancel--+
 *                          |               |     |                |
 *                          |               |  complete            |
 *                          |               v     |                |
 *                          |         CONDEMNED(w)|<---------------+
 *                          |               |     |
 *                          |          complete   |
 *                          v               v     v
 *                          +-------> CANCELLED <-+   also comes back through drain
 *
 *     TOLD(w) --stop--> STOPPED(w): the same as TOLD, but the worker is to end the task itself
 *
 *     slots of a worker that died:
 *     CLAIMED(w) | TOLD(w) | STOPPED(w) | CONDEMNED(w) --retire--> OWNED
 *
 * A slot goes through the READY queue (sched_ready.h), from which every worker takes tasks, or
 * through the LANE of one worker (for a custom balancer, for tasks that travel by MessagePort, and
 * for tasks that need a worker to themselves), or through the AGENDA of one worker (for tasks that
 * have a key, or are for that worker). Each worker has `concurrency` PLACES. A claim from the ready
 * queue or the agenda takes a place. For a lane, the place is taken before the push, so a task in a
 * lane never waits for a task from the ready queue.
 *
 * Priorities. Of the tasks in the ready queue and in its agenda, a worker starts one of the highest
 * priority, and of these the oldest. But at every TELAR_SCHED_AGED_TURN-th start it takes the
 * oldest of all, if that has waited for TELAR_SCHED_AGED_NS: a task which is that old, and for
 * which k older ones wait, is started after at most TELAR_SCHED_AGED_TURN * (k + 1) starts of a
 * worker that may run it.
 *
 * Keys. Tasks of one key run on one worker, one after the other, in the order of their submission,
 * whatever their priorities are. Keys are hashes: those that are equal in TELAR_SCHED_KEYS are one.
 * A key gets the worker that has the fewest keys, and stays with it as long as the worker is there.
 * Only if that worker has more than its share, and no task of the key is outstanding, the key goes
 * to the worker that has the fewest. When a worker is retired, its keys get other workers, and the
 * tasks of these that it had not claimed are moved there.
 *
 * Threads. "owner" functions: only the thread that created the scheduler. "worker" functions: only
 * the thread attached under that index. "any": every thread. No function blocks. `next` and `poll`
 * spin for a bounded time: tens of microseconds at most, and not at all if there are too few CPUs.
 *
 * Progress. submit, drain and complete are lock-free; next is lock-free apart from its bounded
 * spin. A thread may be killed between two calls, never inside one, so no queue is ever left half
 * changed.
 *
 * Wake-ups. A sleeper announces its sleep, then checks for work once more. A producer publishes
 * work, then checks for sleepers. Both have a sequentially consistent fence in between (labels W1
 * to W5 in sched_wake.c, D1 and D2 in sched_done.c). A submit wakes no worker while another one is
 * searching. A searching worker that finds work wakes the next one if work is left (the scheme of
 * Go's and Tokio's schedulers).
 *
 * Memory. The caller provides it, zeroed: telar_sched_size, then telar_sched_init in place. The
 * memory for the histograms of a worker is asked for when its index is first used. Nothing else is
 * allocated afterwards.
 *
 * Times are in nanoseconds on the clock of telar_os_now_ns. Usable from C++.
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

/* As an argument or result: no worker, no slot. */
#define TELAR_SCHED_NONE UINT32_MAX

#define TELAR_SCHED_SLOTS_MAX 65536u
#define TELAR_SCHED_WORKERS_MAX 32768u
#define TELAR_SCHED_CONCURRENCY_MAX 65535u
/* A payload block up to this many bytes stays with its slot, for the next value. */
#define TELAR_SCHED_KEEP_BLOCK_BYTES 4096u

#define TELAR_SCHED_PRIORITY_MIN (-100)
#define TELAR_SCHED_PRIORITY_MAX 100
#define TELAR_SCHED_KEYS 65536u /* keys that are told apart */
#define TELAR_SCHED_AGED_NS UINT64_C(1000000000)
#define TELAR_SCHED_AGED_TURN 16u

/* Rings the bell of a sleeping thread: of a worker, or of the owner for TELAR_SCHED_NONE. Called
 * from any thread, possibly after that worker is gone or its index belongs to another one; the
 * callback has to handle this. It must not block. */
typedef void (*telar_wake_fn)(void *context, uint32_t worker);

/* Returns memory for the histograms of a worker: zeroed, aligned to telar_sched_align(),
 * telar_sched_worker_size() bytes, which must stay until the scheduler is gone. NULL: there is
 * none. Called in the owner's thread, once for each index. */
typedef void *(*telar_memory_fn)(void *context, uint32_t worker);

typedef struct telar_sched_config {
  uint32_t slots; /* capacity for tasks submitted and not yet drained: a power of two, 2 to 65536 */
  uint32_t workers;     /* size of the worker table, 1 to 32768 */
  uint32_t concurrency; /* places of a worker, 1 to 65535 */
  uint32_t cpus;        /* CPUs that the process may use, from 1; 1 turns spinning off */
  uint32_t start;       /* first position of the queues; tests start near wrap-around */
  bool timing;          /* record histograms of wait and run times */
  telar_slab *slab;     /* payload blocks of the slots; may be NULL if none are used */
  telar_wake_fn wake;
  telar_memory_fn memory; /* may be NULL without timing */
  void *context;          /* of the two callbacks */
} telar_sched_config;

/* What next() returns instead of a slot. */
enum {
  TELAR_NEXT_PARK = -1,    /* nothing to do: sleep until the bell rings */
  TELAR_NEXT_STANDBY = -2, /* the same, but call again after about a millisecond */
  TELAR_NEXT_YIELD = -3,   /* the time slice has ended: return to the event loop, then call again */
  TELAR_NEXT_CLOSED = -4,  /* this worker gets no more tasks: it is being closed */
  TELAR_NEXT_LEFT = -5     /* this worker was told to leave, and holds no task any more */
};

/* What a slot takes of the worker whose lane it enters. */
typedef enum telar_lane_mode {
  TELAR_LANE_SHARED,    /* one place; BUSY if none is free */
  TELAR_LANE_EXCLUSIVE, /* all places; BUSY unless all are free */
  TELAR_LANE_FORCED     /* one place, beyond the limit if necessary */
} telar_lane_mode;

/* Bytes and alignment of a scheduler's memory; size is 0 if the config is invalid. init: INVALID if
 * the config is invalid, or memory or out is NULL or memory is not aligned. pre: the memory is
 * zeroed. */
size_t telar_sched_size(const telar_sched_config *config);
size_t telar_sched_align(void);
size_t telar_sched_worker_size(void);
telar_status telar_sched_init(void *memory, const telar_sched_config *config, telar_sched **out);

/* ---- owner ---- */

/* Adds a worker to the table. FULL: the table has no free entry. NO_MEMORY: there is no memory for
 * its histograms. */
telar_status telar_sched_worker_add(telar_sched *s, uint32_t *worker);

/* OWNED -> QUEUED. `created_ns`: when the task was created; 0: now. `cancellable`: cancel() may be
 * called for it; other slots are a little cheaper. INVALID: the slot is not OWNED. */
telar_status telar_sched_submit(telar_sched *s, uint32_t slot, bool cancellable,
                                uint64_t created_ns);

/* Where a task goes, and when. Zeroes are not a route: key and worker have to be set. */
typedef struct telar_sched_route {
  int32_t priority; /* TELAR_SCHED_PRIORITY_MIN to _MAX; 0 is that of submit */
  uint32_t key;     /* a hash of the key; TELAR_SCHED_NONE: no key */
  uint32_t worker;  /* runs on this worker or not at all; TELAR_SCHED_NONE: on any. With a key: the
                       worker that hold_key returned */
  telar_lane_mode mode; /* the places that it takes, when it is claimed: SHARED or EXCLUSIVE */
} telar_sched_route;

/* OWNED -> QUEUED, in the ready queue (no key, no worker), or in the agenda of a worker. A task
 * with a key waits if there is no worker. `cancellable`, `created_ns`: as in submit. INVALID: the
 * slot is not OWNED, no such priority or worker, or EXCLUSIVE without key and worker. */
telar_status telar_sched_submit_routed(telar_sched *s, uint32_t slot,
                                       const telar_sched_route *route, bool cancellable,
                                       uint64_t created_ns);

/* Submits a slot that withdraw or retire gave back as it was submitted before: same priority, key,
 * age, but for any worker. INVALID: the slot is not OWNED. */
telar_status telar_sched_resubmit(telar_sched *s, uint32_t slot);

/* Binds a key to its worker, and returns that; NONE: there is no worker. For a caller that sends
 * the worker something ahead of a task with this key. Unless NONE: submit_routed with this key and
 * worker, or release_key, must follow. */
uint32_t telar_sched_hold_key(telar_sched *s, uint32_t key);
void telar_sched_release_key(telar_sched *s, uint32_t key);

/* The worker with the fewest tasks, for a task that is to be bound to one; NONE: there is none. */
uint32_t telar_sched_pick_worker(telar_sched *s);

/* The same although no place is free there. NONE also if tasks take long (another worker may be
 * free first), are in the ready queue, or have limits, for which a worker may be ended. */
uint32_t telar_sched_pick_ahead(telar_sched *s);

/* Reserves places of a worker for a task that will enter its lane; *places receives how many. A
 * caller that sends the worker something ahead of the task reserves first, because it cannot take
 * back what it has sent. BUSY: no place is free, and nothing changed. INVALID: no such worker. OK:
 * submit_to or unreserve must follow. */
telar_status telar_sched_reserve(telar_sched *s, uint32_t worker, telar_lane_mode mode,
                                 uint32_t *places);
/* Gives reserved places back: the task does not come. Rings the owner if it watches for a free
 * place. INVALID: no such worker. */
telar_status telar_sched_unreserve(telar_sched *s, uint32_t worker, uint32_t places);

/* OWNED -> QUEUED, in the lane of a worker that has reserved `places` for it. Always cancellable. A
 * lane has room for all slots. INVALID: the slot is not OWNED, no such worker, or places is 0. */
telar_status telar_sched_submit_to(telar_sched *s, uint32_t slot, uint32_t worker, uint32_t places,
                                   uint64_t created_ns);

/* Takes finished and cancelled slots back: DONE | CANCELLED -> OWNED. Stores them in `out` and
 * returns how many, at most `max`. */
uint32_t telar_sched_drain(telar_sched *s, uint32_t *out, uint32_t max);

/* As drain. If nothing is there, spins for up to `spin_ns` while tasks are outstanding and recent
 * tasks were short. spin_ns 0: no spin. */
uint32_t telar_sched_poll(telar_sched *s, uint32_t *out, uint32_t max, uint64_t spin_ns);

/* How long the owner should spin for a result rather than sleep: as long as a wake-up takes. */
uint64_t telar_sched_spin_ns(const telar_sched *s);

/* As poll, for an owner that has nothing else to do: it spins for longer, if that has paid before.
 * Now and then it offers its CPU to other threads, since the worker may need it. So it also spins
 * if there is one CPU. */
uint32_t telar_sched_await(telar_sched *s, uint32_t *out, uint32_t max);

/* Call it before the owner returns to its event loop. True: the bell will ring for the next
 * completion. False: there is a completion already; drain again. */
bool telar_sched_owner_sleep(telar_sched *s);

/* After owner_sleep or owner_nap: whether the owner must call it again in about a millisecond, by a
 * timer, if its bell does not ring before. Tasks wait for a worker that has been woken; if it does
 * not respond by then, another one is woken. */
bool telar_sched_owner_looks_again(const telar_sched *s);

/* As owner_sleep, for an owner that will drain again by a timer, in about a millisecond. With many
 * short tasks outstanding, ringing for the first of them would cost a worker more than the task.
 * *naps is true: workers ring only when a quarter of the outstanding tasks has come back, or when
 * they run out of work. *naps is false: a nap is not worth it, and this was owner_sleep. */
bool telar_sched_owner_nap(telar_sched *s, bool *naps);

/* The owner will poll soon: completions do not ring until it sleeps again. */
void telar_sched_owner_awake(telar_sched *s);

typedef enum telar_cancel_result {
  TELAR_CANCEL_DONE,    /* already finished: the slot is on its way back */
  TELAR_CANCEL_QUEUED,  /* taken out; the slot comes back through drain, withdraw or retire */
  TELAR_CANCEL_RUNNING, /* *worker runs it and claims nothing from now on: terminate that worker */
  TELAR_CANCEL_INVALID  /* not a slot in flight, or not cancellable */
} telar_cancel_result;
telar_cancel_result telar_sched_cancel(telar_sched *s, uint32_t slot, uint32_t *worker);

/* The same for a slot in the lane of the worker `closes`, which is to end together with the task
 * (TELAR_SCHED_NONE: no worker). Unless the result is DONE or INVALID, that worker claims nothing
 * from now on, not even instead of the cancelled slot. */
telar_cancel_result telar_sched_cancel_closing(telar_sched *s, uint32_t slot, uint32_t closes,
                                               uint32_t *worker);

/* Cancels a slot that was submitted with a key or for a worker, if no worker has claimed it. True:
 * it comes back through drain, withdraw or retire. */
bool telar_sched_cancel_routed(telar_sched *s, uint32_t slot);

/* As cancel, but the worker that runs the task lives on (TELAR_CANCEL_RUNNING): the caller tells
 * the task, and its slot comes back when it has ended, without its result. cancel may follow, and
 * condemns the task then. `grace_ns`: after that time telar_sched_overdue reports the slot;
 * UINT64_MAX: never. INVALID also for a task that was told before. */
telar_cancel_result telar_sched_tell(telar_sched *s, uint32_t slot, uint64_t grace_ns,
                                     uint32_t *worker);

/* Sets the grace of a task that was told anew, from now on. */
void telar_sched_limit_grace(telar_sched *s, uint32_t slot, uint64_t grace_ns);

/* Takes a slot out that no worker has claimed yet. False: one has, or there is no such task. */
bool telar_sched_cancel_queued(telar_sched *s, uint32_t slot);

/* Stops a task that was told: TOLD -> STOPPED. OVER: there is no such task. The owner's part of an
 * interrupt (sched_interrupt.c). `may_hit`: the caller can interrupt the code of a worker.
 * `grace_ns`: as for tell. */
typedef enum telar_stop_result {
  TELAR_STOP_OVER,
  TELAR_STOP_NOTED, /* *worker was rung, and drops the task at the next turn of its event loop */
  TELAR_STOP_HIT    /* *worker must be interrupted: it stays in the code of the task until it was */
} telar_stop_result;
telar_stop_result telar_sched_stop(telar_sched *s, uint32_t slot, bool may_hit, uint64_t grace_ns,
                                   uint32_t *worker);

/* For a task that was stopped: whether its worker runs what the task has left, and must be
 * interrupted once more. Call it when the worker has rung, and only while no interrupt for the task
 * is on its way. */
bool telar_sched_stop_again(telar_sched *s, uint32_t slot, uint32_t *worker);

/* The interrupt for that task was carried out, and none is on its way any more. To be called only
 * before the slot comes back. */
void telar_sched_interrupt_spent(telar_sched *s, uint32_t worker, uint32_t slot);

/*
 * ---- limits ----
 * A slot may have limits of the time that its task waits, from its creation to its claim, and runs,
 * from its claim on. Nothing happens at the end of a limit: the owner asks what is overdue.
 */

/* Sets the limits of a slot, for the submit that follows, which must be cancellable. 0: no limit.
 * They last until the slot comes back. INVALID: the slot is not OWNED. */
telar_status telar_sched_limit(telar_sched *s, uint32_t slot, uint64_t queue_ns, uint64_t run_ns);

typedef enum telar_sched_limit_kind {
  TELAR_LIMIT_QUEUE, /* it still waits: telar_sched_cancel_queued */
  TELAR_LIMIT_RUN,   /* it still runs: telar_sched_cancel or telar_sched_tell */
  TELAR_LIMIT_GRACE  /* it was told and still runs: telar_sched_cancel */
} telar_sched_limit_kind;
typedef struct telar_sched_late {
  uint32_t slot;
  uint32_t limit; /* a telar_sched_limit_kind */
} telar_sched_late;
/* Stores the slots that are over a limit in `out` and returns how many, at most `max`. A slot is
 * reported again until it is cancelled. *wait_ns receives after what time to call again: no other
 * limit can end earlier; UINT64_MAX: there is none. Takes time linear in the number of slots. */
uint32_t telar_sched_overdue(telar_sched *s, telar_sched_late *out, uint32_t max,
                             uint64_t *wait_ns);

/* Closes a worker that has nothing to do. True: it will claim nothing any more; terminate it.
 * False: it is busy. */
bool telar_sched_worker_close_idle(telar_sched *s, uint32_t worker);

/* Closes a worker: it claims nothing after its current tasks. */
void telar_sched_worker_close(telar_sched *s, uint32_t worker);

/* Lets a worker leave: it claims nothing more from the ready queue. When its current tasks and
 * those in its lane are done, next() returns TELAR_NEXT_LEFT to it, and the owner's bell rings. The
 * owner reserves no more places of it. */
void telar_sched_worker_leave(telar_sched *s, uint32_t worker);

/* Whether a worker that was told to leave has reported that its thread may be ended
 * (telar_sched_worker_set_gone). Any thread. */
bool telar_sched_worker_is_gone(const telar_sched *s, uint32_t worker);

/* Call it after the worker's thread has ended, and after a drain. Gives back, in `out`, the slots
 * that the worker had claimed, then those that waited in its lane and those that were bound to it;
 * all are OWNED again. Returns how many; *claimed receives how many of them were claimed. Call it
 * again while the result equals `max`. If it is less than `max`, the index is free for reuse. Tasks
 * of keys that waited in its agenda are not given back: they go to other workers at the next
 * drain. */
uint32_t telar_sched_worker_retire(telar_sched *s, uint32_t worker, uint32_t *out, uint32_t max,
                                   uint32_t *claimed);

/* Takes back slots that no worker has claimed yet from the ready queue, in its order, and those
 * that wait because there is no worker. All are OWNED again. withdraw and retire also give back
 * cancelled slots. */
uint32_t telar_sched_withdraw(telar_sched *s, uint32_t *out, uint32_t max);

/* Number of slots in the ready queue; approximate while workers run. Publishes all submitted slots
 * to the workers, as drain and poll do: while many tasks wait, submit publishes several together (a
 * worker that runs out of work finds them anyway). */
uint32_t telar_sched_ready_length(telar_sched *s);
/* Number of slots submitted and not yet drained. */
uint32_t telar_sched_outstanding(const telar_sched *s);
/* Makes the owner's bell ring once: at the next claim, or when a worker runs out of work. For a
 * task that waits for the ready queue to empty, or for a free place. */
void telar_sched_watch_claims(telar_sched *s);
/* Rings the bell of a worker or, for TELAR_SCHED_NONE, of the owner, whether or not it sleeps. Any
 * thread. */
void telar_sched_notify(const telar_sched *s, uint32_t worker);
/* Places of a worker that are in use or reserved. Any thread; approximate. */
uint32_t telar_sched_worker_usage(const telar_sched *s, uint32_t worker);
/* Number of tasks a worker has completed since it was added. Any thread. */
uint64_t telar_sched_worker_completed(const telar_sched *s, uint32_t worker);
/* Number of tasks that a worker runs now. Any thread; approximate. */
uint32_t telar_sched_worker_running(const telar_sched *s, uint32_t worker);

/* Whether the worker has reported that it is ready for tasks (telar_sched_worker_set_ready). Any
 * thread. */
bool telar_sched_worker_is_ready(const telar_sched *s, uint32_t worker);

/* The worker that has claimed a slot and not completed it, or TELAR_SCHED_NONE. Owner. The worker
 * may complete it at any time. */
uint32_t telar_sched_claimed_by(const telar_sched *s, uint32_t slot);
/* When a slot was last claimed, also after its worker was retired. Owner. 0 for a slot that is
 * being claimed at this moment. */
uint64_t telar_sched_started_ns(const telar_sched *s, uint32_t slot);

typedef enum telar_sched_metric {
  TELAR_METRIC_WAIT, /* from the creation of a task to its claim */
  TELAR_METRIC_RUN,  /* from its claim to its completion */
  TELAR_METRIC_COUNT /* not a metric: the number of metrics */
} telar_sched_metric;
/* Merges a metric into *out: over all workers since the last reset (worker TELAR_SCHED_NONE), or of
 * one worker since it was added. Empty if the config has no timing. */
void telar_sched_histogram(telar_sched *s, telar_sched_metric metric, uint32_t worker,
                           telar_histogram_snapshot *out);
void telar_sched_histogram_reset(telar_sched *s, telar_sched_metric metric);

/*
 * ---- payload blocks ----
 * A slot has at most one block in use. Growing keeps the old block until the next call, so that the
 * caller can copy. The owner (worker TELAR_SCHED_NONE) may call these for slots it OWNs, a worker
 * for slots it has CLAIMED. INVALID: neither, or there is no slab. Sizes and offsets are in bytes;
 * other results as telar_slab_alloc.
 */
telar_status telar_sched_block_alloc(telar_sched *s, uint32_t slot, uint32_t worker, uint64_t bytes,
                                     uint64_t *offset, uint64_t *capacity);
telar_status telar_sched_block_free(telar_sched *s, uint32_t slot, uint32_t worker);

/* ---- worker ---- */

/* The thread of `worker` has started and can be woken. INVALID: no such worker was added, or it is
 * already attached. */
telar_status telar_sched_worker_attach(telar_sched *s, uint32_t worker);

/* Everything that tasks need is loaded. Rings the owner's bell once. */
void telar_sched_worker_set_ready(telar_sched *s, uint32_t worker);

/* A worker that has left is done with what it does at its end. Rings the owner's bell once. */
void telar_sched_worker_set_gone(telar_sched *s, uint32_t worker);

/* Starts a new time slice. The worker's event loop calls it before the first next() after every
 * park, standby or yield. */
void telar_sched_worker_resume(telar_sched *s, uint32_t worker);

/* Completes `done` (TELAR_SCHED_NONE: nothing) and claims the next slot. Returns a slot or one of
 * TELAR_NEXT_*. */
int32_t telar_sched_next(telar_sched *s, uint32_t worker, uint32_t done);

/* Whether a worker has claimed that slot and not completed it. Only then may it write to the slot's
 * payload. */
bool telar_sched_holds(const telar_sched *s, uint32_t worker, uint32_t slot);

/* Completes a slot without claiming another (for asynchronous tasks). INVALID, and nothing changes,
 * for a slot that this worker does not hold; next() ignores such a `done`. Call next() soon:
 * nothing rings this worker for the place that has become free. */
telar_status telar_sched_complete(telar_sched *s, uint32_t worker, uint32_t slot);

/*
 * Interrupts. The code of the worker may be hit only between window_open and window_close, which it
 * calls for a task that it holds.
 */
/* False: the task was stopped, and must not run. */
bool telar_sched_window_open(telar_sched *s, uint32_t worker, uint32_t slot);
/* Opens the window for what the code of the task has left, also if the task was stopped. Then the
 * owner is rung. */
void telar_sched_window_reopen(telar_sched *s, uint32_t worker, uint32_t slot);
typedef enum telar_window {
  TELAR_WINDOW_CLOSED,
  TELAR_WINDOW_MARKED, /* an interrupt is on its way: the worker has to stay where it may be hit */
  TELAR_WINDOW_SPENT   /* closed: the interrupt has come, and the worker went on */
} telar_window;
telar_window telar_sched_window_close(telar_sched *s, uint32_t worker, uint32_t slot);
/* The worker was hit. It completes the slot next. */
void telar_sched_window_was_hit(telar_sched *s, uint32_t worker);
/* Whether the owner has stopped a task that this worker holds. */
bool telar_sched_is_stopped(const telar_sched *s, uint32_t worker, uint32_t slot);

#ifdef __cplusplus
}
#endif
#endif
