/*
 * eventcount: how one thread goes to sleep without missing the wake-up for work
 * that arrives while it falls asleep. "Announce, then look once more."
 *
 * FOR     a thread that waits for work from any number of others, and whose bell
 *         (uv_async, a semaphore, a flag) is expensive: work that arrives while it
 *         is awake must not ring, and each sleep must be rung exactly once.
 *
 * USE     the sleeper, one thread           a notifier, any thread
 *
 *         for (;;) {                        publish(work);
 *           while (take(&work)) run(work);  if (telar_eventcount_notify(&events))
 *           telar_eventcount_prepare(&e);     ring(bell);
 *           if (nothing_there())
 *             wait_for(bell);
 *           if (telar_eventcount_cancel(&e)) the bell was rung, or is about to be
 *         }
 *
 *         The bell must remember: a ring before the wait ends the wait. It may
 *         ring without need: when the second look finds work and a notifier was
 *         just as fast, cancel returns true, and a ring will come that has
 *         nothing to say. A sleeper that can be woken in other ways too (a timer)
 *         does the same: cancel, look, go on.
 *
 * THREADS prepare and cancel: the sleeper only, in turns. notify: any thread,
 *         after it has published.
 *
 * PROGRESS All are wait-free. notify costs a fence and a load while the sleeper
 *         is awake; it never waits for the sleeper.
 *
 * SOURCE  the eventcount of Reed and Kanodia in the form of Dmitry Vyukov's, for
 *         a single sleeper; the store-load handshake is Dekker's.
 *
 * WHY NO WAKE-UP IS LOST
 *         Let the sleeper sleep, after its last S1, while some work X lies
 *         published that it never saw, and let its notifier have returned.
 *
 *           sleeper                              notifier
 *           S1 state = SLEEPING                  N1 publish X
 *           S2 fence                             N2 fence
 *           S3 look for work                     N3 read state
 *           S4 sleep until the bell              N4 SLEEPING -> NOTIFIED, and ring if it was me
 *
 *         S2 and N2 are sequentially consistent fences, so one comes first.
 *         - N2 first: what is before N2 is seen by what is after S2. S3 sees X.
 *           The sleeper did not sleep, a contradiction.
 *         - S2 first: N3 reads S1's value or a later one. After the last S1 the
 *           sleeper writes nothing before it is rung (its cancel is what ends the
 *           sleep), so that is SLEEPING, or NOTIFIED by another notifier.
 *           SLEEPING: N4's compare-and-swap either succeeds, then this notifier
 *           rings, or fails because another one's succeeded. NOTIFIED: another
 *           one's succeeded. In each case exactly one notifier of this sleep got
 *           true and rings, the bell remembers, and the sleeper wakes and looks
 *           again: a contradiction.
 *         Exactly one, because only S1 writes SLEEPING and only one
 *         compare-and-swap can take it away.
 *
 *         Neither S1 nor N3 orders anything by itself: the fences do (S2, N2), and
 *         the work travels by its own release and acquire, such as R1 and A1 of
 *         index_queue.h.
 */
#ifndef TELAR_CORE_EVENTCOUNT_H
#define TELAR_CORE_EVENTCOUNT_H

#include "atomic.h"

enum {
  TELAR_EVENTCOUNT_AWAKE = 0,    /* looks for work by itself: nobody rings */
  TELAR_EVENTCOUNT_SLEEPING = 1, /* has announced that it will sleep: the next notifier rings */
  TELAR_EVENTCOUNT_NOTIFIED = 2  /* a notifier rings, or has rung: no other does */
};

/*
 * invariant: AWAKE -> SLEEPING by prepare, SLEEPING -> NOTIFIED by notify,
 * any -> AWAKE by cancel; no other change.
 */
typedef struct telar_eventcount {
  _Atomic uint32_t state;
} telar_eventcount;

/* The sleeper is awake. Before the eventcount is shared. */
static inline void telar_eventcount_init(telar_eventcount *eventcount) {
  atomic_init(&eventcount->state, TELAR_EVENTCOUNT_AWAKE);
}

/*
 * Announces that the sleeper is about to sleep. It must look for work once more
 * after this, and call cancel when it has found some or has slept.
 * pre: awake (just initialised, or the last call was cancel).
 */
static inline void telar_eventcount_prepare(telar_eventcount *eventcount) {
  /* S1. Relaxed: S2 orders it. A plain store, since no notifier leaves AWAKE. */
  atomic_store_explicit(&eventcount->state, TELAR_EVENTCOUNT_SLEEPING, memory_order_relaxed);
  /* S2: pairs with N2, telar_eventcount_notify. */
  atomic_thread_fence(memory_order_seq_cst);
}

/*
 * The sleeper is awake again. True if a notification was consumed: its notifier has
 * rung the bell or is about to.
 */
static inline bool telar_eventcount_cancel(telar_eventcount *eventcount) {
  /* A3: acquires R3, the notification. What its notifier published is there. */
  return atomic_exchange_explicit(&eventcount->state, TELAR_EVENTCOUNT_AWAKE,
                                  memory_order_acquire) == TELAR_EVENTCOUNT_NOTIFIED;
}

/*
 * Says that something was published. True: the sleeper may be asleep, and it is for
 * the caller, and nobody else, to ring its bell.
 */
static inline bool telar_eventcount_notify(telar_eventcount *eventcount) {
  /* N2: pairs with S2, telar_eventcount_prepare. */
  atomic_thread_fence(memory_order_seq_cst);
  /* N3. Relaxed: N2 orders it. A look first: the sleeper is awake most of the time,
   * and a load leaves its line shared. */
  uint32_t seen = atomic_load_explicit(&eventcount->state, memory_order_relaxed);
  if (seen != TELAR_EVENTCOUNT_SLEEPING) return false;
  /* N4, R3: released to A3. Strong: a failure must mean that another was first.
   * Relaxed on failure: there is nothing to read. */
  return atomic_compare_exchange_strong_explicit(&eventcount->state, &seen,
                                                 TELAR_EVENTCOUNT_NOTIFIED, memory_order_release,
                                                 memory_order_relaxed);
}

#endif
