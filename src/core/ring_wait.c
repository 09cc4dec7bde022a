/*
 * ring_wait.c - which ends sleep, which end is woken, and why no wake-up is lost.
 *
 *   W1 (notify):  publish or release (before); fence; check for waiting ends
 *   W2 (wait, wait_sync):  announce; fence; (the caller) check the ring once more
 *
 *       One of the two fences comes first: either the check sees the record, the room or the end
 *       of the ring, or notify sees the announcement. The thread that clears the bit of an
 *       announcement ends it; this happens once.
 *
 * A thread that blocks reads its event word before the announcement. The thread that ends the
 * announcement changes the word, so Atomics.wait returns, however early that was. (If it read the
 * word after the announcement, the word could already have changed, for a record that another end
 * took before the last check. Then the thread would sleep without a bit.)
 *
 * One end is woken at a time. If it leaves something behind, the next one has to be woken. So every
 * notify, of a receiver or of a sender, checks both sides. The end that was woken does one of three
 * things. It acts, and notifies. Or it is refused (EMPTY: another end took the record, and
 * notifies). Or it gives up, and its cancel makes its notify check. For a thread that was
 * terminated, detach does this.
 */
#include "bits.h"
#include "ring_internal.h"

/* ---- waiting ends ---- */

static bool has_waiters(const ring_waiters *waiters) {
  uint64_t any = 0;
  for (uint32_t i = 0; i < RING_WAIT_WORDS; i++) {
    /* L2: acquires L1, what the waiting end did before: where head is. Otherwise W1 orders it. */
    any |= atomic_load_explicit(&waiters->waiting[i], memory_order_acquire);
  }
  return any != 0;
}

static _Atomic uint64_t *word_of(const telar_ring_end *end, telar_ring_side side) {
  return &end->shared->waiters[side].waiting[end->endpoint / 64];
}

static uint64_t bit_of(const telar_ring_end *end) {
  return UINT64_C(1) << (end->endpoint % 64);
}

/* ---- what waiting ends could continue with ---- */

/* Whether a receiver could claim something at head. If head is at an open reservation it could
 * not: the commit wakes it. If another consumer moves head in the meantime, its notify checks what
 * is next. */
static bool has_record(const telar_ring_end *end) {
  /* Relaxed: W1 orders these. */
  uint64_t head = atomic_load_explicit(&end->shared->head, memory_order_relaxed);
  uint32_t tag = atomic_load_explicit(ring_tag(end, head), memory_order_relaxed);
  return ring_tag_records(tag) != 0 || (tag & RING_TAG_STATE) == RING_TAG_SKIP;
}

/* Whether a sender could drop the record at head, which gives room only if everything before it has
 * been given back. What changes this is followed by a notify: a commit, and a release. */
static bool can_drop(const telar_ring_end *end, uint64_t released) {
  if (!ring_has(end, TELAR_RING_DROP_OLDEST)) return false;
  /* Relaxed: W1 orders it. */
  uint64_t head = atomic_load_explicit(&end->shared->head, memory_order_relaxed);
  return ring_distance(released, head) == 0 && has_record(end);
}

typedef struct room {
  uint64_t tail, released;
} room;

/* False: another thread is sweeping; it checks for waiting ends when it is done (S1). */
static bool read_room(telar_ring_end *end, room *seen) {
  if (!ring_has(end, TELAR_RING_SINGLE_CONSUMER) &&
      telar_ring_sweep(end, end->mask) == TELAR_AGAIN) {
    return false;
  }
  /* A3: acquires R3, so that tail, which is read after it, is not behind released. */
  seen->released = atomic_load_explicit(&end->shared->released, memory_order_acquire);
  seen->tail = atomic_load_explicit(&end->shared->tail, memory_order_relaxed);
  return true;
}

/* ---- waking ---- */

typedef struct waker {
  telar_ring_end *end;
  telar_ring_wake_fn wake;
  void *context;
  uint32_t result; /* TELAR_RING_WAKE_* */
} waker;

