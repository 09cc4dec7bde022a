/* ring.c - setup of a ring and its ends, the table of ends, statistics. */
#include "ring_internal.h"

#define RELEASE_GROUP_MAX 256u

/* ---- setup ---- */

static bool is_power_of_two(uint32_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

static bool is_valid_flags(uint32_t flags) {
  uint32_t known = TELAR_RING_SINGLE_PRODUCER | TELAR_RING_SINGLE_CONSUMER |
                   TELAR_RING_DROP_OLDEST | TELAR_RING_DROP_NEWEST;
  uint32_t others = TELAR_RING_SINGLE_CONSUMER | TELAR_RING_DROP_NEWEST;
  return (flags & ~known) == 0 && ((flags & TELAR_RING_DROP_OLDEST) == 0 || (flags & others) == 0);
}

static bool is_valid(const telar_ring_config *config) {
  return config != NULL && is_power_of_two(config->capacity) &&
         config->capacity >= TELAR_RING_CAPACITY_MIN &&
         config->capacity <= TELAR_RING_CAPACITY_MAX && is_valid_flags(config->flags);
}

static uint64_t bytes_for(uint64_t granules) {
  return sizeof(ring_shared) + granules * (sizeof(uint32_t) + TELAR_RING_GRANULE);
}

uint64_t telar_ring_size(const telar_ring_config *config) {
  return is_valid(config) ? bytes_for(config->capacity / TELAR_RING_GRANULE) : 0;
}

telar_status telar_ring_init(void *memory, uint64_t bytes, const telar_ring_config *config) {
  if (!is_valid(config) || memory == NULL || (uintptr_t)memory % sizeof(uint64_t) != 0 ||
      bytes < telar_ring_size(config)) {
    return TELAR_INVALID;
  }
  ring_shared *shared = memory;
  uint32_t log2_granules = 0;
  while ((TELAR_RING_GRANULE << log2_granules) < config->capacity) {
    log2_granules++;
  }
  uint64_t start = config->start & RING_POSITION_MASK;
  shared->log2_granules = log2_granules;
  shared->flags = config->flags;
  /* Relaxed: the memory is not shared yet. */
  atomic_store_explicit(&shared->tail, start, memory_order_relaxed);
  atomic_store_explicit(&shared->head, start, memory_order_relaxed);
  atomic_store_explicit(&shared->released, start, memory_order_relaxed);
  shared->magic = RING_MAGIC;
  return TELAR_OK;
}

size_t telar_ring_end_size(void) {
  return TELAR_CACHELINE_ROUND_UP(sizeof(telar_ring_end));
}

size_t telar_ring_end_align(void) {
  return TELAR_CACHELINE;
}

telar_status telar_ring_open(void *end_memory, void *memory, uint64_t bytes, telar_ring_end **out) {
  if (end_memory == NULL || (uintptr_t)end_memory % TELAR_CACHELINE != 0 || memory == NULL ||
      (uintptr_t)memory % sizeof(uint64_t) != 0 || out == NULL) {
    return TELAR_INVALID;
  }
  if (bytes < sizeof(ring_shared)) {
    return TELAR_CORRUPT;
  }
  ring_shared *shared = memory;
  /* Read each value once: another thread may change it before a second read. */
  uint32_t log2_granules = *(volatile uint32_t *)&shared->log2_granules;
  uint32_t flags = *(volatile uint32_t *)&shared->flags;
  if (shared->magic != RING_MAGIC || log2_granules > 27) {
    return TELAR_CORRUPT;
  }
  telar_ring_config config = {.capacity = TELAR_RING_GRANULE << log2_granules, .flags = flags};
  if (!is_valid(&config) || bytes < telar_ring_size(&config)) {
    return TELAR_CORRUPT;
  }
  telar_ring_end *end = end_memory;
  memset(end, 0, sizeof *end);
  uint32_t granules = 1u << log2_granules;
  end->shared = shared;
  end->tags = (_Atomic uint32_t *)(void *)(shared + 1);
  end->data = (unsigned char *)(shared + 1) + granules * sizeof(uint32_t);
  end->mask = granules - 1;
  end->max_record = config.capacity / 2;
  end->release_group = granules / 4 < RELEASE_GROUP_MAX ? granules / 4 : RELEASE_GROUP_MAX;
  end->flags = flags;
  *out = end;
  return TELAR_OK;
}

/* ---- the table ---- */

telar_status telar_ring_attach(telar_ring_end *end, uint32_t thread) {
  if (end->attached || thread == 0) {
    return TELAR_INVALID;
  }
  ring_shared *shared = end->shared;
  for (uint32_t i = 0; i < TELAR_RING_ENDPOINTS; i++) {
    ring_endpoint *entry = &shared->endpoints[i];
    uint32_t expected = 0;
    /* A7: acquires R7 of the last owner: its statistics. A relaxed load first, because most entries
     * are taken. */
    if (atomic_load_explicit(&entry->thread, memory_order_relaxed) != 0 ||
        !atomic_compare_exchange_strong_explicit(&entry->thread, &expected, thread,
                                                 memory_order_acquire, memory_order_relaxed)) {
      continue;
    }
    end->endpoint = i;
    end->attached = true;
    /* Relaxed: the value of an end that was never detached may be visible a little longer. */
    atomic_store_explicit(&entry->listens, 0, memory_order_relaxed);
    end->sent = atomic_load_explicit(&entry->sent, memory_order_relaxed);
    end->sent_bytes = atomic_load_explicit(&entry->sent_bytes, memory_order_relaxed);
    end->settled_sent = end->sent;
    end->settled_bytes = end->sent_bytes;
    end->received = atomic_load_explicit(&entry->received, memory_order_relaxed);
    end->received_bytes = atomic_load_explicit(&entry->received_bytes, memory_order_relaxed);
    end->dropped = atomic_load_explicit(&entry->dropped, memory_order_relaxed);
    end->dropped_bytes = atomic_load_explicit(&entry->dropped_bytes, memory_order_relaxed);
    /* Relaxed: it only grows. A reader that misses this entry misses an end that has done nothing
     * yet. */
    uint32_t table_end = atomic_load_explicit(&shared->table_end, memory_order_relaxed);
    while (table_end < i + 1 &&
           !atomic_compare_exchange_weak_explicit(&shared->table_end, &table_end, i + 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
    return TELAR_OK;
  }
  return TELAR_LIMIT;
}

void telar_ring_listen(telar_ring_end *end) {
  if (!end->attached) return;
  /* Relaxed: a thread that announces a buffer takes a lock of the caller's, and reads this
   * afterwards. A thread that receives a record was sent it after that. */
  atomic_store_explicit(&end->shared->endpoints[end->endpoint].listens, 1, memory_order_relaxed);
}

uint32_t telar_ring_listener(const telar_ring_end *end, uint32_t endpoint) {
  if (endpoint >= TELAR_RING_ENDPOINTS) return 0;
  const ring_endpoint *entry = &end->shared->endpoints[endpoint];
  /* Relaxed: see telar_ring_listen. */
  if (atomic_load_explicit(&entry->listens, memory_order_relaxed) == 0) return 0;
  return atomic_load_explicit(&entry->thread, memory_order_relaxed);
}

/* Called when this end no longer counts among those that `side` waits for. If it was the last one,
 * wakes all that wait there. */
static void wake_deserted(telar_ring_end *end, telar_ring_side side) {
  /* E1: between no longer counting and checking whether it was the last. Pairs with W2: an end that
   * goes on sleeping has seen another end, or notify sees it asleep. If two ends leave, the second
   * one sees both gone. */
  atomic_thread_fence(memory_order_seq_cst);
  if (telar_ring_is_deserted(end, side)) {
    end->pending |= ring_pending_all(side);
  }
}

telar_status telar_ring_take_role(telar_ring_end *end, telar_ring_side side) {
  ring_shared *shared = end->shared;
  if (!end->attached) {
    return TELAR_INVALID;
  }
  uint32_t single =
      side == TELAR_RING_SENDERS ? TELAR_RING_SINGLE_PRODUCER : TELAR_RING_SINGLE_CONSUMER;
  if (ring_has(end, single)) {
    uint32_t holder = 0;
    /* A8: acquires R8 of the last holder: everything that it did to the ring. */
    if (!atomic_compare_exchange_strong_explicit(&shared->holder[side], &holder, end->endpoint + 1,
                                                 memory_order_acquire, memory_order_acquire) &&
        holder != end->endpoint + 1) {
      return TELAR_BUSY;
    }
  }
  end->staged.next = end->staged.count = 0; /* another end may have received since */
  /* Relaxed: A8 orders these. Without a single holder they are guesses or not used. */
  if (side == TELAR_RING_SENDERS) {
    end->tail = atomic_load_explicit(&shared->tail, memory_order_relaxed) & RING_POSITION_MASK;
    end->released_seen =
        atomic_load_explicit(&shared->released, memory_order_acquire); /* A3: acquires R3 */
  } else {
    uint64_t head = atomic_load_explicit(&shared->head, memory_order_relaxed);
    if ((head & RING_HEAD_FINAL) != 0) {
      return TELAR_CLOSED;
    }
    end->head = head & RING_POSITION_MASK;
    end->released =
        atomic_load_explicit(&shared->released, memory_order_relaxed) & RING_POSITION_MASK;
  }
  _Atomic uint32_t *roles = &shared->endpoints[end->endpoint].roles;
  /* Relaxed: a thread that checks for ends does so after E1 or W2. */
  uint32_t before = atomic_load_explicit(roles, memory_order_relaxed);
  atomic_store_explicit(roles, before | 1u << side, memory_order_relaxed);
  end->has_role[side] = true;
  if (before == 0) {
    wake_deserted(end, side); /* it also counted for the other side */
  }
  return TELAR_OK;
}

static void give_up_role(telar_ring_end *end, telar_ring_side side) {
  ring_shared *shared = end->shared;
  uint32_t mine = end->endpoint + 1;
  if (side == TELAR_RING_RECEIVERS && ring_has(end, TELAR_RING_SINGLE_CONSUMER) &&
      end->has_role[side]) {
    telar_ring_release_seen(end, 0);
  }
  /* R8: released to A8, the next holder. By compare-and-swap, because this end may not be the
   * holder. An end that has seen the end of a closed ring still is, although has_role is false. */
  atomic_compare_exchange_strong_explicit(&shared->holder[side], &mine, 0, memory_order_release,
                                          memory_order_relaxed);
  end->has_role[side] = false;
}

void telar_ring_detach(telar_ring_end *end) {
  if (!end->attached) {
    return;
  }
  ring_shared *shared = end->shared;
  ring_endpoint *entry = &shared->endpoints[end->endpoint];
  telar_ring_abandon(end);
  for (telar_ring_side side = TELAR_RING_RECEIVERS; side <= TELAR_RING_SENDERS;
       side = (telar_ring_side)(side + 1)) {
    telar_ring_wait_cancel(end, side);
    give_up_role(end, side);
  }
  ring_publish_counts(end);
  end->attached = false;
  /* This end may have been woken without having acted: then notify wakes another. */
  end->pending |= RING_PENDING_MOVED;
  uint32_t roles = atomic_exchange_explicit(&entry->roles, 0u, memory_order_relaxed);
  atomic_fetch_or_explicit(&shared->gone, roles & 3u, memory_order_relaxed);
  atomic_store_explicit(&entry->listens, 0, memory_order_relaxed);
  /* R7: released to A7, the next owner of the entry. */
  atomic_store_explicit(&entry->thread, 0, memory_order_release);
  wake_deserted(end, TELAR_RING_RECEIVERS);
  wake_deserted(end, TELAR_RING_SENDERS);
}

bool telar_ring_is_deserted(const telar_ring_end *end, telar_ring_side side) {
  const ring_shared *shared = end->shared;
  uint32_t other = 1u << (TELAR_RING_SENDERS - side);
  /* Relaxed: E1 or W2 orders these; the answer may be outdated. */
  if ((atomic_load_explicit(&shared->gone, memory_order_relaxed) & other) == 0) {
    return false;
  }
  for (uint32_t i = 0; i < TELAR_RING_ENDPOINTS; i++) {
    const ring_endpoint *entry = &shared->endpoints[i];
    if (atomic_load_explicit(&entry->thread, memory_order_relaxed) == 0) {
      continue;
    }
    uint32_t roles = atomic_load_explicit(&entry->roles, memory_order_relaxed);
    if (roles == 0 || (roles & other) != 0) {
      return false;
    }
  }
  return true;
}

bool telar_ring_is_attached(const telar_ring_end *end) {
  return end->attached;
}

uint32_t telar_ring_endpoint(const telar_ring_end *end) {
  return end->endpoint;
}

uint32_t telar_ring_capacity(const telar_ring_end *end) {
  return end->max_record * 2;
}

uint32_t telar_ring_flags(const telar_ring_end *end) {
  return end->flags;
}

uint32_t telar_ring_max_record(const telar_ring_end *end) {
  return end->max_record;
}

/* ---- in place ---- */

ring_open *telar_ring_find_open(ring_open *list, uint32_t ticket) {
  ring_open *open = &list[ticket % TELAR_RING_OPEN_MAX];
  return open->granules != 0 && ring_ticket(list, open) == ticket ? open : NULL;
}

ring_open *telar_ring_free_open(ring_open *list) {
  for (uint32_t i = 0; i < TELAR_RING_OPEN_MAX; i++) {
    if (list[i].granules == 0) {
      return &list[i];
    }
  }
  return NULL;
}

void telar_ring_abandon(telar_ring_end *end) {
  for (uint32_t i = 0; i < TELAR_RING_OPEN_MAX; i++) {
    if (end->reservations[i].granules != 0) {
      telar_ring_discard(end, ring_ticket(end->reservations, &end->reservations[i]));
    }
    if (end->claims[i].granules != 0) {
      telar_ring_release(end, ring_ticket(end->claims, &end->claims[i]));
    }
  }
}

/* ---- statistics ---- */

void telar_ring_stats_read(const telar_ring_end *end, telar_ring_stats *out) {
  const ring_shared *shared = end->shared;
  telar_ring_stats stats = {0};
  if (end->attached) ring_publish_counts(end);
  /* Relaxed, all of them: statistics. */
  uint32_t table_end = atomic_load_explicit(&shared->table_end, memory_order_relaxed);
  for (uint32_t i = 0; i < table_end && i < TELAR_RING_ENDPOINTS; i++) {
    const ring_endpoint *entry = &shared->endpoints[i];
    stats.received += atomic_load_explicit(&entry->received, memory_order_relaxed);
    stats.received_bytes += atomic_load_explicit(&entry->received_bytes, memory_order_relaxed);
    stats.sent += atomic_load_explicit(&entry->sent, memory_order_relaxed);
    stats.sent_bytes += atomic_load_explicit(&entry->sent_bytes, memory_order_relaxed);
    stats.dropped += atomic_load_explicit(&entry->dropped, memory_order_relaxed);
    stats.dropped_bytes += atomic_load_explicit(&entry->dropped_bytes, memory_order_relaxed);
  }
  bool had_been_sent = ring_has(end, TELAR_RING_DROP_OLDEST);
  uint64_t gone = stats.received + (had_been_sent ? stats.dropped : 0);
  uint64_t gone_bytes = stats.received_bytes + (had_been_sent ? stats.dropped_bytes : 0);
  stats.size = stats.sent > gone ? stats.sent - gone : 0;
  stats.size_bytes = stats.sent_bytes > gone_bytes ? stats.sent_bytes - gone_bytes : 0;
  uint64_t used = ring_distance(atomic_load_explicit(&shared->released, memory_order_relaxed),
                                atomic_load_explicit(&shared->tail, memory_order_relaxed));
  stats.used = used > end->mask ? 0 : used * TELAR_RING_GRANULE;
  *out = stats;
}
