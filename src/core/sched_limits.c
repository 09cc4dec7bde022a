/*
 * sched_limits.c - limits of the time that tasks may wait and run, and of what a task that was told
 * to stop may still take. The owner checks them now and then; workers know nothing of them.
 */
#include "sched_internal.h"

#define NEVER UINT64_MAX

static sched_limits *limits_of(telar_sched *s, uint32_t index) {
  sched_slot *slot = &s->slots[index];
  sched_limits *limits = &s->limits[index];
  if (!slot->limited) {
    slot->limited = true;
    s->limited++;
    *limits = (sched_limits){0};
  }
  return limits;
}

telar_status telar_sched_limit(telar_sched *s, uint32_t slot, uint64_t queue_ns, uint64_t run_ns) {
  if (!sched_is_owned(s, slot)) {
    return TELAR_INVALID;
  }
  sched_limits *limits = limits_of(s, slot);
  limits->queue_ns = queue_ns;
  limits->run_ns = run_ns;
  limits->grace_end_ns = 0;
  return TELAR_OK;
}

void telar_sched_limit_grace(telar_sched *s, uint32_t slot, uint64_t grace_ns) {
  if (slot >= s->config.slots || sched_is_owned(s, slot)) {
    return;
  }
  if (grace_ns != NEVER) {
    limits_of(s, slot)->grace_end_ns = telar_os_now_ns() + grace_ns;
  } else if (s->slots[slot].limited) {
    s->limits[slot].grace_end_ns = 0;
  }
}

/* When the limit that counts in the present state of the slot ends, on the clock; NEVER: there is
 * none. *limit receives which it is. A task that has not started yet could start right now. */
static uint64_t end_of(const telar_sched *s, uint32_t index, uint64_t now,
                       telar_sched_limit_kind *limit) {
  const sched_slot *slot = &s->slots[index];
  const sched_limits *limits = &s->limits[index];
  uint64_t run_end = limits->run_ns == 0 ? NEVER : now + limits->run_ns;
  *limit = TELAR_LIMIT_RUN;
  /* Relaxed: a state that changes in the meantime is seen by the next check, and by the call that
   * cancels. */
  switch (SLOT_STATE(atomic_load_explicit(&slot->state, memory_order_relaxed))) {
    case SLOT_QUEUED: {
      uint64_t queue_end = limits->queue_ns == 0 ? NEVER : sched_created(slot) + limits->queue_ns;
      *limit = TELAR_LIMIT_QUEUE;
      return queue_end < run_end ? queue_end : run_end;
    }
    case SLOT_CLAIMED: {
      /* Relaxed: only the number matters. 0: the worker is about to write it. */
      uint64_t started = atomic_load_explicit(&slot->started_ns, memory_order_relaxed);
      return limits->run_ns == 0 || started == 0 ? run_end : started + limits->run_ns;
    }
    case SLOT_TOLD:
    case SLOT_STOPPED:
      *limit = TELAR_LIMIT_GRACE;
      return limits->grace_end_ns == 0 ? NEVER : limits->grace_end_ns;
    default:
      return NEVER;
  }
}

uint32_t telar_sched_overdue(telar_sched *s, telar_sched_late *out, uint32_t max,
                             uint64_t *wait_ns) {
  uint64_t now = telar_os_now_ns();
  uint64_t next = NEVER;
  uint32_t n = 0;
  uint32_t left = s->limited;
  for (uint32_t i = 0; i < s->config.slots && left > 0; i++) {
    if (!s->slots[i].limited) {
      continue;
    }
    left--;
    telar_sched_limit_kind limit;
    uint64_t end = end_of(s, i, now, &limit);
    if (end > now) {
      next = end < next ? end : next;
    } else if (n < max) {
      out[n++] = (telar_sched_late){.slot = i, .limit = limit};
    } else {
      next = now;
      break;
    }
  }
  *wait_ns = next == NEVER ? NEVER : next - now;
  return n;
}
