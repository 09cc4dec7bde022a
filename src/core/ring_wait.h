/*
 * ring_wait: how the ends of a ring sleep until there is a record, or room for one, and
 * who wakes them. No thread sleeps in this code.
 *
 * FOR     event loops (asynchronous waits: a bell rings, one for each thread) and blocked
 *         threads (synchronous waits: Atomics.wait on a word of the ring) that wait at the
 *         same ring, on either side.
 *
 * USE     after every call of ring.h that did something (notify does nothing, cheaply, if
 *         none did), and after telar_ring_wait_cancel:
 *
 *           status = telar_ring_send(end, data, length);
 *           late = telar_ring_notify(end, ring_bell, context, &wake);
 *           if (status == TELAR_OK && late != TELAR_OK) status = late;
 *           if (wake & TELAR_RING_WAKE_RECEIVER) Atomics.notify(word of receivers, 1)
 *           ...
 *
 *         an event loop that waits            a blocked thread that waits
 *
 *         try; got one? done                  try; got one? done
 *         telar_ring_wait(end, side, need)    event = telar_ring_wait_sync(end, side)
 *         try; got one, or failed?            try; got one, or failed?
 *           telar_ring_wait_cancel(end, side)   telar_ring_wait_sync_cancel(end, side)
 *         else                                else
 *           return to the event loop            Atomics.wait(word of side, event, slice)
 *         when the bell rings:                  telar_ring_wait_sync_cancel(end, side)
 *           from the top                        from the top
 *
 *         `try` is one of ring.h with its notify. EMPTY, FULL and AGAIN: it may sleep. One that is picked
 *         and gives up (timeout, signal) cancels and notifies, so that the wake-up goes to the
 *         next. A deserted side (below) may fail instead of sleeping.
 *
 * THREADS all calls: the thread of the end. The wake callback is called in it, for any
 *         other thread.
 *
 * WHO IS WOKEN  One at a time: whoever publishes or gives back wakes one, and whoever was
 *         woken and leaves something behind wakes the next. Blocked threads and event loops
 *         take turns where both wait; event loops are picked round the table. A sender is
 *         picked only if what it needs fits (blocked ones say no need). close, abort and the
 *         end of the last end of a side wake all.
 *
 * PROGRESS notify is lock-free and bounded; without waiters it costs a fence and some
 *         loads of two lines. The others are wait-free.
 *
 * SOURCE  Dekker's handshake, as in eventcount.h: publish, fence, look for sleepers against
 *         announce, fence, look once more. The event word is a futex-style sequence (Drepper,
 *         "Futexes are tricky"), which C only increments: native code never sleeps on it.
 *
 * Usable from C++.
 */
#ifndef TELAR_CORE_RING_WAIT_H
#define TELAR_CORE_RING_WAIT_H

#include "ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an end waits for. */
typedef enum telar_ring_side {
  TELAR_RING_RECEIVERS = 0, /* a record */
  TELAR_RING_SENDERS = 1    /* room */
} telar_ring_side;

/* What is left to the caller of notify: Atomics.notify(event word of the side, 1 or Infinity). */
enum {
  TELAR_RING_WAKE_RECEIVER = 1u,
  TELAR_RING_WAKE_RECEIVERS = 2u, /* all of them; with this, TELAR_RING_WAKE_RECEIVER says nothing */
  TELAR_RING_WAKE_SENDER = 4u,
  TELAR_RING_WAKE_SENDERS = 8u
};

/*
 * Rings the bell of a thread: the end in place `endpoint` of the table, which it has announced,
 * should try again. The two numbers come from shared memory: the callee looks the thread up,
 * ignores one that it does not know or that is gone (its detach passes the wake-up on), and finds the channel
 * by itself. Must not block, nor call into the same ring.
 */
typedef void (*telar_ring_wake_fn)(void *context, uint32_t thread, uint32_t endpoint);

/*
 * Wakes who can go on now, for all that this end did since the last notify, and looks whether
 * the ring was closed in the midst of it. *wake: TELAR_RING_WAKE_*.
 * CLOSED: the ring was closed, and receivers had seen its end, before what was sent or committed
 * since the last notify: it was not received and never will be. All of it, so call notify after
 * each send. Else OK. Works for an end that is not attached.
 */
telar_status telar_ring_notify(telar_ring_end *end, telar_ring_wake_fn wake_fn, void *context, uint32_t *wake);

/*
 * Announces that this end waits by its event loop. Try once more after it. need: bytes of the
 * record that waits to be sent, 0 for a receiver. Announcing again (after a bell or not) is allowed. INVALID: not
 * attached.
 */
telar_status telar_ring_wait(telar_ring_end *end, telar_ring_side side, uint32_t need);

/* Takes the announcement back. If the end was picked meanwhile, the next notify passes
 * that on. True: it was still announced, so that no bell rings for it any more. */
bool telar_ring_wait_cancel(telar_ring_end *end, telar_ring_side side);

/*
 * Announces that this thread is about to block. Try once more, then Atomics.wait for the event word to change from
 * the answer, for a bounded while, then cancel, in any case. The end's asynchronous
 * announcement for the side, if any, is taken back first, since its event loop will not turn:
 * announce again afterwards. *event: the value to wait on. INVALID: not attached.
 */
telar_status telar_ring_wait_sync(telar_ring_end *end, telar_ring_side side, int32_t *event);
void telar_ring_wait_sync_cancel(telar_ring_end *end, telar_ring_side side);

/* Where the event word of a side lies, in bytes from the start of the ring's memory: an int32,
 * for Atomics.wait and Atomics.notify. The same for every ring. */
uint64_t telar_ring_event_offset(telar_ring_side side);

/*
 * The other side had ends, and all of them are gone (detached) without a close: nobody is left
 * to send what receivers wait for (or to receive what senders wait for). False while nobody
 * ever sent (received), and again when another one comes. Look at it after the announcement; what is in the ring can
 * still be received.
 */
bool telar_ring_is_deserted(const telar_ring_end *end, telar_ring_side side);

#ifdef __cplusplus
}
#endif

#endif
