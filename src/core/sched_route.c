/*
 * sched_route.c - the owner submits tasks with a priority, with a key, or for a certain worker. All
 * of it runs in the owner's thread.
 *
 * A worker that leaves runs the tasks of its agenda and gets no others. While it runs tasks of a
 * key, later ones of that key wait in `unplaced`: another worker could overtake them.
 */
#include "sched_internal.h"

/* Tasks are bound ahead only after so many short ones in a row: where one task in a hundred is
 * long, most of the time none is bound. */
#define AHEAD_AFTER 64u
/* A worker that crashes takes the tasks that are bound to it along: no more than this. It needs
 * only a few to have work while the owner wakes up and brings more. */
#define AHEAD_MAX 8u

static sched_key *key_of(telar_sched *s, uint32_t key) {
  return &s->keys[key % TELAR_SCHED_KEYS];
}

static bool is_open(const telar_sched *s, uint32_t worker) {
  /* Relaxed: only the owner, and a worker whose task was condemned, set it. */
  return sched_is_present(s, worker) &&
         atomic_load_explicit(&s->workers[worker].closing, memory_order_relaxed) == STAYS;
}

/* The open worker with the fewest keys; NONE: there is none. */
static uint32_t least_bound(const telar_sched *s) {
  uint32_t found = TELAR_SCHED_NONE;
  for (uint32_t i = 0; i < sched_table_end(s); i++) {
    if (is_open(s, i) &&
        (found == TELAR_SCHED_NONE || s->workers[i].keys < s->workers[found].keys)) {
      found = i;
    }
  }
  return found;
}

/* Whether the worker has no more keys than its share of them, rounded up. */
static bool has_its_share(const telar_sched *s, uint32_t worker) {
  return (uint64_t)s->workers[worker].keys * s->present < (uint64_t)s->keys_bound + s->present;
}

static void bind(telar_sched *s, sched_key *key, uint32_t worker) {
  if (key->worker != 0) {
    s->workers[key->worker - 1].keys--;
    s->keys_bound--;
  }
  key->worker = worker == TELAR_SCHED_NONE ? 0 : worker + 1;
  if (key->worker != 0) {
    s->workers[worker].keys++;
    s->keys_bound++;
  }
}

static bool leaves(const telar_sched *s, uint32_t worker) {
  uint32_t closing = atomic_load_explicit(&s->workers[worker].closing, memory_order_relaxed);
  return closing == LEAVING || closing == LEFT; /* relaxed: as in is_open */
}

/* The worker of a key. NONE: there is no worker, or it leaves, or tasks of the key wait for one,
 * which go first. A worker that is closed still gets tasks: all of them go to another one together,
 * in their order. */
static uint32_t worker_of(telar_sched *s, sched_key *key) {
  if (key->outstanding != 0) {
    bool waits = key->outstanding != key->delivered || leaves(s, key->worker - 1);
    return waits ? TELAR_SCHED_NONE : key->worker - 1;
  }
  uint32_t worker = key->worker - 1;
  if (!is_open(s, worker) || !has_its_share(s, worker)) {
    uint32_t other = least_bound(s);
    if (!is_open(s, worker) || s->workers[other].keys + 1 < s->workers[worker].keys) {
      worker = other;
      bind(s, key, worker);
    }
  }
  return worker;
}

static void deliver(telar_sched *s, uint32_t index, uint32_t worker) {
  s->slots[index].worker = worker;
  s->workers[worker].routed++;
  if (s->slots[index].has_key) {
    s->keys[s->slots[index].key].delivered++;
  }
  telar_lane_push(&s->workers[worker].inbox, s->links, index);
  telar_sched_wake_for_agenda(s, worker);
}

/* Hands a slot over: to the agenda of a worker, to the list of those that wait for a worker, or to
 * the ready queue. */
static void enter(telar_sched *s, uint32_t index, uint32_t worker) {
  sched_slot *slot = &s->slots[index];
  slot->is_routed = slot->has_key || worker != TELAR_SCHED_NONE;
  if (!slot->is_routed) {
    sched_ready_push(s->ready, index, slot->level);
    sched_ready_publish_if_due(s->ready, s->outstanding);
    telar_sched_wake_for_ready(s);
    return;
  }
  slot->successor = 0;
  slot->worker = TELAR_SCHED_NONE;
  if (worker != TELAR_SCHED_NONE) {
    deliver(s, index, worker);
  } else {
    sched_list_add(&s->unplaced, s->links, index);
  }
}

telar_status telar_sched_submit_routed(telar_sched *s, uint32_t index,
                                       const telar_sched_route *route, bool cancellable,
                                       uint64_t created_ns) {
  bool is_routed = route->key != TELAR_SCHED_NONE || route->worker != TELAR_SCHED_NONE;
  if (!sched_is_owned(s, index) || !sched_priority_ok(route->priority) ||
      (route->worker != TELAR_SCHED_NONE &&
       (!sched_is_present(s, route->worker) || leaves(s, route->worker))) ||
      (route->mode != TELAR_LANE_SHARED && !(route->mode == TELAR_LANE_EXCLUSIVE && is_routed))) {
    return TELAR_INVALID;
  }
  sched_slot *slot = &s->slots[index];
  uint32_t worker = route->worker;
  slot->has_key = route->key != TELAR_SCHED_NONE;
  if (slot->has_key) {
    sched_key *key = key_of(s, route->key);
    if (worker == TELAR_SCHED_NONE) {
      worker = worker_of(s, key);
      key->outstanding++;
    } else if (key->outstanding == 0 || key->worker != worker + 1) {
      return TELAR_INVALID; /* it is not held */
    }
    slot->key = route->key % TELAR_SCHED_KEYS;
  }
  slot->level = sched_level_of(route->priority);
  slot->places = (uint16_t)(route->mode == TELAR_LANE_EXCLUSIVE ? s->config.concurrency : 1);
  slot->is_bound = route->worker != TELAR_SCHED_NONE;
  sched_make_ready(s, slot, cancellable, created_ns);
  enter(s, index, worker);
  return TELAR_OK;
}

