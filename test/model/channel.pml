/*
 * channel: how the ends of a channel wait, and who wakes them. Names and labels are those of the
 * code: src/core/ring_wait.c, the sweep of ring_release.c, and what lib/channel does around them.
 * There are many producers and many consumers. Ends with even numbers wait in their event loops,
 * and ends with odd numbers block.
 *
 * WHAT IS CHECKED
 *   - No wake-up is lost: the run ends only when every record has been received, the channel is
 *     closed and every end has left. Otherwise all processes are stuck before their ends, which the
 *     search reports.
 *   - No receiver sleeps while a record is ready: a receiver that has a record is busy until no
 *     record is ready or all receivers are busy (may_go_on). So a wake-up that is not passed on is
 *     an error, and not a delay.
 *   - Each record is received once, and each announcement is ended at most once.
 *
 * WHAT IS NOT IN IT
 *   Lengths (every record takes one granule, so `need` is always 1), values, a close during a send
 *   (C1 to C4), single producers and consumers, and deserted channels. Slices of a blocked wait end
 *   by time only if a thread has died, since nothing else may rely on them.
 *
 * OPTIONS
 *   SENDERS, RECEIVERS, EACH (records of a sender), ROOM (records that fit)
 *   GIVES_UP    the end with this number may give up while it waits (timeout, signal)
 *   DIES        it may be terminated instead, even when it should still call Atomics.notify
 *   RUN         a sender sends all its records together, under one tag; a receiver claims one and
 *               leaves the others under another tag (R10)
 *
 * MUTANTS  Each removes one part and must fail: see run.mjs.
 */
#ifndef SENDERS
#define SENDERS 2
#endif
#ifndef RECEIVERS
#define RECEIVERS 2
#endif
#ifndef EACH
#define EACH 1
#endif
#ifndef ROOM
#define ROOM 1
#endif
#ifndef GIVES_UP
#define GIVES_UP 255
#endif

#ifdef RUN
#define TOGETHER EACH
#else
#define TOGETHER 1
#endif

#define ENDS (SENDERS + RECEIVERS)
#define PROCESSES ENDS
#define GRANULES (ROOM + 1)
#define is_sender(e) ((e) < SENDERS)
#define blocks(e) ((e) % 2)

/* Locations. */
#define TAG(position) ((position) % GRANULES)
#define RELEASED GRANULES
#define SWEEPING (GRANULES + 1)
#define STATE (GRANULES + 2)
#define LOCATIONS (GRANULES + 3)
#define QUEUES 0
#define LANDS_AT_ONCE(location) false

#include "weak_memory.pml"

#define READY 1
#define DONE 2
#define CLOSED 1

#define FOR_RECEIVERS 0
#define FOR_SENDERS 1

byte tail, head;
byte waiting[2];    /* a bit for each end */
bool bell[ENDS];    /* of the event loop, remembers a ring */
bool event[ENDS];   /* changes at each wake-up of a blocked end */
bool asleep[ENDS];  /* in Atomics.wait */
byte ended[ENDS];   /* who ended the last announcement */

/* Only for the checks. */
byte senders_left = SENDERS;
byte busy;          /* receivers with a record, or gone */
byte received;
byte sent;
bool died;
byte gone;

#define record_is_ready (memory[TAG(head)] == READY)
#define may_go_on (!record_is_ready || busy == RECEIVERS)
#define has_room (tail + TOGETHER - memory[RELEASED] <= ROOM)
#define ends_run(position) ((position + 1) % TOGETHER == 0)

/* A6, R6, S1: tries, and never waits. */
inline sweep(me, kept_out)
{
  do
  :: d_step {
       land_(me);
       kept_out = (memory[SWEEPING] != 0); /* A6 */
       do
       :: !kept_out && memory[TAG(memory[RELEASED])] == DONE ->
          memory[TAG(memory[RELEASED])] = 0;
          memory[RELEASED]++ /* R3 */
       :: else -> break
       od;
       memory[SWEEPING] = 1
     };
     if
     :: kept_out -> break
     :: else ->
        store(me, SWEEPING, 0); /* R6 */
#ifdef NO_LOOK_AFTER_SWEEP
        kept_out = false;
#elif defined(NO_S1)
        kept_out = (memory[TAG(memory[RELEASED])] == DONE);
#else
        d_step { land_(me); kept_out = (memory[TAG(memory[RELEASED])] == DONE) }; /* S1 */
#endif
        if
        :: kept_out /* once more, for the ends that were kept out */
        :: else -> break
        fi
     fi
  od
}

