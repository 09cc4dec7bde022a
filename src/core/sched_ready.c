/* sched_ready.c - the ready queue when priorities other than 0 are in use. */
#include "sched_ready.h"

static telar_index_queue *queue_of(sched_ready *ready, uint32_t level) {
  if (level == SCHED_LEVEL_NORMAL) {
    return &ready->queue;
  }
  return (telar_index_queue *)(void *)(ready->memory +
                                       level * telar_index_queue_size(ready->slots));
}

static size_t header_size(void) {
  return offsetof(sched_ready, queue);
}

size_t telar_sched_ready_size(const telar_sched_config *config) {
  return header_size() + telar_index_queue_size(config->slots) * (1 + SCHED_LEVELS);
}

sched_ready *telar_sched_ready_init(void *memory, const telar_sched_config *config) {
  sched_ready *ready = memory;
  telar_index_queue *queue = NULL;
  telar_index_queue_init((char *)memory + header_size(), config->slots, config->start, &queue);
  ready->slots = config->slots;
  ready->start = config->start;
  ready->memory = (char *)memory + header_size() + telar_index_queue_size(config->slots);
  return ready;
}

/* The levels that may have slots. A1: acquires R1, the set-up of their queues. */
static sched_levels used_levels(sched_ready *ready) {
  sched_levels set;
  for (uint32_t word = 0; word < SCHED_LEVEL_WORDS; word++) {
    set.words[word] = atomic_load_explicit(&ready->levels[word], memory_order_acquire);
  }
  return set;
}

/* Owner. R1: released to A1. A worker that sees the old set passes the level over for a moment;
 * before it sleeps, W1 and W2 order the two. */
static void write_level(sched_ready *ready, uint32_t level, bool is_used) {
  _Atomic uint64_t *word = &ready->levels[level / 64];
  uint64_t bit = UINT64_C(1) << (level % 64);
  uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
  uint32_t used = atomic_load_explicit(&ready->levels_used, memory_order_relaxed);
  atomic_store_explicit(word, is_used ? seen | bit : seen & ~bit, memory_order_release);
  atomic_store_explicit(&ready->levels_used, is_used ? used + 1 : used - 1, memory_order_relaxed);
}

static bool is_in(const sched_levels *set, uint32_t level) {
  return (set->words[level / 64] >> (level % 64) & 1) != 0;
}

void telar_sched_ready_push_level_(sched_ready *ready, uint32_t slot, uint32_t level) {
  telar_index_queue *queue = queue_of(ready, level);
  if (!is_in(&ready->made, level)) {
    telar_index_queue_init(queue, ready->slots, ready->start, &queue);
    sched_levels_add(&ready->made, level);
  }
  sched_levels used = used_levels(ready);
  if (!is_in(&used, level)) {
    write_level(ready, level, true);
  }
  /* Only AGAIN is possible: the consumer of the cell's last value is about to free it. */
  for (uint32_t turns = 0; telar_index_queue_push_sp_deferred(queue, slot) != TELAR_OK;) {
    telar_backoff(&turns);
  }
  sched_levels_add(&ready->pending, level);
}

void telar_sched_ready_publish_levels_(sched_ready *ready) {
  for (int32_t level; (level = sched_levels_highest(&ready->pending)) >= 0;) {
    telar_index_queue_publish_sp(queue_of(ready, (uint32_t)level));
    sched_levels_remove(&ready->pending, (uint32_t)level);
  }
}

void telar_sched_ready_sweep_(sched_ready *ready) {
  telar_sched_ready_publish_levels_(ready); /* so that the lengths are right */
  sched_levels set = used_levels(ready);
  for (int32_t level; (level = sched_levels_highest(&set)) >= 0;) {
    sched_levels_remove(&set, (uint32_t)level);
    if (telar_index_queue_is_empty(queue_of(ready, (uint32_t)level))) {
      write_level(ready, (uint32_t)level, false);
    }
  }
}

bool telar_sched_ready_has_published_level_(sched_ready *ready) {
  sched_levels set = used_levels(ready);
  for (int32_t level; (level = sched_levels_highest(&set)) >= 0;) {
    if (!telar_index_queue_is_empty(queue_of(ready, (uint32_t)level))) {
      return true;
    }
    sched_levels_remove(&set, (uint32_t)level);
  }
  return false;
}

bool telar_sched_ready_has_level_(sched_ready *ready) {
  sched_levels set = used_levels(ready);
  for (int32_t level; (level = sched_levels_highest(&set)) >= 0;) {
    if (telar_index_queue_has_next(queue_of(ready, (uint32_t)level))) {
      return true;
    }
    sched_levels_remove(&set, (uint32_t)level);
  }
  return false;
}

uint32_t telar_sched_ready_levels_length_(sched_ready *ready) {
  uint32_t length = 0;
  sched_levels set = used_levels(ready);
  for (int32_t level; (level = sched_levels_highest(&set)) >= 0;) {
    length += telar_index_queue_length(queue_of(ready, (uint32_t)level));
    sched_levels_remove(&set, (uint32_t)level);
  }
  return length;
}

static bool candidate_at(sched_ready *ready, const sched_slot *slots, uint32_t level,
                         sched_candidate *found) {
  uint32_t slot;
  if (!telar_index_queue_peek(queue_of(ready, level), &slot)) {
    return false;
  }
  found->level = level;
  found->created_ns = atomic_load_explicit(&slots[slot].created_ns, memory_order_relaxed);
  return true;
}

bool telar_sched_ready_first(sched_ready *ready, const sched_slot *slots, sched_candidate *first) {
  sched_levels set = used_levels(ready);
  sched_levels_add(&set, SCHED_LEVEL_NORMAL);
  for (int32_t level; (level = sched_levels_highest(&set)) >= 0;) {
    if (candidate_at(ready, slots, (uint32_t)level, first)) {
      return true;
    }
    sched_levels_remove(&set, (uint32_t)level);
  }
  return false;
}

bool telar_sched_ready_oldest(sched_ready *ready, const sched_slot *slots,
                              sched_candidate *oldest) {
  bool found = false;
  sched_levels set = used_levels(ready);
  sched_levels_add(&set, SCHED_LEVEL_NORMAL);
  for (int32_t level; (level = sched_levels_highest(&set)) >= 0;) {
    sched_candidate next;
    if (candidate_at(ready, slots, (uint32_t)level, &next) &&
        (!found || next.created_ns < oldest->created_ns)) {
      *oldest = next;
      found = true;
    }
    sched_levels_remove(&set, (uint32_t)level);
  }
  return found;
}

bool telar_sched_ready_claim_at(sched_ready *ready, uint32_t level, uint32_t *slot) {
  return sched_ready_pop_(queue_of(ready, level), slot);
}

bool telar_sched_ready_claim_highest_(sched_ready *ready, uint32_t *slot) {
  sched_levels set = used_levels(ready);
  sched_levels_add(&set, SCHED_LEVEL_NORMAL);
  for (int32_t level; (level = sched_levels_highest(&set)) >= 0;) {
    if (telar_sched_ready_claim_at(ready, (uint32_t)level, slot)) {
      return true;
    }
    sched_levels_remove(&set, (uint32_t)level);
  }
  return false;
}
