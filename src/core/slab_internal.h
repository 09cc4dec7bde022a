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
  SPAN_BLOCKS_SHIFT = 5, /* a span holds up to 32 blocks: half of its word is their bitmap */
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
 *   bits  0-31  SMALL: bitmap of the allocated blocks. LARGE: length in units
 *   bits 32-39  what begins at this unit (the kinds below)
 *   bits 40-47  SMALL: log2 of the block size in bytes
 *   bits 48-55  SMALL, FREE: log2 of the units that the run covers
 *   bit  56     CURRENT: the span that its class allocates from
 *   bit  57     LINKED: the span is on its class's list of spans with room
 *
 * Who may change it: the holder of the lock may change everything, and any thread the low 32 bits
 * of a SMALL word (alloc sets one, free clears one, by compare-and-swap on all 64 bits). So kind,
 * block size and flags are constant under the lock, and no thread can set or clear a bit in a span
 * that has become something else in the meantime. A word that returns to an old value (ABA) means
 * the same as before, because the word is the whole state of the span.
 *
 * invariant: units inside a run, after its first, are NONE.
 * invariant: outside the lock, a SMALL span that is neither CURRENT nor LINKED is full, or the
 * thread that freed a block of it is about to call settle().
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
  uint32_t *next; /* a unit is on at most one list: that of a class or of an order */
  uint32_t *prev;

  /* The span that each class allocates from; NOWHERE if there is none. Written under the lock. */
  TELAR_CACHELINE_ALIGNED _Atomic uint32_t current[CLASSES_MAX];

  TELAR_CACHELINE_ALIGNED _Atomic uint32_t locked;
  /* Everything up to the counters is accessed under the lock. */
  uint32_t orders_free; /* one bit for each order whose list is not empty */
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

/* The bitmap of a span whose blocks are all allocated. */
static inline uint32_t full_map(const telar_slab *slab, uint64_t word) {
  uint32_t blocks = 1u << (slab->unit_shift + order_of(word) - block_shift_of(word));
  return blocks == 32 ? UINT32_MAX : (1u << blocks) - 1;
}

static inline bool is_full(const telar_slab *slab, uint64_t word) {
  return (uint32_t)word == full_map(slab, word);
}

/* Relaxed: only a first read. What depends on it is checked by a compare-and-swap or done under the
 * lock. */
static inline uint64_t read_word(const telar_slab *slab, uint32_t unit) {
  return atomic_load_explicit(&slab->words[unit], memory_order_relaxed);
}

/* Relaxed stores: of the words written here, only a SMALL one is used without the lock, and
 * take_from_new_span() of slab_spans.c releases that. */
static inline void set_word(telar_slab *slab, uint32_t unit, uint64_t word) {
  atomic_store_explicit(&slab->words[unit], word, memory_order_relaxed);
}

/* --- lock ---------------------------------------------------------------- */

static inline void lock(telar_slab *slab) {
  /* A1: acquires R1, unlock. */
  for (unsigned spins = 0; atomic_exchange_explicit(&slab->locked, 1, memory_order_acquire) != 0;) {
    /* Relaxed: this load keeps the cache line shared until the exchange may succeed. */
    while (atomic_load_explicit(&slab->locked, memory_order_relaxed) != 0) {
      if (++spins % LOCK_SPINS == 0) {
        telar_os_yield(); /* the holder may have been preempted */
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

/* Allocates a block of the span at unit, if that is a span of such blocks with room. Lock-free: the
 * swap fails only because alloc or free of another thread succeeded. */
static inline bool take_block(telar_slab *slab, uint32_t unit, uint32_t block_shift,
                              uint64_t *offset) {
  uint64_t word = read_word(slab, unit);
  for (;;) {
    if (kind_of(word) != SMALL || block_shift_of(word) != block_shift) return false;
    uint32_t room = ~(uint32_t)word & full_map(slab, word);
    if (room == 0) return false;
    uint32_t block = telar_bits_lowest(room);
    /* A2: acquires R2, the free of this block, and R3, the creation of this span. Other allocs and
     * frees in between are read-modify-writes and keep both visible. */
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

/* log2 of the units of a span of the preferred size: all its 32 blocks, but at most 1/32 of the
 * region, so that a few size classes do not use up a small region. */
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

/* Gives back 2^order units, aligned to their length, and joins them with free buddies. */
void telar_slab_run_give(telar_slab *slab, uint32_t unit, uint32_t order);

/* Gives back the units from `from` to `to` of a run that begins at unit, in aligned pieces. */
void telar_slab_run_give_part(telar_slab *slab, uint32_t unit, uint32_t from, uint32_t to);

/* --- slab_spans.c (under the lock) -------------------------------------------- */

/*
 * Puts a span that is not CURRENT where its bitmap says it belongs: back to the buddies, or onto
 * the list of spans with room. By now the unit may have become something else or may already be
 * settled; then nothing is done.
 */
void telar_slab_settle(telar_slab *slab, uint32_t unit);

/* Allocates a block of the class: from its spans, from a new span, or from a span of larger blocks.
 * Returns log2 of its size in bytes, 0 if there is none. */
uint32_t telar_slab_take_small(telar_slab *slab, uint32_t class, uint64_t *offset);

/* Gives back the empty spans that the classes keep as current. False if there were none. */
bool telar_slab_reclaim(telar_slab *slab);

#endif
