/*
 * sched_agenda.h - lists of slots, by priority: the tasks that only one worker may run.
 *
 * FOR     the tasks of a worker's agenda, which that worker alone orders. The links are those of
 *         the lanes: a slot is in one list at a time.
 *
 * USE     sched_agenda agenda;                              // zeroed
 *         sched_agenda_add(&agenda, links, level, slot);
 *         int32_t level = sched_levels_highest(&agenda.levels);
 *         uint32_t slot = sched_agenda_take(&agenda, links, (uint32_t)level);
 *
 * THREADS one at a time. Internal to the core.
 */
#ifndef TELAR_SCHED_AGENDA_H
#define TELAR_SCHED_AGENDA_H

#include "sched_levels.h"

/* First in, first out. 1 + a slot; 0: none. */
typedef struct sched_list {
  uint32_t first, last;
} sched_list;

typedef struct sched_agenda {
  sched_levels levels; /* those whose lists are not empty */
  sched_list lists[SCHED_LEVELS];
} sched_agenda;

static inline void sched_list_add(sched_list *list, uint32_t *links, uint32_t slot) {
  links[slot] = 0;
  if (list->first == 0) {
    list->first = slot + 1;
  } else {
    links[list->last - 1] = slot + 1;
  }
  list->last = slot + 1;
}

/* pre: the list is not empty. */
static inline uint32_t sched_list_take(sched_list *list, const uint32_t *links) {
  uint32_t slot = list->first - 1;
  list->first = links[slot];
  return slot;
}

static inline void sched_agenda_add(sched_agenda *agenda, uint32_t *links, uint32_t level,
                                    uint32_t slot) {
  sched_list_add(&agenda->lists[level], links, slot);
  sched_levels_add(&agenda->levels, level);
}

/* pre: the level has a slot. */
static inline uint32_t sched_agenda_take(sched_agenda *agenda, const uint32_t *links,
                                         uint32_t level) {
  uint32_t slot = sched_list_take(&agenda->lists[level], links);
  if (agenda->lists[level].first == 0) {
    sched_levels_remove(&agenda->levels, level);
  }
  return slot;
}

#endif
