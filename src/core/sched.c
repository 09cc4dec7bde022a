/* sched.c - setup: the memory of a scheduler and its initial contents. */
#include "sched_internal.h"

/* The parts of the one block of memory, in this order. */
typedef struct layout {
  size_t slots, workers, ready, done, idle, links, limits, agendas, last_of_key, keys, snapshots;
  size_t total;
} layout;

static bool is_valid(const telar_sched_config *c) {
  return c != NULL && c->slots >= 2 && c->slots <= TELAR_SCHED_SLOTS_MAX &&
         (c->slots & (c->slots - 1)) == 0 && c->workers >= 1 &&
         c->workers <= TELAR_SCHED_WORKERS_MAX && c->concurrency >= 1 &&
         c->concurrency <= TELAR_SCHED_CONCURRENCY_MAX && c->cpus >= 1 && c->wake != NULL &&
         (!c->timing || c->memory != NULL);
}

static layout lay_out(const telar_sched_config *c) {
  layout l;
  size_t at = TELAR_CACHELINE_ROUND_UP(sizeof(telar_sched));
  l.slots = at;
  at += TELAR_CACHELINE_ROUND_UP(sizeof(sched_slot) * c->slots);
  l.workers = at;
  at += TELAR_CACHELINE_ROUND_UP(sizeof(sched_worker) * c->workers);
  l.ready = at;
  at += TELAR_CACHELINE_ROUND_UP(telar_sched_ready_size(c));
  l.done = at;
  at += TELAR_CACHELINE_ROUND_UP(telar_index_queue_size(c->slots));
  l.idle = at;
  at += TELAR_CACHELINE_ROUND_UP(sizeof(uint32_t) * ((c->workers + IDLE_BITS - 1) / IDLE_BITS));
  l.links = at;
  at += TELAR_CACHELINE_ROUND_UP(sizeof(uint32_t) * c->slots);
  l.limits = at;
  at += TELAR_CACHELINE_ROUND_UP(sizeof(sched_limits) * c->slots);
  l.agendas = at;
  at += TELAR_CACHELINE_ROUND_UP(sizeof(sched_agenda) * c->workers);
  l.last_of_key = at;
  at += TELAR_CACHELINE_ROUND_UP(sizeof(uint32_t) * TELAR_SCHED_KEYS);
  l.keys = at;
  at += TELAR_CACHELINE_ROUND_UP(sizeof(sched_key) * TELAR_SCHED_KEYS);
  l.snapshots = at;
  at += TELAR_CACHELINE_ROUND_UP(TELAR_METRIC_COUNT * sizeof(sched_metrics));
  l.total = at;
  return l;
}

size_t telar_sched_align(void) {
  return TELAR_CACHELINE;
}

size_t telar_sched_size(const telar_sched_config *config) {
  return is_valid(config) ? lay_out(config).total : 0;
}

telar_status telar_sched_init(void *memory, const telar_sched_config *config, telar_sched **out) {
  if (!is_valid(config) || memory == NULL || out == NULL ||
      (uintptr_t)memory % TELAR_CACHELINE != 0) {
    return TELAR_INVALID;
  }
  layout l = lay_out(config);
  char *base = memory;
  telar_sched *s = memory;
  s->config = *config;
  s->slots = (sched_slot *)(void *)(base + l.slots);
  s->workers = (sched_worker *)(void *)(base + l.workers);
  s->idle = (_Atomic uint32_t *)(void *)(base + l.idle);
  s->ready = telar_sched_ready_init(base + l.ready, config);
  telar_index_queue_init(base + l.done, config->slots, config->start, &s->done);
  /* Slots, links, limits, keys, idle words and workers start as zeroes. So memory that no task
   * needs stays untouched. */
  s->links = (uint32_t *)(void *)(base + l.links);
  s->limits = (sched_limits *)(void *)(base + l.limits);
  s->agendas = (sched_agenda *)(void *)(base + l.agendas);
  s->last_of_key = (uint32_t *)(void *)(base + l.last_of_key);
  s->keys = (sched_key *)(void *)(base + l.keys);
  telar_sched_metrics_init(s, base + l.snapshots);
  telar_eventcount_init(&s->owner_sleep);
  telar_wake_cost_init(&s->wake_cost);
  *out = s;
  return TELAR_OK;
}