/* Wakes an endpoint whose bit this thread has cleared. */
static void wake_endpoint(waker *w, telar_ring_side side, uint32_t endpoint) {
  ring_endpoint *entry = &w->end->shared->endpoints[endpoint];
  /* Relaxed: L2 has seen the bit that was set after it. */
  if ((atomic_load_explicit(&entry->blocks, memory_order_relaxed) & 1u << side) != 0) {
    /* R9: released to the Atomics.wait that finds it changed: the cause of the wake-up. */
    atomic_fetch_add_explicit(&entry->event, 1, memory_order_acq_rel);
    w->result |= side == TELAR_RING_RECEIVERS ? TELAR_RING_WAKE_FIRST | endpoint << 8
                                              : TELAR_RING_WAKE_SECOND | endpoint << 16;
    return;
  }
  /* Relaxed: the callback checks the thread number. */
  uint32_t thread = atomic_load_explicit(&entry->thread, memory_order_relaxed);
  if (thread != 0) w->wake(w->context, thread, endpoint);
}

static bool can_continue(const telar_ring_end *end, const room *seen, uint32_t endpoint) {
  if (seen == NULL) return true;
  /* Relaxed: W1 or S1 has ordered it with the bit. If it belongs to a later wait, that wait checks
   * by itself. */
  uint32_t need =
      atomic_load_explicit(&end->shared->endpoints[endpoint].need, memory_order_relaxed);
  return telar_ring_fits(end, seen->tail, seen->released, need) || can_drop(end, seen->released);
}

/* Wakes one waiting end that can continue, round-robin over the table. */
static void wake_one(waker *w, telar_ring_side side, const room *seen) {
  ring_waiters *waiters = &w->end->shared->waiters[side];
  /* Relaxed: a hint. */
  uint32_t first =
      atomic_load_explicit(&waiters->next, memory_order_relaxed) % TELAR_RING_ENDPOINTS;
  uint64_t before = (UINT64_C(1) << (first % 64)) - 1;
  for (uint32_t i = 0; i <= RING_WAIT_WORDS; i++) {
    uint32_t word = (first / 64 + i) % RING_WAIT_WORDS;
    /* Relaxed: W1 or S1 orders it. The word of `first` is visited twice: its upper bits first, its
     * lower bits last. */
    uint64_t bits = atomic_load_explicit(&waiters->waiting[word], memory_order_relaxed);
    if (i == 0) bits &= ~before;
    if (i == RING_WAIT_WORDS) bits &= before;
    for (; bits != 0; bits &= bits - 1) {
      uint32_t endpoint = word * 64 + telar_bits_lowest(bits);
      uint64_t bit = bits & (0 - bits);
      if (!can_continue(w->end, seen, endpoint)) continue;
      /* L2: acquires L1, how it waits. The thread that clears the bit wakes the end. */
      if ((atomic_fetch_and_explicit(&waiters->waiting[word], ~bit, memory_order_acquire) & bit) ==
          0) {
        continue;
      }
      atomic_store_explicit(&waiters->next, (endpoint + 1) % TELAR_RING_ENDPOINTS,
                            memory_order_relaxed);
      wake_endpoint(w, side, endpoint);
      return;
    }
  }
}

static void wake_all(waker *w, telar_ring_side side) {
  ring_waiters *waiters = &w->end->shared->waiters[side];
  for (uint32_t word = 0; word < RING_WAIT_WORDS; word++) {
    /* Relaxed: W1 orders it. */
    if (atomic_load_explicit(&waiters->waiting[word], memory_order_relaxed) == 0) continue;
    uint64_t bits =
        atomic_exchange_explicit(&waiters->waiting[word], 0, memory_order_acquire); /* L2 */
    for (; bits != 0; bits &= bits - 1) {
      wake_endpoint(w, side, word * 64 + telar_bits_lowest(bits));
    }
  }
  if (w->result != 0) w->result = TELAR_RING_WAKE_ALL;
}

