/*
 * sched_choice.c - which task a worker starts next, if tasks have priorities or are for one worker.
 * All of it runs in the worker's thread; when that has ended, in the owner's.
 *
 * The agenda of a worker is private to it. The owner pushes slots to the inbox, a lane; the worker
 * moves them to the agenda. Of the tasks of one key only the first is listed there. Each of the
 * others is linked to the one before it, and is listed when that has ended.
 */
#include "sched_internal.h"

static void list_slot(telar_sched *s, uint32_t worker, uint32_t slot) {
  sched_agenda_add(&s->agendas[worker], s->links, s->slots[slot].level, slot);
  s->workers[worker].listed++;
}

/* Moves what the owner has pushed to the agenda. */
void telar_sched_collect(telar_sched *s, uint32_t worker) {
  uint32_t index;
  while (telar_lane_pop(&s->workers[worker].inbox, s->links, &index)) {
    sched_slot *slot = &s->slots[index];
    uint32_t last = 0;
    if (slot->has_key) {
      last = s->last_of_key[slot->key];
      s->last_of_key[slot->key] = index + 1;
    }
    if (last != 0) {
      s->slots[last - 1].successor = index + 1;
    } else {
      list_slot(s, worker, index);
    }
  }
}

/* A task of the agenda has ended: lists the next one of its key. Before the slot is given back. */
void telar_sched_let_follow(telar_sched *s, uint32_t worker, sched_slot *slot) {
  if (!slot->has_key) {
    return;
  }
  if (slot->successor != 0) {
    list_slot(s, worker, slot->successor - 1);
  } else {
    s->last_of_key[slot->key] = 0;
  }
}

static bool first_of_agenda(const telar_sched *s, uint32_t worker, sched_candidate *first) {
  const sched_agenda *agenda = &s->agendas[worker];
  int32_t level = sched_levels_highest(&agenda->levels);
  if (level < 0) {
    return false;
  }
  first->level = (uint32_t)level;
  first->created_ns = sched_created(&s->slots[agenda->lists[level].first - 1]);
  return true;
}

static bool oldest_of_agenda(const telar_sched *s, uint32_t worker, sched_candidate *oldest) {
  const sched_agenda *agenda = &s->agendas[worker];
  sched_levels set = agenda->levels;
  bool found = false;
  for (int32_t level; (level = sched_levels_highest(&set)) >= 0;) {
    uint64_t created = sched_created(&s->slots[agenda->lists[level].first - 1]);
    if (!found || created < oldest->created_ns) {
      *oldest = (sched_candidate){(uint32_t)level, created};
      found = true;
    }
    sched_levels_remove(&set, (uint32_t)level);
  }
  return found;
}

/* Whether the worker may take tasks of the ready queue: it does not leave. */
static bool takes_ready(const telar_sched *s, uint32_t worker) {
  /* Relaxed: next_of_leaving has acquired it. */
  return atomic_load_explicit(&s->workers[worker].closing, memory_order_relaxed) == STAYS;
}

typedef struct choice {
  bool found;
  bool from_agenda;
  sched_candidate task;
} choice;

/* The oldest of all, if it has waited long enough. */
static choice choose_aged(telar_sched *s, uint32_t worker) {
  sched_candidate mine, any;
  bool has_mine = oldest_of_agenda(s, worker, &mine);
  bool has_any = takes_ready(s, worker) && telar_sched_ready_oldest(s->ready, s->slots, &any);
  bool takes_mine = has_mine && (!has_any || mine.created_ns <= any.created_ns);
  choice c = {has_mine || has_any, takes_mine, takes_mine ? mine : any};
  uint64_t now = telar_os_now_ns();
  /* A clock that differs between CPUs may give an age below zero. */
  c.found = c.found && now > c.task.created_ns && now - c.task.created_ns >= TELAR_SCHED_AGED_NS;
  return c;
}

/* The highest priority; of the same priority, the older one. */
static choice choose_first(telar_sched *s, uint32_t worker) {
  sched_candidate mine, any;
  bool has_any = takes_ready(s, worker) && telar_sched_ready_first(s->ready, s->slots, &any);
  telar_sched_collect(s, worker); /* after that: see claim in sched_worker.c */
  bool has_mine = first_of_agenda(s, worker, &mine);
  bool takes_mine = has_mine && (!has_any || mine.level > any.level ||
                                 (mine.level == any.level && mine.created_ns <= any.created_ns));
  return (choice){has_mine || has_any, takes_mine, takes_mine ? mine : any};
}

static choice choose(telar_sched *s, uint32_t worker) {
  if (s->workers[worker].turns + 1 >= TELAR_SCHED_AGED_TURN) {
    choice aged = choose_aged(s, worker);
    if (aged.found) {
      return aged;
    }
  }
  return choose_first(s, worker);
}

/* Takes what was chosen; false: another worker was faster. */
static bool take(telar_sched *s, uint32_t worker, const choice *c, uint32_t *slot) {
  if (!c->from_agenda) {
    return telar_sched_ready_claim_at(s->ready, c->task.level, slot);
  }
  *slot = sched_agenda_take(&s->agendas[worker], s->links, c->task.level);
  s->workers[worker].listed--;
  return true;
}

/* Claims the next slot of the ready queue or of the agenda; NONE: there is none, or no place for
 * it. A worker whose next task needs all of its places starts no other until they are free. */
uint32_t telar_sched_claim_chosen(telar_sched *s, uint32_t worker) {
  sched_worker *w = &s->workers[worker];
  telar_sched_collect(s, worker);
  for (;;) {
    choice c = choose(s, worker);
    w->wants = 0;
    if (!c.found) {
      return TELAR_SCHED_NONE;
    }
    uint32_t places = 1;
    if (c.from_agenda) {
      places = s->slots[s->agendas[worker].lists[c.task.level].first - 1].places;
    }
    if (!sched_take_places(s, w, places)) {
      w->wants = (uint16_t)(places - 1);
      return TELAR_SCHED_NONE;
    }
    uint32_t index;
    if (!take(s, worker, &c, &index)) {
      w->holds_place = true; /* for the next choice, or dropped by the caller */
      continue;
    }
    if (sched_claim_slot(s, worker, index)) {
      w->turns = w->turns + 1 >= TELAR_SCHED_AGED_TURN ? 0 : w->turns + 1;
      return index;
    }
    sched_slot *slot = &s->slots[index];
    atomic_fetch_sub_explicit(&w->usage, places, memory_order_relaxed); /* relaxed: only a count */
    if (c.from_agenda) {
      telar_sched_let_follow(s, worker, slot);
    }
    telar_sched_give_back(s, index);
  }
}
