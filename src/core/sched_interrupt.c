/*
 * sched_interrupt.c - the handshake by which the owner stops the code of a task where it stands.
 *
 * The code of a worker may be hit only in a window, which the worker opens for one task, and
 * closes. So an interrupt cannot hit what comes after the task. The owner that finds the window
 * open marks it, and only then sends the interrupt. A marked window stays open until it was hit: if
 * the task ends by itself meanwhile, its worker waits there for the hit, or for the news that the
 * interrupt was spent inside the window. That happens where it hits a microtask, of which it ends
 * no more than the microtasks. A task that is not in a window is dropped by its worker, at the next
 * turn of its event loop or before it opens the window.
 *
 * A task leaves ticks and microtasks, also when it was stopped, and they may be endless. So the
 * worker runs them in a window too (window_reopen). The interrupt for the task may be spent then,
 * or none was sent. So the worker rings the owner, which may send another one (stop_again). Only
 * one is on its way at a time.
 *
 * The owner writes the state of the slot and reads the window. The worker writes the window and
 * reads the state. All of these are sequentially consistent (I1 and I2), so at least one of them
 * sees what the other has done; if both do, the change of the window decides.
 */
#include "sched_internal.h"

#define WINDOW_CLOSED 0u
#define WINDOW_OPEN(slot) ((slot) + 1u)
#define WINDOW_MARKED(slot) (WINDOW_OPEN(slot) | UINT32_C(0x40000000))
#define WINDOW_SPENT(slot) (WINDOW_OPEN(slot) | UINT32_C(0x80000000))

telar_stop_result telar_sched_stop(telar_sched *s, uint32_t index, bool may_hit, uint64_t grace_ns,
                                   uint32_t *worker) {
  *worker = TELAR_SCHED_NONE;
  if (index >= s->config.slots) {
    return TELAR_STOP_OVER;
  }
  _Atomic uint32_t *state = &s->slots[index].state;
  uint32_t told = atomic_load_explicit(state, memory_order_relaxed);
  uint32_t holder = SLOT_WORKER(told);
  if (SLOT_STATE(told) != SLOT_TOLD ||
      !atomic_compare_exchange_strong(state, &told, SLOT_WORD(SLOT_STOPPED, holder))) { /* I1 */
    return TELAR_STOP_OVER;
  }
  *worker = holder;
  telar_sched_limit_grace(s, index, grace_ns);
  uint32_t open = WINDOW_OPEN(index);
  if (may_hit && atomic_compare_exchange_strong(&s->workers[holder].window, &open,
                                                WINDOW_MARKED(index))) { /* I1 */
    return TELAR_STOP_HIT;
  }
  sched_ring(s, holder);
  return TELAR_STOP_NOTED;
}

bool telar_sched_stop_again(telar_sched *s, uint32_t index, uint32_t *worker) {
  uint32_t state = index < s->config.slots
                       ? atomic_load_explicit(&s->slots[index].state, memory_order_relaxed)
                       : SLOT_WORD(SLOT_OWNED, 0u); /* relaxed: this thread has stopped it */
  uint32_t open = WINDOW_OPEN(index);
  *worker = SLOT_WORKER(state);
  return SLOT_STATE(state) == SLOT_STOPPED &&
         atomic_compare_exchange_strong(&s->workers[*worker].window, &open, WINDOW_MARKED(index));
}

void telar_sched_interrupt_spent(telar_sched *s, uint32_t worker, uint32_t slot) {
  if (worker < s->config.workers) {
    /* It fails if the window was hit, and for what the worker has opened since. */
    uint32_t marked = WINDOW_MARKED(slot);
    atomic_compare_exchange_strong(&s->workers[worker].window, &marked, WINDOW_SPENT(slot));
  }
}

bool telar_sched_window_open(telar_sched *s, uint32_t worker, uint32_t slot) {
  atomic_store(&s->workers[worker].window, WINDOW_OPEN(slot)); /* I2 */
  uint32_t state = atomic_load(&s->slots[slot].state);         /* I2 */
  bool may_run = state == SLOT_WORD(SLOT_CLAIMED, worker) || state == SLOT_WORD(SLOT_TOLD, worker);
  return may_run || telar_sched_window_close(s, worker, slot) == TELAR_WINDOW_MARKED;
}

void telar_sched_window_reopen(telar_sched *s, uint32_t worker, uint32_t slot) {
  atomic_store(&s->workers[worker].window, WINDOW_OPEN(slot));                 /* I2 */
  if (atomic_load(&s->slots[slot].state) == SLOT_WORD(SLOT_STOPPED, worker)) { /* I2 */
    sched_ring(s, TELAR_SCHED_NONE);
  }
}

telar_window telar_sched_window_close(telar_sched *s, uint32_t worker, uint32_t slot) {
  uint32_t seen = WINDOW_OPEN(slot);
  if (atomic_compare_exchange_strong(&s->workers[worker].window, &seen, WINDOW_CLOSED)) {
    return TELAR_WINDOW_CLOSED;
  }
  if (seen == WINDOW_MARKED(slot)) {
    return TELAR_WINDOW_MARKED;
  }
  telar_sched_window_was_hit(s, worker);
  return TELAR_WINDOW_SPENT;
}

void telar_sched_window_was_hit(telar_sched *s, uint32_t worker) {
  /* Relaxed: the owner does not read the window of a slot that it has stopped. */
  atomic_store_explicit(&s->workers[worker].window, WINDOW_CLOSED, memory_order_relaxed);
}

bool telar_sched_is_stopped(const telar_sched *s, uint32_t worker, uint32_t slot) {
  /* Relaxed: the bell that the owner rings orders it. */
  return slot < s->config.slots &&
         atomic_load_explicit(&s->slots[slot].state, memory_order_relaxed) ==
             SLOT_WORD(SLOT_STOPPED, worker);
}
