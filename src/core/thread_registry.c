#include "thread_registry.h"

#include <stdbool.h>

#include "atomic.h"
#include "cacheline.h"

/*
 * A number is: generation << PLACE_BITS | place. Its generation is never 0, so the number is never
 * 0.
 *
 * The word of a place is: generation << 1 | ALIVE, and WRAPPED. The generation is the last one that
 * was given out, 0 at first. ALIVE is set while its thread is alive. WRAPPED is set once every
 * generation has been given out.
 */
enum { PLACE_BITS = 14, GENERATION_BITS = 16 };
#define PLACE_MASK ((1u << PLACE_BITS) - 1u)
#define GENERATION_MASK ((1u << GENERATION_BITS) - 1u)
#define ALIVE 1u
#define WRAPPED (1u << (GENERATION_BITS + 1))

_Static_assert(PLACE_BITS + GENERATION_BITS == TELAR_THREAD_REGISTRY_NUMBER_BITS,
               "a number is a place and a generation");
_Static_assert(TELAR_THREAD_REGISTRY_PLACES_MAX == 1u << PLACE_BITS, "every place has a number");

struct telar_thread_registry {
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t next; /* where the next enter starts; free-running */
  _Atomic uint32_t free; /* places that are free and not reserved by an enter */
  _Atomic uint32_t left; /* threads that have left; free-running */
  uint32_t places;
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t words[];
};

size_t telar_thread_registry_size(uint32_t places) {
  if (places == 0 || places > TELAR_THREAD_REGISTRY_PLACES_MAX) return 0;
  return TELAR_CACHELINE_ROUND_UP(sizeof(telar_thread_registry) + places * sizeof(uint32_t));
}

telar_status telar_thread_registry_init(void *memory, uint32_t places,
                                        telar_thread_registry **registry) {
  if (memory == NULL || registry == NULL || telar_thread_registry_size(places) == 0)
    return TELAR_INVALID;
  if ((uintptr_t)memory % TELAR_CACHELINE != 0) return TELAR_INVALID;
  telar_thread_registry *made = memory;
  atomic_init(&made->next, 0);
  atomic_init(&made->free, places);
  atomic_init(&made->left, 0);
  made->places = places;
  for (uint32_t i = 0; i < places; i++) atomic_init(&made->words[i], 0);
  *registry = made;
  return TELAR_OK;
}

static uint32_t generation_of(uint32_t word) {
  return word >> 1 & GENERATION_MASK;
}

/* The word of a free place after it is taken again. */
static uint32_t word_after(uint32_t word) {
  uint32_t next = generation_of(word) + 1;
  if (next > GENERATION_MASK) return WRAPPED | 1u << 1 | ALIVE;
  return (word & WRAPPED) | next << 1 | ALIVE;
}

/* Reserves the right to a place. Searching place by place could not tell that all are taken:
 * threads that come and go might always take the place that is searched next. */
static bool reserve_place(telar_thread_registry *registry) {
  /* Relaxed: only a count. The word decides which thread gets a place. */
  uint32_t free = atomic_load_explicit(&registry->free, memory_order_relaxed);
  while (free != 0) {
    if (atomic_compare_exchange_weak_explicit(&registry->free, &free, free - 1,
                                              memory_order_relaxed, memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

telar_status telar_thread_registry_enter(telar_thread_registry *registry, uint32_t *number) {
  *number = 0;
  if (!reserve_place(registry)) return TELAR_FULL;
  /* Relaxed: a hint that spreads the places; the word decides which thread gets one. */
  uint32_t start = atomic_fetch_add_explicit(&registry->next, 1, memory_order_relaxed);
  for (uint32_t i = 0;; i++) {
    uint32_t place = (start + i) % registry->places;
    uint32_t word = atomic_load_explicit(&registry->words[place], memory_order_relaxed);
    if ((word & ALIVE) != 0) continue;
    uint32_t taken = word_after(word);
    /* Relaxed: a new thread has done nothing yet that others would have to see. */
    if (atomic_compare_exchange_strong_explicit(&registry->words[place], &word, taken,
                                                memory_order_relaxed, memory_order_relaxed)) {
      *number = generation_of(taken) << PLACE_BITS | place;
      return TELAR_OK;
    }
  }
}

telar_status telar_thread_registry_leave(telar_thread_registry *registry, uint32_t number) {
  uint32_t place = number & PLACE_MASK;
  if (place >= registry->places) return TELAR_INVALID;
  /* Relaxed: while the number is alive, no other thread changes the word. */
  uint32_t word = atomic_load_explicit(&registry->words[place], memory_order_relaxed);
  if ((word & ALIVE) == 0 || generation_of(word) != number >> PLACE_BITS) return TELAR_STALE;
  /* R1: released to A1. A thread that sees this one dead sees what it did. */
  if (!atomic_compare_exchange_strong_explicit(&registry->words[place], &word, word & ~ALIVE,
                                               memory_order_release, memory_order_relaxed)) {
    return TELAR_STALE;
  }
  /* Relaxed: a thread that reserves this place before it sees the changed word searches on until it
   * does. */
  atomic_fetch_add_explicit(&registry->free, 1, memory_order_relaxed);
  /* R2: released to A2. A thread that sees the count sees the change of the word. */
  atomic_fetch_add_explicit(&registry->left, 1, memory_order_release);
  return TELAR_OK;
}

telar_status telar_thread_registry_check(const telar_thread_registry *registry, uint32_t number) {
  uint32_t place = number & PLACE_MASK;
  uint32_t generation = number >> PLACE_BITS;
  if (place >= registry->places || generation == 0 || generation > GENERATION_MASK) {
    return TELAR_INVALID;
  }
  /* A1: pairs with R1. The word of a later generation follows R1 in the release sequence, because
   * all changes are read-modify-writes, so reading it also acquires R1. */
  uint32_t word = atomic_load_explicit(&registry->words[place], memory_order_acquire);
  uint32_t last = generation_of(word);
  if (last == generation) return (word & ALIVE) != 0 ? TELAR_OK : TELAR_STALE;
  if ((word & WRAPPED) == 0) return generation > last ? TELAR_INVALID : TELAR_STALE;
  /* Every generation has been used. Those in the half ahead count as future ones, the others as
   * past. */
  uint32_t ahead = (generation - last) & GENERATION_MASK;
  return ahead < 1u << (GENERATION_BITS - 1) ? TELAR_INVALID : TELAR_STALE;
}

uint32_t telar_thread_registry_left(const telar_thread_registry *registry) {
  return atomic_load_explicit(&registry->left, memory_order_acquire); /* A2: pairs with R2. */
}
