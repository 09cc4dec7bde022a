/*
 * sched_levels.h - the priorities of tasks as small integers, and sets of them.
 *
 * USE     sched_levels set = {{0}};
 *         sched_levels_add(&set, sched_level_of(priority));
 *         for (int32_t level; (level = sched_levels_highest(&set)) >= 0;) ...
 *
 * THREADS one at a time. Internal to the core.
 */
#ifndef TELAR_SCHED_LEVELS_H
#define TELAR_SCHED_LEVELS_H

#include <stdbool.h>
#include <stdint.h>

#include "bits.h"
#include "sched.h"

#define SCHED_LEVELS ((uint32_t)(TELAR_SCHED_PRIORITY_MAX - TELAR_SCHED_PRIORITY_MIN + 1))
#define SCHED_LEVEL_NORMAL ((uint32_t)(0 - TELAR_SCHED_PRIORITY_MIN)) /* of priority 0 */
#define SCHED_LEVEL_WORDS ((SCHED_LEVELS + 63u) / 64u)

typedef struct sched_levels {
  uint64_t words[SCHED_LEVEL_WORDS];
} sched_levels;

static inline bool sched_priority_ok(int32_t priority) {
  return priority >= TELAR_SCHED_PRIORITY_MIN && priority <= TELAR_SCHED_PRIORITY_MAX;
}

/* pre: the priority is valid. */
static inline uint8_t sched_level_of(int32_t priority) {
  return (uint8_t)(priority - TELAR_SCHED_PRIORITY_MIN);
}

static inline void sched_levels_add(sched_levels *set, uint32_t level) {
  set->words[level / 64] |= UINT64_C(1) << (level % 64);
}

static inline void sched_levels_remove(sched_levels *set, uint32_t level) {
  set->words[level / 64] &= ~(UINT64_C(1) << (level % 64));
}

/* -1: the set is empty. */
static inline int32_t sched_levels_highest(const sched_levels *set) {
  for (uint32_t word = SCHED_LEVEL_WORDS; word-- > 0;) {
    if (set->words[word] != 0) return (int32_t)(64 * word + telar_bits_highest(set->words[word]));
  }
  return -1;
}

#endif
