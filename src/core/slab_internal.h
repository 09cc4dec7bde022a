/*
 * What the files of the slab share: the struct, the words of its units, the lock.
 *
 *   slab.c        configuration, init, alloc and free of any size, statistics
 *   slab_runs.c   runs of units: buddies, joined when they are given back
 *   slab_spans.c  spans: runs that hold up to 32 blocks of one small size
 *
 * Not for other parts of the core.
 */
#ifndef TELAR_CORE_SLAB_INTERNAL_H
#define TELAR_CORE_SLAB_INTERNAL_H

#include <stdbool.h>

#include "../os/os.h"
#include "atomic.h"
#include "bits.h"
#include "cacheline.h"
#include "slab.h"

enum {
  SPAN_BLOCKS_SHIFT = 5, /* a span holds up to 32 blocks: half of its word is the map of them */
  SPAN_SHARE_SHIFT = 5,  /* and is at most 1/32 of the region */
  SMALL_SHIFT_MAX = 15,  /* blocks above 32 KiB come from the buddies */
  SMALL_SHIFT_MIN = 6,   /* 64 bytes */
  CLASSES_MAX = SMALL_SHIFT_MAX - SMALL_SHIFT_MIN + 1,
  GRANULE_SHIFT = 16,
  ORDERS_MAX = 32,
  LOCK_SPINS = 64
};

#define NOWHERE UINT32_MAX

/*
 * The word of a unit.
 *
 *   bits  0-31  SMALL: blocks handed out, a bit each. LARGE: length in units
 *   bits 32-39  what begins at this unit (the kinds below)
 *   bits 40-47  SMALL: log2 of the block
 *   bits 48-55  SMALL, FREE: log2 of the units that the run covers
 *   bit  56     CURRENT: the span that its class allocates from
 *   bit  57     LINKED: the span stands on its class's list of spans with room
 *
 * Who may change it: the holder of the lock anything, any thread the low 32
 * bits of a SMALL word (alloc sets one, free clears one, by compare-and-swap on
 * all 64 bits). So kind, block size and flags are constant under the lock, and
 * nobody can set or clear a bit in a span that has meanwhile become something
 * else. A word that came back to an old value (ABA) means the same thing as
 * before, since the word is all there is to a span.
 *
 * invariant: units inside a run, after its first, are NONE.
 * invariant: outside the lock, a SMALL span that is neither CURRENT nor LINKED is
 *   full, or the thread that freed in it is on its way to settle().
 */
enum { NONE = 0, FREE = 1, SMALL = 2, LARGE = 3 };

#define CURRENT (UINT64_C(1) << 56)
#define LINKED (UINT64_C(1) << 57)

struct telar_slab {
  /* Constant after init. */
  TELAR_CACHELINE_ALIGNED uint64_t region_bytes;
  uint64_t max_block;
  uint64_t region_offset;
  uint32_t units;
  uint32_t unit_shift;
  uint32_t min_shift;
  uint32_t max_order;
  _Atomic uint64_t *words;
  uint32_t *next; /* a unit stands on at most one list: a class's or an order's */
  uint32_t *prev;

  /* The span of each class to allocate from; NOWHERE if there is none. Written under the lock. */
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t current[CLASSES_MAX];

  TELAR_CACHELINE_ALIGNED _Atomic uint32_t locked;
  /* All below up to the counters: under the lock. */
  uint32_t orders_free; /* a bit for each order whose list is not empty */
  uint32_t free_head[ORDERS_MAX];
  uint32_t room_head[CLASSES_MAX];

  TELAR_CACHELINE_ALIGNED _Atomic uint64_t in_use;
  _Atomic uint64_t peak;
  _Atomic uint64_t failures;
};

/* --- words ------------------------------------------------------------- */

static inline uint32_t kind_of(uint64_t word) {
  return (uint32_t)(word >> 32) & 0xff;
}

static inline uint32_t block_shift_of(uint64_t word) {
  return (uint32_t)(word >> 40) & 0xff;
}

static inline uint32_t order_of(uint64_t word) {
  return (uint32_t)(word >> 48) & 0xff;
}

static inline uint64_t make_word(uint32_t kind, uint32_t block_shift, uint32_t order,
                                 uint32_t low) {
  return (uint64_t)order << 48 | (uint64_t)block_shift << 40 | (uint64_t)kind << 32 | low;
}

/* The map of a span all of whose blocks are handed out. */
static inline uint32_t full_map(const telar_slab *slab, uint64_t word) {
  uint32_t blocks = 1u << (slab->unit_shift + order_of(word) - block_shift_of(word));
  return blocks == 32 ? UINT32_MAX : (1u << blocks) - 1;
}

static inline bool is_full(const telar_slab *slab, uint64_t word) {
  return (uint32_t)word == full_map(slab, word);
}

/* Relaxed: a look. What depends on it is checked by a compare-and-swap or done under the lock. */
static inline uint64_t read_word(const telar_slab *slab, uint32_t unit) {
  return atomic_load_explicit(&slab->words[unit], memory_order_relaxed);
}

/* Relaxed stores: of the words written here only a SMALL one is acted on without
 * the lock, and take_from_new_span() of slab_spans.c releases that. */
