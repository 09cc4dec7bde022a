/*
 * pool: how the workers of a pool and its owner sleep and wake. Names and labels are those of the
 * code: src/core/sched_wake.c, sched_done.c, sched_submit.c, sched_route.c, sched_ready.c,
 * sched_choice.c, sched_worker.c and eventcount.h.
 *
 * WHAT IS CHECKED
 *   - No wake-up is lost: the run ends only when every task has come back and every worker is
 *     closed. Otherwise all processes are stuck before their ends, which the search reports.
 *   - No worker sleeps while a task waits: a task runs until no task is left in the ready queue, or
 *     every worker has one (may_end). So a task that is queued while one worker runs forever and
 *     another one sleeps is an error, and not a delay.
 *   - At most one waker ends each park and each sleep of the owner (`ended`).
 *   - The counts `searching`, `awake` and `standby` return to what they should be.
 *
 * WHAT IS NOT IN IT
 *   Values and slots, the inside of the queues (index_queue.h has its own tests), and time.
 *   Spinning is one poll or none. The owner may publish a push late, so a poll that is not thorough
 *   may miss it.
 *   A place that a worker holds for its next task is free here.
 *
 * OPTIONS
 *   WORKERS, TASKS   sizes
 *   SPIN             a worker may poll for work before it parks; otherwise only workers that were
 *                    woken search
 *   LANES            tasks may go to the lane of a worker, even beyond its limit
 *   AGENDAS          tasks may go to the agenda of a worker, which takes a place when it claims them
 *   LEVELS           tasks have a priority: they go to another ready queue, which a bit in the set of
 *                    levels announces, and which the owner may sweep once
 *   RESERVE          the owner may reserve a place and release it, for a task that does not come
 *   ASYNC            a task may leave its thread free while it runs; it still takes the only place
 *   LAZY             `lazy` is set: workers stand by, and submits rely on them
 *   NAP              the owner may nap
 *   LEAVE            1: one worker may be closed while idle; 2: it may be terminated
 *
 * MUTANTS  Each removes one part and must fail: see run.mjs.
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef TASKS
#define TASKS 2
#endif

#define OWNER 0
#define PROCESSES (WORKERS + 1)

/* Locations. Workers count from 1. */
#define READY 0
#define DONE 1
#define LANE(w) (1 + (w))
#define INBOX(w) (1 + WORKERS + (w))
#define LEVEL (2 + 2 * WORKERS)
#if defined(LEVELS)
#define QUEUES (3 + 2 * WORKERS)
#elif defined(AGENDAS)
#define QUEUES (2 + 2 * WORKERS)
#else
#define QUEUES (2 + WORKERS)
#endif
#define SLEEPER(w) (QUEUES - 1 + (w))
#define CLOSING(w) (QUEUES + WORKERS - 1 + (w))
#define OWNER_SLEEP (QUEUES + 2 * WORKERS)
#define LEVEL_IS_USED (QUEUES + 2 * WORKERS + 1)
#ifdef LEVELS
#define LOCATIONS (QUEUES + 2 * WORKERS + 2)
#else
#define LOCATIONS (QUEUES + 2 * WORKERS + 1)
#endif

/* Keeps the larger searches small: stores of one of the two sides land at once. */
#if defined(STRONG_OWNER_SIDE)
#define LANDS_AT_ONCE(location) ((location) == DONE || (location) == OWNER_SLEEP)
#elif defined(STRONG_WORKER_SIDE)
#define LANDS_AT_ONCE(location) ((location) != DONE && (location) != OWNER_SLEEP)
#else
#define LANDS_AT_ONCE(location) false
#endif

#include "weak_memory.pml"

/* Sleeper words. */
#define AWAKE 0
#define PARKED_IDLE 1
#define PARKED_FULL 2
#define SUMMONED 3
#define NOTIFIED 4

/* The event count of the owner. */
#define OWNER_AWAKE 0
#define OWNER_SLEEPING 1
#define OWNER_NOTIFIED 2