/* What a waker does in C for an end whose bit it has cleared, L2. */
inline wake_endpoint(e)
{
  ended[e]++;
  assert(ended[e] <= 1);
  if
  :: blocks(e) -> event[e] = !event[e]; to_notify = to_notify | (1 << e) /* R9 */
  :: else -> bell[e] = true
  fi
}

/* Wakes any end that waits: the code searches the table round-robin. */
inline wake_one(side, i)
{
  atomic {
    if
    :: waiting[side] & 1 -> i = 0
    :: waiting[side] & 2 -> i = 1
    :: waiting[side] & 4 -> i = 2
#if ENDS > 3
    :: waiting[side] & 8 -> i = 3
#endif
    :: waiting[side] == 0 -> i = ENDS
    fi;
    if
    :: i < ENDS ->
       waiting[side] = waiting[side] & ~(1 << i);
       wake_endpoint(i)
    :: else
    fi;
    i = 0
  }
}

inline wake_all(side, i)
{
  atomic {
    i = 0;
    do
    :: i < ENDS ->
       if
       :: waiting[side] & (1 << i) -> wake_endpoint(i)
       :: else
       fi;
       i++
    :: else -> break
    od;
    i = 0;
    waiting[side] = 0
  }
}

inline notify(me, yes, i)
{
#ifdef NO_W1
  yes = (memory[STATE] == CLOSED);
#else
  d_step { land_(me); yes = (memory[STATE] == CLOSED) }; /* W1 */
#endif
  if
  :: yes -> wake_all(FOR_RECEIVERS, i)
#ifdef NO_CASCADE
  :: !yes && is_sender(me) ->
#else
  :: !yes ->
#endif
     if
     :: waiting[FOR_RECEIVERS] != 0 ->
        yes = record_is_ready;
        if
        :: yes -> wake_one(FOR_RECEIVERS, i)
        :: else
        fi
     :: else
     fi
#ifdef NO_CASCADE
  :: !yes && !is_sender(me)
#endif
  fi;
  if
  :: waiting[FOR_SENDERS] != 0 ->
     sweep(me, yes);
     if
     :: yes
     :: else ->
        yes = has_room;
        if
        :: yes -> wake_one(FOR_SENDERS, i)
        :: else
        fi
     fi
  :: else
  fi;
  yes = false;
  /* What JavaScript does: Atomics.notify. */
#ifdef DIES
  if
  :: true
  :: me == GIVES_UP && to_notify != 0 -> d_step { died = true; leaves = true; to_notify = 0 }
  fi;
#endif
  if
  :: to_notify == 0
  :: else ->
     d_step {
       i = 0;
       do
       :: i < ENDS ->
          if
          :: to_notify & (1 << i) -> asleep[i] = false
          :: else
          fi;
          i++
       :: else -> break
       od;
       i = 0;
       to_notify = 0
     }
  fi
}

#define RESERVE \
  publish(me, TAG(tail)); /* R1: lands when the record was written and committed */ \
  tail = tail + TOGETHER; \
  sent = sent + TOGETHER; \
  got = true