static inline void set_word(telar_slab *slab, uint32_t unit, uint64_t word) {
  atomic_store_explicit(&slab->words[unit], word, memory_order_relaxed);
}

/* --- lock ---------------------------------------------------------------- */

static inline void lock(telar_slab *slab) {
  /* A1: acquires R1, unlock. */
  for (unsigned spins = 0; atomic_exchange_explicit(&slab->locked, 1, memory_order_acquire) != 0;) {
    /* Relaxed: a look that keeps the line shared until the exchange is worth a try. */
    while (atomic_load_explicit(&slab->locked, memory_order_relaxed) != 0) {
      if (++spins % LOCK_SPINS == 0) {
        telar_os_yield(); /* the holder may have lost its CPU */
      } else {
        telar_os_relax();
      }
    }
  }
}

static inline void unlock(telar_slab *slab) {
  /* R1: released to A1, lock. */
  atomic_store_explicit(&slab->locked, 0, memory_order_release);
}

/* --- lists (under the lock) ----------------------------------------------- */

static inline void list_push(telar_slab *slab, uint32_t *head, uint32_t unit) {
  slab->prev[unit] = NOWHERE;
  slab->next[unit] = *head;
  if (*head != NOWHERE) slab->prev[*head] = unit;
  *head = unit;
}

static inline void list_remove(telar_slab *slab, uint32_t *head, uint32_t unit) {
  uint32_t before = slab->prev[unit], after = slab->next[unit];
  if (before == NOWHERE) {
    *head = after;
  } else {
    slab->next[before] = after;
  }
  if (after != NOWHERE) slab->prev[after] = before;
}

/* --- spans ----------------------------------------------------------------- */

/* Hands out a block of the span at unit, if that is a span of such blocks with room.
 * Lock-free: a failed swap means that another thread's alloc or free succeeded. */
static inline bool take_block(telar_slab *slab, uint32_t unit, uint32_t block_shift,
                              uint64_t *offset) {
  uint64_t word = read_word(slab, unit);
  for (;;) {
    if (kind_of(word) != SMALL || block_shift_of(word) != block_shift) return false;
    uint32_t room = ~(uint32_t)word & full_map(slab, word);
    if (room == 0) return false;
    uint32_t block = telar_bits_lowest(room);
    /* A2: acquires R2, the free of this block, and R3, the opening of this span. Other
     * allocs and frees in between are read-modify-writes and keep both visible. */
    if (atomic_compare_exchange_weak_explicit(&slab->words[unit], &word,
                                              word | UINT64_C(1) << block, memory_order_acquire,
                                              memory_order_relaxed)) {
      *offset = slab->region_offset + (unit << slab->unit_shift) + (block << block_shift);
      return true;
    }
  }
}

static inline uint32_t get_current(const telar_slab *slab, uint32_t class) {
  /* Relaxed: as in set_current. */
  return atomic_load_explicit(&slab->current[class], memory_order_relaxed);
}

/* log2 of the units of a span that holds a single block. */
static inline uint32_t span_order_least(const telar_slab *slab, uint32_t block_shift) {
  return block_shift > slab->unit_shift ? block_shift - slab->unit_shift : 0;
}

/* log2 of the units of a span as it should be: all its 32 blocks, but no more of the
 * region than a part of 32, lest a few sizes eat up a small one. */
static inline uint32_t span_order(const telar_slab *slab, uint32_t block_shift) {
  uint32_t order = block_shift + SPAN_BLOCKS_SHIFT - slab->unit_shift;
  uint32_t least = span_order_least(slab, block_shift);
  uint32_t region = telar_bits_highest(slab->units);
  uint32_t most = region > SPAN_SHARE_SHIFT ? region - SPAN_SHARE_SHIFT : 0;
  if (most < least) most = least;
  if (most > slab->max_order) most = slab->max_order;
  return order < most ? order : most;
}

/* --- slab_runs.c (under the lock) -------------------------------------------- */

/* Takes 2^order units; NOWHERE if no run is that long. The caller sets the word. */
uint32_t telar_slab_run_take(telar_slab *slab, uint32_t order);

/* Gives back 2^order units that are aligned to their length, and joins what can be joined. */
void telar_slab_run_give(telar_slab *slab, uint32_t unit, uint32_t order);

/* Gives back units from..to of a run that begins at unit, in aligned pieces. */
void telar_slab_run_give_part(telar_slab *slab, uint32_t unit, uint32_t from, uint32_t to);

/* --- slab_spans.c (under the lock) -------------------------------------------- */

/*
 * Puts a span that is not CURRENT where its map says it belongs: back to the
 * buddies, or on the list of spans with room. The unit may be anything by now,
 * or be settled already; then there is nothing to do.
 */
void telar_slab_settle(telar_slab *slab, uint32_t unit);

/* A block of the class: from its spans, from a new span, or from a span of larger blocks.
 * Returns log2 of its size, 0 if there is none. */
uint32_t telar_slab_take_small(telar_slab *slab, uint32_t class, uint64_t *offset);

/* Gives back the empty spans that classes keep at hand. False if there were none. */
bool telar_slab_reclaim(telar_slab *slab);

#endif
