/*
 * ring_wait: how the ends of a ring sleep until there is a record, or room for one, and
 * who wakes them. No thread sleeps in this code.
 *
 * FOR     event loops (asynchronous waits: a bell rings, one for each thread) and blocked
 *         threads (synchronous waits: Atomics.wait on a word of the ring) that wait at the
 *         same ring, on either side.
 *
 * USE     after every call of ring.h, and after a cancel (notify is free when nothing was done):
 *
 *           status = telar_ring_send(end, data, length);
 *           late = telar_ring_notify(end, ring_bell, context, &wake);
 *           if (status == TELAR_OK && late != TELAR_OK) status = late;
 *           if (wake != 0) Atomics.notify, see TELAR_RING_WAKE_FIRST
 *
 *         an event loop that waits            a blocked thread that waits
 *
 *         try; got one? done                  try; got one? done
 *         telar_ring_wait(end, side, need)    telar_ring_wait_sync(end, side, need, &event)
 *         try; got one, or failed?            try; got one, or failed?
 *           telar_ring_wait_cancel(end, side)   telar_ring_wait_cancel(end, side)
 *         else                                else
 *           return to the event loop            Atomics.wait(event word of end, event, slice)
 *         when the bell rings:                  telar_ring_wait_cancel(end, side)
 *           from the top                        from the top
 *
 *         `try` is a call of ring.h with its notify. On EMPTY, FULL and AGAIN the thread may
 *         sleep. If it gives up (timeout, signal), it cancels and notifies, so that a wake-up
 *         meant for it goes to another. If its other side is deserted (below), it may fail
 *         instead of sleeping.
 *
 * THREADS all calls: the thread of the end. The wake callback is called in it, for any
 *         other thread, or for this one.
 *
 * WHO IS WOKEN  One at a time, round the table: an end that publishes or gives back wakes one,
 *         and an end that was woken and leaves something behind wakes the next. A sender is
 *         picked only if what it needs fits now. close, abort, and the last end of the other
 *         side that is detached wake all.
 *
 * PROGRESS notify is lock-free and bounded; without waiters it costs a fence and some
 *         loads from two lines. The others are wait-free.
 *
 * SOURCE  Dekker's handshake, as in eventcount.h: publish, fence, look for sleepers against
 *         announce, fence, look once more. The event words are sequences as in Drepper's
 *         "Futexes are tricky"; C only increments them: native code never sleeps on one.
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

/*
 * What is left to the caller of notify: blocked threads to be woken by Atomics.notify(event word,
 * 1). 0: none.
 *
 *   if (wake & TELAR_RING_WAKE_FIRST)   notify the event word of endpoint wake >> 8 & 255
 *   if (wake & TELAR_RING_WAKE_SECOND)  notify the event word of endpoint wake >> 16 & 255
 *   if (wake & TELAR_RING_WAKE_ALL)     notify the event words of all TELAR_RING_ENDPOINTS
 */
enum { TELAR_RING_WAKE_FIRST = 1u, TELAR_RING_WAKE_SECOND = 2u, TELAR_RING_WAKE_ALL = 4u };

/*
 * Rings the bell of a thread: the end in place `endpoint` of the table, which waits by its event
 * loop, should try again. The two numbers come from shared memory: the callee looks the thread up,
 * and ignores one that it does not know or that is gone (its detach passes the wake-up on). It has
 * to know by itself which channel this is about. Must not block, nor call into the same ring.
 */
typedef void (*telar_ring_wake_fn)(void *context, uint32_t thread, uint32_t endpoint);

/*
 * Wakes ends that can go on now, given all that this end did since the last notify. Then checks
 * whether the ring was closed meanwhile. *wake: TELAR_RING_WAKE_*. CLOSED: receivers had seen the
 * end of the closed ring before anything was sent or committed since the last notify: none of that
 * was received or ever will be. Call notify after each call of ring.h, so that this is about one
 * call. Else OK. Works for an end that is not attached.
 */
telar_status telar_ring_notify(telar_ring_end *end, telar_ring_wake_fn wake_fn, void *context,
                               uint32_t *wake);

/*
 * Announces that this end waits by its event loop. Try once more after it. need: bytes of the
 * record that waits to be sent (of the first one, in a batch), 0 for a receiver. The announcement
 * ends when a bell rings or with cancel; announcing again is allowed at any time. INVALID: not
 * attached.
 */
telar_status telar_ring_wait(telar_ring_end *end, telar_ring_side side, uint32_t need);

/*
 * Announces that this thread is about to block. Try once more, then call Atomics.wait until the
 * end's event word is no longer *event, for a bounded time, then cancel in any case. This replaces
 * the announcement by telar_ring_wait for this side, since the event loop will not turn: announce
 * that again afterwards. INVALID: not attached.
 */
telar_status telar_ring_wait_sync(telar_ring_end *end, telar_ring_side side, uint32_t need,
                                  int32_t *event);

/* Takes back an announcement of either kind. If the end was picked meanwhile, the next notify
 * passes the wake-up on. True: it was still announced, so no bell will ring for it. */
bool telar_ring_wait_cancel(telar_ring_end *end, telar_ring_side side);

/* Where the event word of an endpoint lies, in bytes from the start of the ring's memory: an int32,
 * for Atomics.wait and Atomics.notify. The same in every ring; endpoints lie at equal distances. */
uint64_t telar_ring_event_offset(uint32_t endpoint);

/*
 * The other side had ends, and all of them are gone (detached) without a close: nobody is left
 * to send what receivers wait for, or to receive what senders wait for. An attached end that has
 * not sent or received yet may do either, and counts for both sides. False as long as nobody ever
 * sent (received), and again when another end comes. Check it after the announcement and the last
 * try; records in the ring can still be received.
 */
bool telar_ring_is_deserted(const telar_ring_end *end, telar_ring_side side);

#ifdef __cplusplus
}
#endif

#endif