/* One try. `got` tells the result. A receiver that finds the end of the channel leaves. */
inline attempt(me, got, yes, i)
{
  if
  :: is_sender(me) ->
     d_step {
       if
       :: has_room -> RESERVE
       :: else
       fi
     };
     if
     :: got
     :: else ->
        sweep(me, yes);
        yes = false;
        d_step {
          if
          :: has_room -> RESERVE
          :: else
          fi
        }
     fi;
     notify(me, yes, i) /* also after a sweep */
  :: else ->
     d_step {
       if
       :: record_is_ready ->
          part = !ends_run(head);
          if
          :: part -> publish(me, TAG(head + 1)) /* R10 */
          :: else -> publish(me, TAG(head));
                     waits_value[me] = DONE /* R2: lands when the record was read and marked */
          fi;
          claimed = head;
          head++;
          received++;
          busy++;
          got = true
       :: !record_is_ready && memory[STATE] == CLOSED && head == tail -> leaves = true
       :: else
       fi
     };
     if
     :: part -> store(me, TAG(claimed), DONE) /* R2 */
     :: else
     fi;
     if
#ifdef NO_LOOK_AFTER_CUT /* an end that was woken polls anyway, in cancel */
     :: got && part && !announced
     :: got && !(part && !announced) -> notify(me, yes, i)
#else
     :: got -> notify(me, yes, i)
#endif
     :: !got
     fi;
     d_step { part = false; claimed = 0 }
  fi
}

proctype End(byte e)
{
  byte left, i, to_notify, claimed;
  bool got, yes, leaves, announced, seen, part;

  left = (is_sender(e) -> EACH / TOGETHER : 255);
  do
  :: left == 0 || leaves -> break
  :: left != 0 && !leaves ->
     attempt(e, got, yes, i);
     if
     :: got || leaves
     :: else ->
#if !defined(EVENT_AFTER_ANNOUNCEMENT) && !defined(EVENT_AFTER_LOOK)
        seen = event[e];
#endif
        /* announce: L1, W2 */
#ifdef NO_W2 /* the last poll may be earlier than the announcement, and then is the one above */
        yes = true;
#endif
        d_step {
          land_(e);
          waiting[is_sender(e)] = waiting[is_sender(e)] | (1 << e);
          ended[e] = 0;
          announced = true
        };
#ifdef EVENT_AFTER_ANNOUNCEMENT
        seen = event[e];
#endif
        if
        :: yes -> yes = false
        :: else -> attempt(e, got, yes, i)
        fi;
        if
        :: got || leaves
        :: else ->
#ifdef EVENT_AFTER_LOOK
           seen = event[e];
#endif
           if
           :: blocks(e) ->
              d_step { asleep[e] = (event[e] == seen) }; /* Atomics.wait */
              if
              :: !asleep[e]
              :: died || e == GIVES_UP
              fi;
              asleep[e] = false
           :: else ->
              if
              :: bell[e]
              :: e == GIVES_UP
              fi
           fi;
           bell[e] = false;
           seen = false;
           if
           :: e == GIVES_UP -> leaves = true
           :: true
           fi
        fi
     fi;
     if
     :: announced ->
        /* cancel: either this or a waker clears the bit */
        d_step {
          announced = false;
          yes = !(waiting[is_sender(e)] & (1 << e));
          waiting[is_sender(e)] = waiting[is_sender(e)] & ~(1 << e);
          seen = false
        };
#ifdef NO_PASS_ON
        yes = false;
#endif
        if
        :: yes -> notify(e, yes, i)
        :: else
        fi;
        yes = false
     :: else
     fi;
     if
     :: got ->
        got = false;
        if
        :: is_sender(e) -> left--
        :: else -> d_step { may_go_on -> busy-- }
        fi
     :: else
     fi
  od;

  if
  :: is_sender(e) ->
     d_step { senders_left--; yes = (senders_left == 0) };
     if
     :: yes ->
        may_go_on; /* close wakes all, so it waits: otherwise it could hide a lost wake-up */
        store(e, STATE, CLOSED);
        notify(e, yes, i)
     :: else
     fi
  :: else -> busy++
  fi;
  gone++
}

/* When the run is over, no end sleeps, and no record is left. */
active proctype Check()
{
  gone == ENDS;
  assert(received == sent && waiting[FOR_RECEIVERS] == 0 && waiting[FOR_SENDERS] == 0)
}

init {
  byte e;
  atomic {
    for (e : 0 .. ENDS - 1) {
      run Memory(e);
      run End(e)
    };
    e = 0
  }
}