byte idle;           /* bit w */
byte searching;
byte awake;
byte standby;
byte usage[PROCESSES];
bool bell[PROCESSES]; /* remembers a ring */
byte ended[PROCESSES]; /* wakers that ended the last park or sleep */
short nap;

/* Fields of a worker (sched_internal.h) that its owner reads once it has ended. */
bool parked[PROCESSES];
bool searches[PROCESSES];
bool stands_by[PROCESSES];
byte aside[PROCESSES]; /* claimed tasks that do not hold the thread */

/* Only for the checks. */
byte unclaimed;      /* in the ready queue, seen or not */
byte came_back;
bool has_ended[PROCESSES];
bool was_retired[PROCESSES];
byte lost;           /* tasks of a terminated thread: they reject */

#define has_place(w) (usage[w] == 0)

/* What a worker with a place must find. */
#ifdef AGENDAS
#define may_claim_more (memory[INBOX(w)] != 0 || (thorough && has_ready))
#else
#define may_claim_more (thorough && has_ready)
#endif

/* Every worker has a task, so queued tasks have to wait. */
#define busy(w) (usage[w] != 0 || was_retired[w])
#if WORKERS == 1
#define ALL_BUSY busy(1)
#elif WORKERS == 2
#define ALL_BUSY (busy(1) && busy(2))
#else
#define ALL_BUSY (busy(1) && busy(2) && busy(3))
#endif
#define may_end (unclaimed == 0 || ALL_BUSY)

/* ---- sched_ready.c ---- */

#ifdef LEVELS
#define has_level (memory[LEVEL_IS_USED] != 0 && memory[LEVEL] != 0)
#else
#define has_level false
#endif
#define has_ready (memory[READY] != 0 || has_level)

/* has_next, load by load. */
inline poll_ready(yes)
{
  yes = (memory[READY] != 0);
#ifdef LEVELS
  if
  :: yes
  :: else ->
     yes = (memory[LEVEL_IS_USED] != 0);
     if
     :: yes -> yes = (memory[LEVEL] != 0)
     :: else
     fi
  fi
#endif
}

/* ---- sched_wake.c ---- */

/* The passes of summon differ only in the worker that they prefer. */
inline summon(result, i)
{
  i = 1;
  do
  :: d_step { i <= WORKERS && (idle & (1 << i)) && memory[SLEEPER(i)] == PARKED_IDLE ->
       memory[SLEEPER(i)] = SUMMONED;
       ended[i]++;
       assert(ended[i] <= 1);
       bell[i] = true;
       result = true;
       i = 0
     };
     break
  :: d_step { i <= WORKERS && !((idle & (1 << i)) && memory[SLEEPER(i)] == PARKED_IDLE) -> i++ }
  :: d_step { i > WORKERS -> i = 0; result = false };
     break
  od
}

inline can_summon(result, i)
{
  d_step {
    result = false;
    for (i : 1 .. WORKERS) {
      if
      :: (idle & (1 << i)) && memory[SLEEPER(i)] == PARKED_IDLE -> result = true
      :: else
      fi
    }
    i = 0
  }
}

inline wake_one(me, yes, i)
{
  do
  :: d_step { searching != 0 -> land_(me) } -> break
  :: d_step { searching == 0 -> land_(me); searching = 1 };
     summon(yes, i);
     if
     :: yes -> break
     :: else ->
        d_step {
          land_(me);
          assert(searching > 0);
          searching--;
          yes = (searching == 0)
        };
        if
        :: !yes -> break
        :: else ->
#ifdef NO_RETRY
           break
#else
           poll_ready(yes);
           if
           :: yes -> can_summon(yes, i)
           :: else
           fi;
           if
           :: yes
           :: else -> break
           fi
#endif
        fi
     fi
  od;
  yes = false
}

