/*
 * eventcount: lets one thread sleep without missing the wake-up for work that arrives while it
 * falls asleep. The rule: announce the sleep, then check for work once more.
 *
 * FOR     a thread that waits for work from any number of other threads, and whose bell
 *         (uv_async, a semaphore, a flag) is expensive to ring: work that arrives while the
 *         thread is awake must not ring it, and each sleep must be ended by exactly one ring.
 *
 * USE     the sleeper, one thread                 a notifier, any thread
 *
 *         for (;;) {                              publish(work);
 *           while (take(&work)) run(work);        if (telar_eventcount_notify(&events))
 *           telar_eventcount_prepare(&events);      ring(bell);
 *           if (no_work())
 *             wait_for(bell);
 *           telar_eventcount_cancel(&events);
 *         }
 *
 *         The bell must remember: a ring before the wait ends the wait. It may ring without
 *         need: if the last check finds work just as a notifier acts, cancel returns true, and
 *         a ring follows that has nothing to report. A sleeper that can also be woken in other
 *         ways (a timer) follows the same steps: cancel, check for work, continue.
 *
 * THREADS prepare and cancel: the sleeper only, alternating. notify: any thread, after it has
 *         published.
 *
 * PROGRESS All calls are wait-free. While the sleeper is awake, notify costs a fence and a
 *         load. It never waits for the sleeper.
 *
 * SOURCE  the eventcount of Reed and Kanodia, in Dmitry Vyukov's form, for a single sleeper.
 *         The store-load handshake is Dekker's.
 *
 * WHY NO WAKE-UP IS LOST
 *         Assume the opposite: after its last S1 the sleeper sleeps for good, some published
 *         work X was never seen by it, and the notifier of X has returned.
 *
 *           sleeper                              notifier
 *           S1 state = SLEEPING                  N1 publish X
 *           S2 fence                             N2 fence
 *           S3 check for work                    N3 read state
 *           S4 sleep until the bell rings        N4 SLEEPING -> NOTIFIED; ring if this succeeded
 *
 *         S2 and N2 are sequentially consistent fences, so one of them comes first.
 *         - N2 first: what precedes N2 is visible to what follows S2, so S3 sees X. Then the
 *           sleeper did not sleep, a contradiction.
 *         - S2 first: N3 reads the value of S1 or a later one. After the last S1 the sleeper
 *           writes nothing until its bell rings (only cancel would, and that ends the sleep).
 *           So N3 reads SLEEPING, or NOTIFIED from another notifier.
 *           SLEEPING: the compare-and-swap of N4 either succeeds, and this notifier rings, or
 *           fails because that of another notifier succeeded. NOTIFIED: that of another
 *           notifier succeeded. In each case exactly one notifier of this sleep got true and
 *           rings. The bell remembers, so the sleeper wakes and checks again: a contradiction.
 *         It is exactly one, because only S1 writes SLEEPING and only one compare-and-swap can
 *         replace it.
 *
 *         S1 and N3 order nothing by themselves: the fences S2 and N2 do. The work itself
 *         travels by its own release and acquire, such as R1 and A1 of index_queue.h.
 */
#ifndef TELAR_CORE_EVENTCOUNT_H
#define TELAR_CORE_EVENTCOUNT_H

#include "atomic.h"

enum {
  TELAR_EVENTCOUNT_AWAKE = 0,    /* checks for work by itself: no notifier rings */
  TELAR_EVENTCOUNT_SLEEPING = 1, /* has announced that it will sleep: the next notifier rings */
  TELAR_EVENTCOUNT_NOTIFIED = 2  /* one notifier rings, or has rung: no other one does */
};

/*
 * invariant: prepare changes AWAKE to SLEEPING, notify changes SLEEPING to NOTIFIED, and cancel
 * changes any state to AWAKE. There are no other changes.
 */
typedef struct telar_eventcount {
  _Atomic uint32_t state;
} telar_eventcount;

/* Starts with the sleeper awake. Call it before the eventcount is shared. */
static inline void telar_eventcount_init(telar_eventcount *eventcount) {
  atomic_init(&eventcount->state, TELAR_EVENTCOUNT_AWAKE);
}

/*
 * Announces that the sleeper is about to sleep. The sleeper must check for work once more after
 * this call, and must call cancel after it has found work or has slept. pre: awake (just
 * initialized, or the previous call was cancel).
 */
static inline void telar_eventcount_prepare(telar_eventcount *eventcount) {
  /* S1. Relaxed: S2 orders it. A plain store is enough, because no notifier changes AWAKE. */
  atomic_store_explicit(&eventcount->state, TELAR_EVENTCOUNT_SLEEPING, memory_order_relaxed);
  /* S2: pairs with N2, telar_eventcount_notify. */
  atomic_thread_fence(memory_order_seq_cst);
}

/*
 * The sleeper is awake again. True: a notification was consumed, and its notifier has rung the bell
 * or is about to.
 */
static inline bool telar_eventcount_cancel(telar_eventcount *eventcount) {
  /* A3: acquires R3, the notification. What its notifier published is visible. */
  return atomic_exchange_explicit(&eventcount->state, TELAR_EVENTCOUNT_AWAKE,
                                  memory_order_acquire) == TELAR_EVENTCOUNT_NOTIFIED;
}

/*
 * Reports that something was published. True: the sleeper may be asleep, and the caller, and only
 * the caller, must ring its bell.
 */
static inline bool telar_eventcount_notify(telar_eventcount *eventcount) {
  /* N2: pairs with S2, telar_eventcount_prepare. */
  atomic_thread_fence(memory_order_seq_cst);
  /* N3. Relaxed: N2 orders it. A load comes first, because the sleeper is awake most of the time
   * and a load leaves the cache line shared. */
  uint32_t seen = atomic_load_explicit(&eventcount->state, memory_order_relaxed);
  if (seen != TELAR_EVENTCOUNT_SLEEPING) return false;
  /* N4, R3: released to A3. Strong: a failure must mean that another notifier was first. Relaxed on
   * failure: nothing is read then. */
  return atomic_compare_exchange_strong_explicit(&eventcount->state, &seen,
                                                 TELAR_EVENTCOUNT_NOTIFIED, memory_order_release,
                                                 memory_order_relaxed);
}

#endif