telar_status telar_sched_resubmit(telar_sched *s, uint32_t index) {
  if (!sched_is_owned(s, index)) {
    return TELAR_INVALID;
  }
  sched_slot *slot = &s->slots[index];
  uint32_t worker = TELAR_SCHED_NONE;
  if (slot->has_key) {
    sched_key *key = &s->keys[slot->key];
    worker = worker_of(s, key);
    key->outstanding++;
  }
  slot->is_bound = false;
  sched_make_ready(s, slot, slot->cancellable, sched_created(slot));
  enter(s, index, worker);
  return TELAR_OK;
}

uint32_t telar_sched_hold_key(telar_sched *s, uint32_t key) {
  uint32_t worker = worker_of(s, key_of(s, key));
  if (worker != TELAR_SCHED_NONE) {
    key_of(s, key)->outstanding++;
  }
  return worker;
}

void telar_sched_release_key(telar_sched *s, uint32_t key) {
  key_of(s, key)->outstanding--;
}

/* A task that was bound to it counts twice while it runs. */
static uint32_t tasks_of(const telar_sched *s, uint32_t worker) {
  return s->workers[worker].routed + telar_sched_worker_usage(s, worker);
}

uint32_t telar_sched_pick_worker(telar_sched *s) {
  uint32_t found = TELAR_SCHED_NONE;
  uint32_t fewest = UINT32_MAX;
  for (uint32_t i = 0; i < sched_table_end(s); i++) {
    uint32_t tasks = tasks_of(s, i);
    if (is_open(s, i) && tasks < fewest) {
      found = i;
      fewest = tasks;
    }
  }
  return found;
}

uint32_t telar_sched_pick_ahead(telar_sched *s) {
  if (s->short_in_row < AHEAD_AFTER || s->limited != 0 || telar_sched_ready_length(s) != 0) {
    return TELAR_SCHED_NONE;
  }
  uint32_t worker = telar_sched_pick_worker(s);
  if (worker == TELAR_SCHED_NONE || !telar_sched_worker_is_ready(s, worker)) {
    return TELAR_SCHED_NONE;
  }
  uint32_t tasks = tasks_of(s, worker);
  bool is_short = tasks <= AHEAD_MAX && tasks * s->ran_ns <= AHEAD_NS;
  return is_short ? worker : TELAR_SCHED_NONE;
}

/* The worker of a slot has ended the task, or has ended itself. */
static void take_off(telar_sched *s, sched_slot *slot) {
  s->workers[slot->worker].routed--;
  if (slot->has_key) {
    s->keys[slot->key].delivered--;
  }
  slot->worker = TELAR_SCHED_NONE;
}

/* A routed slot comes back to the owner. */
void telar_sched_end_route(telar_sched *s, sched_slot *slot) {
  if (slot->worker != TELAR_SCHED_NONE) {
    take_off(s, slot);
  }
  if (slot->has_key) {
    s->keys[slot->key].outstanding--;
  }
  slot->is_routed = false;
}

/* Tasks that wait for a worker get one, if there is one now. */
void telar_sched_place_waiting(telar_sched *s) {
  sched_list waiting = s->unplaced;
  s->unplaced = (sched_list){0, 0};
  while (waiting.first != 0) {
    uint32_t index = sched_list_take(&waiting, s->links);
    sched_key *key = &s->keys[s->slots[index].key];
    if (key->delivered == 0 && !is_open(s, key->worker - 1)) {
      bind(s, key, least_bound(s));
    }
    if (is_open(s, key->worker - 1)) {
      deliver(s, index, key->worker - 1);
    } else {
      sched_list_add(&s->unplaced, s->links, index);
    }
  }
}

/* The worker of a task with a key has ended, and had not claimed it. */
void telar_sched_unplace(telar_sched *s, uint32_t index) {
  sched_list_add(&s->workers[s->slots[index].worker].left, s->links, index);
}

/* The tasks that a worker has left wait for another one, before those that came later. */
void telar_sched_unplace_left(telar_sched *s, uint32_t worker) {
  sched_list *left = &s->workers[worker].left;
  sched_list later = s->unplaced;
  s->unplaced = (sched_list){0, 0};
  while (left->first != 0) {
    uint32_t index = sched_list_take(left, s->links);
    take_off(s, &s->slots[index]);
    s->slots[index].successor = 0;
    sched_list_add(&s->unplaced, s->links, index);
  }
  while (later.first != 0) {
    sched_list_add(&s->unplaced, s->links, sched_list_take(&later, s->links));
  }
}

/* The worker has ended: its keys get others. */
void telar_sched_unbind_keys(telar_sched *s, uint32_t worker) {
  for (uint32_t i = 0; i < TELAR_SCHED_KEYS && s->workers[worker].keys != 0; i++) {
    if (s->keys[i].worker == worker + 1) {
      bind(s, &s->keys[i], TELAR_SCHED_NONE);
    }
  }
}