/* W1, W3: between the push, or the end of a search, and the poll of the sleepers. */
inline wake_for_ready(me, yes, i)
{
#ifndef NO_W1
  d_step { land_(me); yes = (searching != 0) };
#else
  yes = (searching != 0);
#endif
  if
  :: yes
  :: else ->
     if
     :: idle == 0
     :: else ->
#ifdef LAZY
        yes = (standby != 0);
        if
        :: yes -> yes = (awake != 0)
        :: else
        fi;
        if
        :: yes
        :: else -> wake_one(me, yes, i)
        fi
#else
        wake_one(me, yes, i)
#endif
     fi
  fi;
  yes = false
}

/* W5: between the push to the lane, or `closing`, and the poll of the sleeper. */
inline wake_worker(me, who)
{
#ifndef NO_W5
  fence(me);
#endif
#ifdef BLIND_WAKE /* a load and a store instead of a compare-and-swap */
  if
  :: memory[SLEEPER(who)] == PARKED_IDLE || memory[SLEEPER(who)] == PARKED_FULL ->
     atomic {
#else
  atomic {
    if
    :: memory[SLEEPER(who)] == PARKED_IDLE || memory[SLEEPER(who)] == PARKED_FULL ->
#endif
       memory[SLEEPER(who)] = NOTIFIED;
       ended[who]++;
       assert(ended[who] <= 1);
       bell[who] = true
#ifdef BLIND_WAKE
     }
  :: else
  fi
#else
    :: else
    fi
  }
#endif
}

/* W5: between the push to the inbox and the poll of the sleeper. */
inline wake_for_agenda(me, who)
{
#ifndef NO_AGENDA_W5
  fence(me);
#endif
  atomic {
    if
    :: memory[SLEEPER(who)] == PARKED_IDLE ->
       land_(me);
       memory[SLEEPER(who)] = NOTIFIED;
       ended[who]++;
       assert(ended[who] <= 1);
       bell[who] = true
    :: else
    fi
  }
}

/* W5: between the return of the place and the poll of the sleeper. */
inline wake_for_place(me, who)
{
  atomic {
    land_(me);
    if
    :: memory[SLEEPER(who)] == PARKED_FULL ->
       memory[SLEEPER(who)] = NOTIFIED;
       ended[who]++;
       assert(ended[who] <= 1);
       bell[who] = true
    :: else
    fi
  }
}

/* W4: a searcher that found a task ends its search, and polls for those that relied on it. */
inline stop_searching(me, yes, i)
{
  if
  :: !searches[me]
  :: else ->
     searches[me] = false;
#ifdef NO_W4_FENCE /* the poll may be earlier than the count */
     if
     :: yes = has_ready;
        d_step { land_(me); assert(searching > 0); searching--; yes = yes && searching == 0 }
     :: d_step { land_(me); assert(searching > 0); searching--; yes = (searching == 0) };
        if
        :: yes -> yes = has_ready
        :: else
        fi
     fi;
#else
     d_step { land_(me); assert(searching > 0); searching--; yes = (searching == 0) };
     if
     :: yes -> poll_ready(yes)
     :: else
     fi;
#endif
#ifdef NO_W4
     yes = false;
#endif
     if
     :: yes -> wake_for_ready(me, yes, i)
     :: else
     fi
  fi;
  yes = false
}

inline wake_up(me, who)
{
  d_step {
    land_(me);
    searches[who] = (memory[SLEEPER(who)] == SUMMONED); /* it counts already */
    memory[SLEEPER(who)] = AWAKE;
    parked[who] = false
  };
#ifdef LAZY
  idle = idle & ~(1 << who); /* relaxed: a hint */
  if
  :: stands_by[who] -> d_step { stands_by[who] = false; standby-- }
  :: else
  fi;
  awake++;
#else
  d_step { idle = idle & ~(1 << who); awake++ };
#endif
  if
  :: searches[who]
  :: else -> d_step { searches[who] = true; searching++ }
  fi
}

/* The thread has ended, so the owner removes it from all counts. */
inline forget_sleep(who, yes, i)
{
  if
  :: parked[who] -> wake_up(OWNER, who)
  :: else
  fi;
  d_step { land_(OWNER); awake-- };
  if
  :: searches[who] ->
     d_step { land_(OWNER); searches[who] = false; assert(searching > 0); searching-- }
  :: else
  fi;
#ifndef NO_FORGET_LOOK
  if
  :: has_ready -> wake_for_ready(OWNER, yes, i)
  :: else
  fi
#endif
}

