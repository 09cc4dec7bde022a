/*
 * The handshake of an interrupt: src/core/sched_interrupt.c, lib/worker/interrupts.js, and
 * lib/pool/abort.js. All accesses that matter are sequentially consistent, so the memory is that of
 * the language. One owner stops or condemns the first of two tasks of one worker, at any time. An
 * interrupt that was sent hits the worker when it runs code, and at no particular moment.
 *
 * Asserted: an interrupt hits only the code of the task that it is for, in its window; nothing hits
 * the second task or what lies between; and both tasks come back (no process gets stuck).
 *
 * ENDS=0: the task never ends by itself. MICROTASKS: an interrupt may be spent without unwinding
 * the worker, which is told only when the owner hears it. WAITS: the task waits for a promise after
 * its code, and runs nothing. CONDEMNS: the owner terminates a worker that is not rid of the task.
 * LEAVES: the code of the task leaves microtasks that never end by themselves.
 *
 * Mutants: NO_MARK (the owner sends without marking the window), NO_CHECK (the worker does not look
 * at the state when it opens the window), NO_WAIT (a marked window is closed), NO_RING (the worker
 * is not rung for a task that waits), NO_SPENT (the worker is not told that an interrupt was spent),
 * LATE_STOP (the state is changed after the window was read), NO_AGAIN (what a stopped task has left
 * is not interrupted), EARLY_AGAIN (the owner does not wait for the answer to the last interrupt).
 *
 * Between the window and the first task's end, WAITS has the event loop: a task that was stopped
 * while no window was open is dropped there.
 */

#ifndef ENDS
#define ENDS 1
#endif

mtype = { QUEUED, CLAIMED, TOLD, STOPPED, CONDEMNED, DONE, CANCELLED }
mtype = { CLOSED, OPEN, MARKED, SPENT }

mtype state = QUEUED
mtype window = CLOSED
bool sent             /* an interrupt is on its way */
bool answered         /* it has come, and the owner has not heard of it yet */
bool rungOwner
bool terminated
bool rung
bool isBack           /* the slot of the first task has come back */
bool isNextBack

/* Where an interrupt would hit the worker. It is always right to be hit in the own window. */
#define HIT(isRight)                                                                               \
  sent -> atomic {                                                                                 \
    assert(isRight);                                                                               \
    sent = false;                                                                                  \
    answered = true;                                                                               \
    goto hit;                                                                                      \
  }

inline complete () {
  atomic {
    if
    :: state == CLAIMED -> state = DONE
    :: state == TOLD || state == STOPPED -> state = CANCELLED
    :: state == CONDEMNED -> state = CANCELLED; terminated = true
    fi
    isBack = true
  }
}

active proctype Worker () {
  bool isStopped;
  bool isLeft = true;
  atomic {
    if
    :: state == QUEUED -> state = CLAIMED
    :: state == CANCELLED -> isBack = true; goto next
    fi
  }
  /* open the window */
  window = OPEN;
#ifndef NO_CHECK
  isStopped = (state == STOPPED || state == CONDEMNED);
  if
  :: isStopped ->
    if
    :: atomic { window == OPEN -> window = CLOSED; goto over }
    :: else
    fi
  :: else
  fi;
#endif
  do
  :: terminated -> goto dead
  :: HIT(window == MARKED && !isBack)
#ifdef MICROTASKS
  :: atomic { sent -> assert(window == MARKED && !isBack); sent = false; answered = true; break }
#endif
#if ENDS
  :: true -> break
#endif
  od;
  /* close it */
  do
  :: terminated -> goto dead
  :: HIT(window == MARKED && !isBack)
#ifdef MICROTASKS
  :: atomic { sent -> assert(window == MARKED && !isBack); sent = false; answered = true }
#endif
#ifdef NO_WAIT
  :: atomic { window != CLOSED -> window = CLOSED; break }
#else
  :: atomic { window == OPEN -> window = CLOSED; break }
  :: atomic { window == SPENT -> window = CLOSED; goto over }
#endif
  od;
#ifdef LEAVES
  goto over;
#endif
#ifdef WAITS
  /* The event loop turns when the worker was rung. */
  do
  :: terminated -> goto dead
  :: atomic { rung -> rung = false; if :: state == STOPPED -> goto over :: else fi }
  :: HIT(false)
  od;
#endif
  goto over;
hit:
  window = CLOSED;
over:
#ifdef LEAVES
  if
  :: terminated -> goto dead
  :: isLeft && !terminated ->
    /* reopen the window; what hits it ends the microtasks */
    isLeft = false;
    window = OPEN;
    if
    :: state == STOPPED -> rungOwner = true
    :: else
    fi;
    do
    :: terminated -> goto dead
    :: HIT(window == MARKED && !isBack)
    :: atomic { sent -> assert(window == MARKED && !isBack); sent = false; answered = true; break }
    od;
    do
    :: terminated -> goto dead
    :: HIT(window == MARKED && !isBack)
    :: atomic { window == OPEN || window == SPENT -> window = CLOSED; break }
    od
  :: else
  fi;
#endif
  complete();
  if
  :: terminated -> goto dead
  :: else
  fi;
next:
  if
  :: HIT(false)
  :: true
  fi;
  isNextBack = true;
  goto end;
dead:
  isBack = true;
  isNextBack = true; /* by the owner, when it retires the worker */
end:
  skip
}

#define AGAIN                                                                                      \
  if                                                                                               \
  :: state == STOPPED && window == OPEN -> window = MARKED; sent = true; isOnItsWay = true         \
  :: else                                                                                          \
  fi

active proctype Owner () {
  bool isNoted;
  bool isOnItsWay;
  /* tell */
  atomic {
    if
    :: state == QUEUED -> state = CANCELLED; goto end
    :: state == CLAIMED -> state = TOLD
    :: state == DONE -> goto end
    fi
  }
  /* stop */
#ifdef LATE_STOP
  if
  :: atomic { window == OPEN -> window = MARKED }
  :: else -> isNoted = true
  fi;
  atomic {
    if
    :: state == TOLD -> state = STOPPED
    :: else -> goto end
    fi
  }
  if
  :: !isNoted -> sent = true
  :: else -> rung = true
  fi;
#else
  atomic {
    if
    :: state == TOLD -> state = STOPPED
    :: else -> goto end
    fi
  }
  atomic {
    if
#ifdef NO_MARK
    :: window == OPEN -> skip
#else
    :: window == OPEN -> window = MARKED
#endif
    :: else -> isNoted = true
    fi
  }
  if
  :: !isNoted -> atomic { sent = true; isOnItsWay = true }
#ifndef NO_RING
  :: else -> rung = true
#else
  :: else
#endif
  fi;
#endif
  do
  :: isBack -> break
#ifndef NO_SPENT
  :: atomic {
    answered ->
    answered = false;
    isOnItsWay = false;
    if
    :: window == MARKED -> window = SPENT
    :: else
    fi
#if defined(LEAVES) && !defined(NO_AGAIN)
    ;
    AGAIN
#endif
  }
#endif
#if defined(LEAVES) && !defined(NO_AGAIN)
#ifdef EARLY_AGAIN
  :: atomic { rungOwner -> rungOwner = false; AGAIN }
#else
  :: atomic { rungOwner && !isOnItsWay -> rungOwner = false; AGAIN }
#endif
#endif
#ifdef CONDEMNS
  :: atomic {
    state == STOPPED -> state = CONDEMNED;
    terminated = true
  }
#endif
  od;
end:
  isBack && isNextBack
}