telar_status telar_ring_notify(telar_ring_end *end, telar_ring_wake_fn wake_fn, void *context,
                               uint32_t *wake) {
  *wake = 0;
  uint32_t pending = end->pending;
  if (pending == 0) return TELAR_OK;
  ring_shared *shared = end->shared;
  waker w = {end, wake_fn, context, 0};
  if (end->has_role[TELAR_RING_RECEIVERS] && ring_has(end, TELAR_RING_SINGLE_CONSUMER)) {
    telar_ring_release_seen(end, 0);
  }
  /* W1: pairs with W2. C1: pairs with C2, a receiver that finds a closed ring empty. */
  atomic_thread_fence(memory_order_seq_cst);
  telar_status status = (pending & RING_PENDING_SENT) != 0 ? telar_ring_settle(end) : TELAR_OK;
  /* Relaxed: W1 orders it. In a closed ring all receivers are woken: after the last record, or the
   * last discarded reservation, nothing else would wake them. */
  bool is_closed = atomic_load_explicit(&shared->state, memory_order_relaxed) == TELAR_RING_CLOSED;
  if (is_closed || (pending & ring_pending_all(TELAR_RING_RECEIVERS)) != 0) {
    wake_all(&w, TELAR_RING_RECEIVERS);
  } else if (has_waiters(&shared->waiters[TELAR_RING_RECEIVERS]) && has_record(end)) {
    wake_one(&w, TELAR_RING_RECEIVERS, NULL);
  }
  room seen;
  if ((pending & ring_pending_all(TELAR_RING_SENDERS)) != 0) {
    wake_all(&w, TELAR_RING_SENDERS);
  } else if (has_waiters(&shared->waiters[TELAR_RING_SENDERS]) && read_room(end, &seen)) {
    wake_one(&w, TELAR_RING_SENDERS, &seen);
  }
  if (end->attached) ring_publish_counts(end);
  end->settled_sent = end->sent;
  end->settled_bytes = end->sent_bytes;
  end->pending = 0; /* read_room may have set it again; that has been handled above */
  *wake = w.result;
  return status;
}

/* ---- waiting ---- */

static telar_status announce(telar_ring_end *end, telar_ring_side side, uint32_t need,
                             bool blocks) {
  if (!end->attached) return TELAR_INVALID;
  ring_endpoint *entry = &end->shared->endpoints[end->endpoint];
  uint32_t others = atomic_load_explicit(&entry->blocks, memory_order_relaxed) & ~(1u << side);
  /* Relaxed: L1 orders them. */
  if (side == TELAR_RING_SENDERS) {
    atomic_store_explicit(&entry->need, ring_granules(need), memory_order_relaxed);
  }
  atomic_store_explicit(&entry->blocks, others | (blocks ? 1u << side : 0), memory_order_relaxed);
  end->waits[side] = true;
  /* L1: released to L2, the waker. */
  atomic_fetch_or_explicit(word_of(end, side), bit_of(end), memory_order_release);
  /* W2: pairs with W1, notify, and S1, a sweep. */
  telar_fence_after_rmw();
  return TELAR_OK;
}

telar_status telar_ring_wait(telar_ring_end *end, telar_ring_side side, uint32_t need) {
  return announce(end, side, need, false);
}

telar_status telar_ring_wait_sync(telar_ring_end *end, telar_ring_side side, uint32_t need,
                                  int32_t *event) {
  /* Relaxed: only a change after this matters. Before the announcement: see the head of this
   * file. */
  if (end->attached) {
    *event =
        atomic_load_explicit(&end->shared->endpoints[end->endpoint].event, memory_order_relaxed);
  }
  return announce(end, side, need, true);
}

bool telar_ring_wait_cancel(telar_ring_end *end, telar_ring_side side) {
  if (!end->waits[side]) return false;
  end->waits[side] = false;
  /* Relaxed: it publishes nothing. Either this call or a waker clears the bit. */
  if ((atomic_fetch_and_explicit(word_of(end, side), ~bit_of(end), memory_order_relaxed) &
       bit_of(end)) != 0) {
    return true;
  }
  end->pending |= RING_PENDING_MOVED;
  return false;
}

uint64_t telar_ring_event_offset(uint32_t endpoint) {
  return offsetof(ring_shared, endpoints) + (size_t)endpoint * sizeof(ring_endpoint) +
         offsetof(ring_endpoint, event);
}