/* ---- Returning a task (sched_done.c) ---- */

inline wake_owner(me, yes)
{
#ifndef NO_N2
  d_step { land_(me); /* N2, N3 */
#else
  d_step {
#endif
    yes = (memory[OWNER_SLEEP] == OWNER_SLEEPING) };
  if
  :: !yes
  :: else ->
     yes = false;
     atomic { /* N4 */
       land_(me); /* release */
       if
       :: memory[OWNER_SLEEP] == OWNER_SLEEPING ->
          memory[OWNER_SLEEP] = OWNER_NOTIFIED;
          ended[OWNER]++;
          assert(ended[OWNER] <= 1);
          bell[OWNER] = true
       :: else
       fi
     }
  fi
}

/* D1: the push to `done` comes before this, and then the poll of the sleeper. */
inline give_back(me, yes)
{
#ifdef NAP
  yes = false;
  if
  :: nap > 0 ->
#ifdef RELAXED_NAP
     d_step { yes = (nap > 1); nap-- } /* orders nothing: the push may still wait */
#else
     d_step { land_(me); yes = (nap > 1); nap-- } /* R1 */
#endif
  :: else
  fi;
  if
  :: yes
  :: else -> wake_owner(me, yes)
  fi;
  yes = false
#else
  wake_owner(me, yes)
#endif
}

inline end_nap(me, yes)
{
#ifdef NAP
  if
  :: nap > 0 ->
     nap = 0;
     if
     :: memory[DONE] != 0 -> wake_owner(me, yes)
     :: else
     fi
  :: else
  fi
#else
  skip
#endif
}

/* The owner is about to sleep while tasks are unclaimed. It may give the worker that was summoned
 * time, and look again by a timer. */
inline wake_unanswered(yes, i)
{
  if
  :: has_ready && searching != 0 -> naps = true
  :: has_ready && idle != 0 ->
     d_step { land_(OWNER); searching++ };
     summon(yes, i);
     if
     :: !yes -> d_step { land_(OWNER); assert(searching > 0); searching-- }
     :: else -> yes = false
     fi
  :: else
  fi
}

inline end_own_nap(me)
{
#ifdef NAP
  if
  :: nap != 0 -> d_step { land_(me); nap = 0 }
  :: else
  fi
#else
  skip
#endif
}

/* ---- Worker ---- */

proctype Worker(byte w)
{
  bool thorough, places, yes;
  byte i;

  /* What the event loop reports: the bell, a timer, the end of a task or the end of the thread. */
event_loop:
  if
  :: d_step { bell[w] -> bell[w] = false }
#ifdef LAZY
  :: stands_by[w]
#endif
#ifdef ASYNC
  :: d_step { aside[w] > 0 && may_end -> aside[w]--; usage[w]--; publish(w, DONE) };
     give_back(w, yes)
#endif
#if LEAVE == 2
  :: w == WORKERS && came_back + lost < TASKS -> goto gone /* terminated */
#endif
  fi;

  /* resume */
  if
  :: parked[w] -> wake_up(w, w)
  :: else
  fi;

next:
  if
  :: memory[CLOSING(w)] != 0 -> /* it may have been set just after it was polled */
     stop_searching(w, yes, i);
     goto gone
  :: d_step { memory[LANE(w)] != 0 -> memory[LANE(w)]-- }
  :: d_step { memory[LANE(w)] == 0 && has_place(w) && memory[READY] != 0 ->
       usage[w]++; /* relaxed: a place is only counted */
       memory[READY]--;
       unclaimed--
     }
#ifdef LEVELS
  :: d_step { memory[LANE(w)] == 0 && has_place(w) && has_level ->
       usage[w]++;
       memory[LEVEL]--;
       unclaimed--
     }
#endif
#ifdef AGENDAS
  :: d_step { memory[LANE(w)] == 0 && has_place(w) && memory[INBOX(w)] != 0 ->
       usage[w]++;
       memory[INBOX(w)]--
     }
#endif
  :: memory[LANE(w)] == 0 && !(has_place(w) && may_claim_more) ->
     end_nap(w, yes);
     if
#ifdef SPIN
     :: d_step { /* search */
          !searches[w] && has_place(w) -> land_(w); searches[w] = true; searching++
        };
        goto next
#endif
     :: goto park
     fi
  fi;

  thorough = false;
  stop_searching(w, yes, i);
  if
  :: d_step { may_end -> usage[w]--; publish(w, DONE) };
     give_back(w, yes);
     goto next
#ifdef ASYNC
  :: d_step { may_end -> usage[w]--; publish(w, DONE); bell[w] = true };
     give_back(w, yes);
     goto event_loop /* YIELD: the slice is over */
  :: aside[w]++;
     goto next
#endif
#if LEAVE == 2
  :: w == WORKERS -> aside[w]++; goto gone /* terminated */
#endif
  fi;

park:
  thorough = false;
  places = has_place(w);
  if
  :: !places -> stop_searching(w, yes, i)
  :: places && searches[w] ->
     d_step { land_(w); searches[w] = false; assert(searching > 0); searching-- }
  :: else
  fi;
  d_step {
    land_(w);
    parked[w] = true;
    ended[w] = 0;
    if
    :: places -> idle = idle | (1 << w)
    :: else
    fi
#ifdef LAZY
  };
  d_step {
#else
    ;
#endif
    awake--
  };
  store(w, SLEEPER(w), (places -> PARKED_IDLE : PARKED_FULL));
#ifndef NO_LAST_LOOK
#ifndef NO_W2
  d_step { land_(w); yes = (memory[LANE(w)] != 0) }; /* W2 */
#else
  yes = (memory[LANE(w)] != 0);
#endif
  if
  :: !yes && places ->
     poll_ready(yes);
#if defined(AGENDAS) && !defined(NO_AGENDA_LOOK)
     if
     :: yes
     :: else -> yes = (memory[INBOX(w)] != 0)
     fi
#endif
#ifndef NO_PLACE_LOOK
  :: !yes && !places -> yes = has_place(w)
#endif
  :: else
  fi;
  if
  :: !yes -> yes = (memory[CLOSING(w)] != 0)
  :: else
  fi;
#endif
  if
  :: yes ->
     yes = false;
     places = false;
     wake_up(w, w);
     thorough = true;
     goto next
  :: else
  fi;
#ifdef LAZY
  if
  :: places && standby == 0 ->
     d_step { land_(w); if :: standby == 0 -> standby = 1; stands_by[w] = true :: else fi }
  :: true /* another worker stands by, or the pool is not in use as far as this one knows */
  fi;
#endif
  places = false;
  goto event_loop;

gone:
  has_ended[w] = true
}

/* ---- Owner ---- */

proctype Owner()
{
  byte submitted, w, i;
  bool yes, sleeps, naps, parted;
#ifdef RESERVE
  bool reserved;
#endif
#ifdef LEVELS
  bool level_is_used, swept;
#endif

  /* Turns of the event loop: new tasks, tasks that came back, and sleep. New tasks also come to an
   * owner that sleeps, which does not poll for what came back before its bell rings. */
  do
#ifndef LEVELS
  :: d_step { submitted < TASKS -> submitted++; unclaimed++; publish(OWNER, READY) }; /* submit */
     wake_for_ready(OWNER, yes, i)
#endif
#ifdef LANES
  :: submitted < TASKS -> /* submit_to */
     select(w : 1 .. WORKERS);
     d_step { submitted++; usage[w]++; publish(OWNER, LANE(w)) };
     wake_worker(OWNER, w);
     w = 0
#endif
#ifdef AGENDAS
  :: submitted < TASKS -> /* submit_routed, for one worker */
     select(w : 1 .. WORKERS);
     d_step { submitted++; publish(OWNER, INBOX(w)) };
     wake_for_agenda(OWNER, w);
     w = 0
#endif
#ifdef LEVELS
  :: submitted < TASKS -> /* submit_routed, with a priority */
#ifndef LATE_LEVEL
     if
     :: level_is_used
     :: else -> level_is_used = true; store(OWNER, LEVEL_IS_USED, 1)
     fi;
#endif
     d_step { submitted++; unclaimed++; publish(OWNER, LEVEL) };
     wake_for_ready(OWNER, yes, i);
#ifdef LATE_LEVEL
     level_is_used = true;
     store(OWNER, LEVEL_IS_USED, 1)
#endif
#ifdef BLIND_SWEEP
  :: level_is_used && !swept ->
#else
  :: d_step { level_is_used && !swept && waits_at[OWNER] != LEVEL && memory[LEVEL] == 0 -> skip };
#endif
     d_step { level_is_used = false; swept = true }; /* sweep */
     store(OWNER, LEVEL_IS_USED, 0)
#endif
#ifdef RESERVE
  :: !reserved -> /* reserve, unreserve */
     reserved = true;
     select(w : 1 .. WORKERS);
     if
     :: d_step { has_place(w) -> usage[w]++ };
        d_step { land_(OWNER); usage[w]-- };
#ifndef NO_PLACE_WAKE
        wake_for_place(OWNER, w)
#endif
     :: else
     fi;
     w = 0
#endif
#ifdef LEAVE
#if LEAVE == 1
  :: d_step {
       !parted && submitted > 0 && usage[WORKERS] == 0 && !has_ended[WORKERS] ->
       usage[WORKERS] = 1;
       parted = true
     };
     store(OWNER, CLOSING(WORKERS), 1); /* close_idle */
     wake_worker(OWNER, WORKERS)
#endif
  :: d_step { has_ended[WORKERS] && !was_retired[WORKERS] -> /* retire */
       parted = true;
       was_retired[WORKERS] = true;
       lost = lost + aside[WORKERS];
       aside[WORKERS] = 0
     };
     forget_sleep(WORKERS, yes, i)
#endif
  :: d_step { !sleeps && memory[DONE] != 0 -> memory[DONE]--; came_back++ }
  :: d_step { came_back + lost == TASKS -> sleeps = false; naps = false };
     break
  :: d_step { !sleeps && memory[DONE] == 0 && came_back + lost < TASKS ->
       ended[OWNER] = 0;
       publish(OWNER, OWNER_SLEEP); /* S1 */
       sleeps = true
     };
#ifdef NAP
     if
     :: skip
     :: naps = true; nap = 2
     fi;
#endif
     /* S2; D2, S3: once more, also for tasks that no worker has claimed */
#ifdef NO_OWNER_LOOK
     fence(OWNER);
#elif defined(NO_S2)
     yes = (memory[DONE] != 0);
#else
     d_step { land_(OWNER); yes = (memory[DONE] != 0) };
#endif
     if
     :: yes -> yes = false; goto rise
     :: else -> wake_unanswered(yes, i)
     fi
  :: d_step { sleeps && (bell[OWNER] || naps) -> bell[OWNER] = false }; /* S4; or a nap's timer */
rise:
     end_own_nap(OWNER);
     d_step { /* A3 */
       land_(OWNER); memory[OWNER_SLEEP] = OWNER_AWAKE; sleeps = false; naps = false
     }
  od;

  for (w : 1 .. WORKERS) {
    if
    :: was_retired[w]
    :: else ->
       store(OWNER, CLOSING(w), 1);
       wake_worker(OWNER, w)
    fi
  };
  for (w : 1 .. WORKERS) {
    has_ended[w];
    if
    :: was_retired[w]
    :: else -> forget_sleep(w, yes, i)
    fi
  };
  assert(searching == 0 && awake == 0 && standby == 0 && unclaimed == 0)
}

init {
  byte w;
  atomic {
    run Memory(OWNER);
    for (w : 1 .. WORKERS) {
      run Memory(w);
      awake++; /* attach */
      bell[w] = true; /* the first poll of the queues */
      run Worker(w)
    };
    run Owner();
    w = 0
  }
}
