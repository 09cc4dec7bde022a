/* ring_drop.c - senders that find no room in a ring that drops records: the oldest ones, or the one
 * that is being sent. */
#include "backoff.h"
#include "ring_receive.h"
#include "ring_send.h"

/* How often a sender checks again while other threads are in the middle of reading the oldest
 * records. They take less than a microsecond, unless the system has stopped one of them. */
#define CHECKS_MAX 100u

static void count_dropped(telar_ring_end *end, uint32_t bytes) {
  ring_endpoint *entry = &end->shared->endpoints[end->endpoint];
  end->dropped++;
  end->dropped_bytes += bytes;
  /* Relaxed: statistics. Not in notify, which is for all rings. */
  atomic_store_explicit(&entry->dropped, end->dropped, memory_order_relaxed);
  atomic_store_explicit(&entry->dropped_bytes, end->dropped_bytes, memory_order_relaxed);
}

/* Drops the record at head, as a consumer that does not look at it. */
static void drop(telar_ring_end *end, const ring_span *s, uint32_t bytes) {
  if (s->rest != 0) telar_ring_cut_run(end, s);
  if (end->on_drop != NULL) {
    end->on_drop(end->drop_context, ring_data(end, s->from + s->skipped), bytes);
  }
  ring_give_back(end, s);
  count_dropped(end, bytes);
}

/* OK: something has changed, so there may be room now. FULL: the next room to be given back is
 * still read or written in place. */
static telar_status drop_oldest(telar_ring_end *end) {
  _Atomic uint64_t *shared_released = &end->shared->released;
  /* A3: acquires R3, so that head, which is read after it, is not behind released. */
  uint64_t released = atomic_load_explicit(shared_released, memory_order_acquire);
  for (uint32_t checks = 0; checks < CHECKS_MAX;) {
    uint64_t head = ring_read_head(end), position = head & RING_POSITION_MASK;
    if ((head & RING_HEAD_FINAL) != 0) return TELAR_FULL;
    if (released != position) {
      /* Records before head are being read. To drop those after it would give no room. */
      telar_ring_sweep(end, 1);
      if (atomic_load_explicit(shared_released, memory_order_acquire) != released) return TELAR_OK;
      telar_backoff(&checks);
      continue;
    }
    ring_span s;
    telar_ring_run run;
    telar_status status = telar_ring_scan(end, position, 1, UINT64_MAX, &run, &s);
    if (status == TELAR_OK) {
      if (!ring_move_head(end, head, &s)) return TELAR_OK;
      drop(end, &s, run.bytes);
      return TELAR_OK;
    }
    if (status == TELAR_EMPTY && s.skipped != 0) {
      if (ring_move_head(end, head, &s)) ring_give_back(end, &s);
      return TELAR_OK;
    }
    if (ring_read_head(end) != head) return TELAR_OK;
    return status == TELAR_EMPTY ? TELAR_FULL : status;
  }
  return TELAR_FULL;
}

telar_status telar_ring_overflow(telar_ring_end *end, telar_status status) {
  bool is_full = status == TELAR_FULL || status == TELAR_AGAIN;
  return is_full && ring_has(end, TELAR_RING_DROP_OLDEST) ? drop_oldest(end) : status;
}

telar_status telar_ring_drop_newest(telar_ring_end *end, uint32_t bytes, telar_status status) {
  bool is_full = status == TELAR_FULL || status == TELAR_AGAIN;
  if (!is_full || !ring_has(end, TELAR_RING_DROP_NEWEST)) return status;
  count_dropped(end, bytes);
  return TELAR_DROPPED;
}

/* What notify does for the records of one call. Here each record of a batch is sent by itself, and
 * the ring may be closed between two of them. */
static telar_status settle(telar_ring_end *end) {
  if ((end->pending & RING_PENDING_SENT) == 0) return TELAR_OK;
  atomic_thread_fence(memory_order_seq_cst); /* C1: pairs with C2 */
  telar_status status = telar_ring_settle(end);
  end->settled_sent = end->sent;
  end->settled_bytes = end->sent_bytes;
  end->pending &= ~(uint32_t)RING_PENDING_SENT;
  return status;
}

RING_NOINLINE telar_status telar_ring_send_each(telar_ring_end *end, const void *data,
                                                const telar_ring_run *runs, uint32_t count,
                                                uint32_t *sent) {
  const unsigned char *from = data;
  uint32_t before = *sent, done = before;
  telar_status status = settle(end);
  if (status != TELAR_OK) {
    *sent = 0;
    return status;
  }
  for (uint32_t i = 0; i < count; i++) {
    size_t step = (size_t)ring_granules(runs[i].bytes) * TELAR_RING_GRANULE;
    uint32_t records = runs[i].records, skip = before < records ? before : records;
    before -= skip;
    from += skip * step;
    for (records -= skip; records != 0; records--, from += step) {
      status = telar_ring_send(end, from, runs[i].bytes);
      if (status == TELAR_OK) status = settle(end);
      if (status != TELAR_OK && status != TELAR_DROPPED) {
        *sent = done;
        return done != 0 ? TELAR_OK : status;
      }
      done++;
    }
  }
  *sent = done;
  return TELAR_OK;
}

uint64_t telar_ring_dropped(const telar_ring_end *end) {
  return end->dropped;
}

void telar_ring_on_drop(telar_ring_end *end, telar_ring_drop_fn on_drop, void *context) {
  end->on_drop = on_drop;
  end->drop_context = context;
}
