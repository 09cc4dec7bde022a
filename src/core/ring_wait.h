/*
 * ring_wait: how the ends of a ring sleep until there is a record, or room for one, and who wakes
 * them. No thread sleeps inside this code.
 *
 * FOR     event loops (asynchronous waits: a bell rings, one for each thread) and blocked
 *         threads (synchronous waits: Atomics.wait on a word of the ring) that wait on the same
 *         ring, on either side.
 *
 * USE     after every call of ring.h, and after a cancel (notify is free if nothing was done):
 *
 *           status = telar_ring_send(end, data, length);
 *           late = telar_ring_notify(end, ring_bell, context, &wake);
 *           if (status == TELAR_OK && late != TELAR_OK) status = late;
 *           if (wake != 0) Atomics.notify, see TELAR_RING_WAKE_FIRST
 *
 *         an event loop that waits            a blocked thread that waits
 *
 *         try; succeeded? done                try; succeeded? done
 *         telar_ring_wait(end, side, need)    telar_ring_wait_sync(end, side, need, &event)
 *         try; succeeded or failed?           try; succeeded or failed?
 *           telar_ring_wait_cancel(end, side)   telar_ring_wait_cancel(end, side)
 *         else                                else
 *           return to the event loop            Atomics.wait(event word of end, event, slice)
 *         when the bell rings:                  telar_ring_wait_cancel(end, side)
 *           start again                         start again
 *
 *         `try` is a call of ring.h followed by notify. On EMPTY, FULL and AGAIN the thread may
 *         sleep. If it gives up (timeout, signal), it cancels and notifies, so that a wake-up
 *         meant for it goes to another end. If its other side is deserted (below), it may fail
 *         instead of sleeping.
 *
 * THREADS All calls: the thread of the end. It also runs the wake callback, for any other
 *         thread, or for itself.
 *
 * WHICH END IS WOKEN  One at a time, round-robin over the table: an end that publishes or
 *         releases wakes one, and an end that was woken and leaves something behind wakes the
 *         next. A sender is picked only if its record fits now, or if it could drop one. All ends
 * are woken by close, by abort, and when the last end of the other side is detached.
 *
 * PROGRESS notify is lock-free and bounded; without waiters it costs a fence and some loads
 *         from two cache lines. The other calls are wait-free.
 *
 * SOURCE  Dekker's handshake, as in eventcount.h: publish, fence, check for sleepers; against:
 *         announce, fence, check once more. The event words are sequence numbers as in Drepper's
 *         "Futexes are tricky". C only increments them: native code never sleeps on one.
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
 * What the caller of notify has to do: wake blocked threads by Atomics.notify(event word, 1). 0:
 * nothing.
 *
 *   if (wake & TELAR_RING_WAKE_FIRST)   notify the event word of endpoint wake >> 8 & 255
 *   if (wake & TELAR_RING_WAKE_SECOND)  notify the event word of endpoint wake >> 16 & 255
 *   if (wake & TELAR_RING_WAKE_ALL)     notify the event words of all TELAR_RING_ENDPOINTS
 */
enum { TELAR_RING_WAKE_FIRST = 1u, TELAR_RING_WAKE_SECOND = 2u, TELAR_RING_WAKE_ALL = 4u };

/*
 * Rings the bell of a thread: the end at index `endpoint` of the table, which waits in its event
 * loop, should try again. Both numbers come from shared memory, so the callback looks the thread up
 * and ignores a thread that it does not know or that is gone (its detach passes the wake-up on).
 * The callback must know by itself which channel is meant. It must not block or call into the same
 * ring.
 */
typedef void (*telar_ring_wake_fn)(void *context, uint32_t thread, uint32_t endpoint);

/*
 * Wakes ends that can continue, given all that this end did since the last notify. Then checks
 * whether the ring was closed in the meantime. *wake receives TELAR_RING_WAKE_*. CLOSED: receivers
 * had seen the end of the closed ring before this end sent or committed anything since the last
 * notify; none of that was or will be received. Call notify after each call of ring.h, so that its
 * result concerns only that call. Otherwise OK. Also works for an end that is not attached.
 */
telar_status telar_ring_notify(telar_ring_end *end, telar_ring_wake_fn wake_fn, void *context,
                               uint32_t *wake);

/*
 * Announces that this end waits in its event loop. Try once more after it. need: bytes of the
 * record that waits to be sent (in a batch, of the first one); 0 for a receiver. The announcement
 * ends when the bell rings or with cancel. Announcing again is allowed at any time. INVALID: not
 * attached.
 */
telar_status telar_ring_wait(telar_ring_end *end, telar_ring_side side, uint32_t need);

/*
 * Announces that this thread is about to block. Try once more; then call Atomics.wait with the
 * value *event on the end's event word, with a timeout; then cancel in every case. This replaces
 * the announcement by telar_ring_wait for this side, because the event loop will not run: announce
 * that again afterwards. INVALID: not attached.
 */
telar_status telar_ring_wait_sync(telar_ring_end *end, telar_ring_side side, uint32_t need,
                                  int32_t *event);

/* Withdraws an announcement of either kind. If the end was picked in the meantime, the next notify
 * passes the wake-up on. True: it was still announced, so no bell will ring for it. */
bool telar_ring_wait_cancel(telar_ring_end *end, telar_ring_side side);

/* Offset of the event word of an endpoint from the start of the ring's memory, in bytes. The word
 * is an int32, for Atomics.wait and Atomics.notify. The offset is the same in every ring, and
 * endpoints lie at equal distances. endpoint: 0 to TELAR_RING_ENDPOINTS - 1. */
uint64_t telar_ring_event_offset(uint32_t endpoint);

/*
 * True if the other side had ends, and all of them have been detached without closing the ring: no
 * end is left to send what receivers wait for, or to receive what senders wait for. An attached end
 * that has not sent or received yet may do either, and counts for both sides. False as long as no
 * end ever sent (received), and again when another end is attached. Check it after the announcement
 * and the last try; records in the ring can still be received.
 */
bool telar_ring_is_deserted(const telar_ring_end *end, telar_ring_side side);

#ifdef __cplusplus
}
#endif

#endif
