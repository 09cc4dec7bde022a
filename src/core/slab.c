#include "slab.h"

#include <string.h>

#include "../os/os.h"
#include "atomic.h"
#include "bits.h"
#include "cacheline.h"

enum {
  SPAN_BLOCKS_SHIFT = 5,    /* a span holds up to 32 blocks: half of its word is the map of them */
  SPAN_SHARE_SHIFT = 5,     /* and is at most 1/32 of the region */
  SMALL_SHIFT_MAX = 15,     /* blocks above 32 KiB come from the buddies */
  SMALL_SHIFT_MIN = 6,      /* 64 bytes */
  CLASSES_MAX = SMALL_SHIFT_MAX - SMALL_SHIFT_MIN + 1,
  GRANULE_SHIFT = 16,
  ORDERS_MAX = 32,
  TAIL_SHIFT = 4,           /* a large block is a multiple of 1/16 of its run */
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

static uint32_t kind_of(uint64_t word) {
  return (uint32_t)(word >> 32) & 0xff;
}

static uint32_t block_shift_of(uint64_t word) {
  return (uint32_t)(word >> 40) & 0xff;
}

static uint32_t order_of(uint64_t word) {
  return (uint32_t)(word >> 48) & 0xff;
}

static uint64_t make_word(uint32_t kind, uint32_t block_shift, uint32_t order, uint32_t low) {
  return (uint64_t)order << 48 | (uint64_t)block_shift << 40 | (uint64_t)kind << 32 | low;
}

/* The map of a span all of whose blocks are handed out. */
static uint32_t full_map(const telar_slab *slab, uint64_t word) {
  uint32_t blocks = 1u << (slab->unit_shift + order_of(word) - block_shift_of(word));
  return blocks == 32 ? UINT32_MAX : (1u << blocks) - 1;
}

static bool is_full(const telar_slab *slab, uint64_t word) {
  return (uint32_t)word == full_map(slab, word);
}

/* Relaxed: a look. What depends on it is checked by a compare-and-swap or done under the lock. */
static uint64_t look(const telar_slab *slab, uint32_t unit) {
  return atomic_load_explicit(&slab->words[unit], memory_order_relaxed);
}

/* --- configuration ------------------------------------------------------ */

static bool is_power_of_two(uint64_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

/* Fills in the defaults; false if a value is outside its bounds. */
static bool read_config(const telar_slab_config *given, telar_slab_config *out) {
  if (given == NULL) return false;
  *out = *given;
  if (out->min_block == 0) out->min_block = TELAR_SLAB_MIN_BLOCK_DEFAULT;
  if (out->max_block == 0) out->max_block = TELAR_SLAB_MAX_BLOCK_DEFAULT;
  return is_power_of_two(out->min_block) && out->min_block >= (1u << SMALL_SHIFT_MIN) &&
         out->min_block <= TELAR_SLAB_MIN_BLOCK_MAX && is_power_of_two(out->max_block) &&
         out->max_block >= TELAR_SLAB_MAX_BLOCK_MIN && out->region_offset % TELAR_SLAB_ALIGNMENT == 0 &&
         out->region_bytes != 0 && out->region_bytes % TELAR_SLAB_REGION_GRANULE == 0 &&
         out->region_offset < TELAR_SLAB_REGION_END_MAX &&
         out->region_bytes <= TELAR_SLAB_REGION_END_MAX - out->region_offset;
}

/* A span of the smallest blocks is one unit, as long as units divide the granule. */
static uint32_t unit_shift_for(const telar_slab_config *config) {
  uint32_t shift = telar_bits_highest(config->min_block) + SPAN_BLOCKS_SHIFT;
  return shift < GRANULE_SHIFT ? shift : GRANULE_SHIFT;
}

size_t telar_slab_size(const telar_slab_config *given) {
  telar_slab_config config;
  if (!read_config(given, &config)) return 0;
  size_t units = (size_t)(config.region_bytes >> unit_shift_for(&config));
  return sizeof(telar_slab) +
         TELAR_CACHELINE_ROUND_UP(units * (sizeof(_Atomic uint64_t) + 2 * sizeof(uint32_t)));
}

/* --- lock ---------------------------------------------------------------- */

static void lock(telar_slab *slab) {
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

static void unlock(telar_slab *slab) {
  /* R1: released to A1, lock. */
  atomic_store_explicit(&slab->locked, 0, memory_order_release);
}

/* --- lists (under the lock) ----------------------------------------------- */

static void list_push(telar_slab *slab, uint32_t *head, uint32_t unit) {
  slab->prev[unit] = NOWHERE;
  slab->next[unit] = *head;
  if (*head != NOWHERE) slab->prev[*head] = unit;
  *head = unit;
}

static void list_remove(telar_slab *slab, uint32_t *head, uint32_t unit) {
  uint32_t before = slab->prev[unit], after = slab->next[unit];
  if (before == NOWHERE) {
    *head = after;
  } else {
    slab->next[before] = after;
  }
  if (after != NOWHERE) slab->prev[after] = before;
}

/* --- buddies (under the lock) ---------------------------------------------- */

/* Relaxed stores: of the words written here only a SMALL one is acted on without
 * the lock, and take_from_new_span() releases that. */
static void set_word(telar_slab *slab, uint32_t unit, uint64_t word) {
  atomic_store_explicit(&slab->words[unit], word, memory_order_relaxed);
}

static void free_list_push(telar_slab *slab, uint32_t unit, uint32_t order) {
  set_word(slab, unit, make_word(FREE, 0, order, 0));
  list_push(slab, &slab->free_head[order], unit);
  slab->orders_free |= 1u << order;
}

static void free_list_remove(telar_slab *slab, uint32_t unit, uint32_t order) {
  list_remove(slab, &slab->free_head[order], unit);
  if (slab->free_head[order] == NOWHERE) slab->orders_free &= ~(1u << order);
}

/* Takes 2^order units; NOWHERE if no run is that long. The caller sets the word. */
static uint32_t run_take(telar_slab *slab, uint32_t order) {
  uint32_t fitting = slab->orders_free >> order;
  if (fitting == 0) return NOWHERE;
  uint32_t found = order + telar_bits_lowest(fitting);
  uint32_t unit = slab->free_head[found];
  free_list_remove(slab, unit, found);
  while (found > order) {
    found--;
    free_list_push(slab, unit + (1u << found), found);
  }
  return unit;
}

/* Gives back 2^order units that are aligned to their length, and joins what can be joined. */
static void run_give(telar_slab *slab, uint32_t unit, uint32_t order) {
  set_word(slab, unit, NONE);
  while (order < slab->max_order) {
    uint32_t buddy = unit ^ (1u << order);
    /* The last buddies of a region that is no power of two do not exist. */
    if (buddy >= slab->units || look(slab, buddy) != make_word(FREE, 0, order, 0)) break;
    free_list_remove(slab, buddy, order);
    set_word(slab, buddy, NONE);
    unit &= ~(1u << order);
    order++;
  }
  free_list_push(slab, unit, order);
}

/* Gives back units from..to of a run that begins at unit, in aligned pieces. */
static void run_give_part(telar_slab *slab, uint32_t unit, uint32_t from, uint32_t to) {
  while (from < to) {
    uint32_t order = from == 0 ? slab->max_order : telar_bits_lowest(from);
    while ((1u << order) > to - from) order--;
    run_give(slab, unit + from, order);
    from += 1u << order;
  }
}

/* --- spans ----------------------------------------------------------------- */

/* Hands out a block of the span at unit, if that is a span of such blocks with room.
 * Lock-free: a failed swap means that another thread's alloc or free succeeded. */
static bool take_block(telar_slab *slab, uint32_t unit, uint32_t block_shift, uint64_t *offset) {
  uint64_t word = look(slab, unit);
  for (;;) {
    if (kind_of(word) != SMALL || block_shift_of(word) != block_shift) return false;
    uint32_t room = ~(uint32_t)word & full_map(slab, word);
    if (room == 0) return false;
    uint32_t block = telar_bits_lowest(room);
    /* A2: acquires R2, the free of this block, and R3, the opening of this span. Other
     * allocs and frees in between are read-modify-writes and keep both visible. */
    if (atomic_compare_exchange_weak_explicit(&slab->words[unit], &word, word | UINT64_C(1) << block,
                                              memory_order_acquire, memory_order_relaxed)) {
      *offset = slab->region_offset + (unit << slab->unit_shift) + (block << block_shift);
      return true;
    }
  }
}

static uint32_t *room_list(telar_slab *slab, uint64_t word) {
  return &slab->room_head[block_shift_of(word) - slab->min_shift];
}

/* Closes the span if no block of it is handed out. Under the lock. */
static bool close_if_empty(telar_slab *slab, uint32_t unit) {
  uint64_t word = look(slab, unit);
  if (kind_of(word) != SMALL || (uint32_t)word != 0) return false;
  /* A3: acquires R2, the last free of each block. Strong: a failure means that an alloc
   * was faster, and the span is not empty. Relaxed on failure: nothing is done. */
  if (!atomic_compare_exchange_strong_explicit(&slab->words[unit], &word, NONE, memory_order_acquire,
                                               memory_order_relaxed)) {
    return false;
  }
  if (word & LINKED) list_remove(slab, room_list(slab, word), unit);
  run_give(slab, unit, order_of(word));
  return true;
}

/*
 * Puts a span that is not CURRENT where its map says it belongs: back to the
 * buddies, or on the list of spans with room. Under the lock. The unit may be
 * anything by now, or be settled already; then there is nothing to do.
 */
static void settle(telar_slab *slab, uint32_t unit) {
  uint64_t word = look(slab, unit);
  if (kind_of(word) != SMALL || (word & CURRENT) != 0) return;
  if (close_if_empty(slab, unit)) return;
  word = look(slab, unit);
  /* Full: who frees next sees no flag and settles. Full and LINKED: stays on the list,
   * and whoever takes it from there finds out. */
  if ((word & LINKED) != 0 || is_full(slab, word)) return;
  list_push(slab, room_list(slab, word), unit);
  /* Relaxed: lists are for the holders of the lock. If the last block was freed since the
   * look, that thread saw no LINKED and is on its way here. */
  (void)atomic_fetch_or_explicit(&slab->words[unit], LINKED, memory_order_relaxed);
}

/* Makes the class allocate from unit, or from nowhere. Under the lock. */
static void set_current(telar_slab *slab, uint32_t class, uint32_t unit) {
  /* Relaxed: a guess for take_block, which checks the word. */
  atomic_store_explicit(&slab->current[class], unit, memory_order_relaxed);
}

static uint32_t get_current(const telar_slab *slab, uint32_t class) {
  /* Relaxed: as in set_current. */
  return atomic_load_explicit(&slab->current[class], memory_order_relaxed);
}

/* A block from the spans that the class has. Under the lock. Each turn but the last
 * takes a span off the list that other threads have just filled. */
static bool take_from_spans(telar_slab *slab, uint32_t class, uint64_t *offset) {
  for (;;) {
    uint32_t unit = get_current(slab, class);
    if (unit != NOWHERE) {
      if (take_block(slab, unit, slab->min_shift + class, offset)) return true;
      set_current(slab, class, NOWHERE);
      /* Relaxed, here and below: flags are for the holders of the lock, and for frees that
       * only ask whether to take it. */
      (void)atomic_fetch_and_explicit(&slab->words[unit], ~CURRENT, memory_order_relaxed);
      /* A free that still saw CURRENT left the span to us. */
      settle(slab, unit);
    }
    unit = slab->room_head[class];
    if (unit == NOWHERE) return false;
    list_remove(slab, &slab->room_head[class], unit);
    (void)atomic_fetch_or_explicit(&slab->words[unit], CURRENT, memory_order_relaxed);
    (void)atomic_fetch_and_explicit(&slab->words[unit], ~LINKED, memory_order_relaxed);
    set_current(slab, class, unit);
  }
}

/* log2 of the units of a span that holds a single block. */
static uint32_t span_order_least(const telar_slab *slab, uint32_t block_shift) {
  return block_shift > slab->unit_shift ? block_shift - slab->unit_shift : 0;
}

/* log2 of the units of a span as it should be: all its 32 blocks, but no more of the
 * region than a part of 32, lest a few sizes eat up a small one. */
static uint32_t span_order(const telar_slab *slab, uint32_t block_shift) {
  uint32_t order = block_shift + SPAN_BLOCKS_SHIFT - slab->unit_shift;
  uint32_t least = span_order_least(slab, block_shift);
  uint32_t region = telar_bits_highest(slab->units);
  uint32_t most = region > SPAN_SHARE_SHIFT ? region - SPAN_SHARE_SHIFT : 0;
  if (most < least) most = least;
  if (most > slab->max_order) most = slab->max_order;
  return order < most ? order : most;
}

/* A block from a new span, shorter ones if there is no room for 32. Under the lock.
 * pre: the class has no current span. */
static bool take_from_new_span(telar_slab *slab, uint32_t class, uint64_t *offset) {
  uint32_t block_shift = slab->min_shift + class;
  uint32_t least = span_order_least(slab, block_shift);
  for (uint32_t order = span_order(slab, block_shift) + 1; order-- > least;) {
    uint32_t unit = run_take(slab, order);
    if (unit == NOWHERE) continue;
    /* R3: released to A2. With the lock before it, it passes on what A3 acquired. The first
     * block is ours before anyone can see the span. */
    atomic_store_explicit(&slab->words[unit], make_word(SMALL, block_shift, order, 1) | CURRENT,
                          memory_order_release);
    set_current(slab, class, unit);
    *offset = slab->region_offset + (unit << slab->unit_shift);
    return true;
  }
  return false;
}

/* Gives back the spans that classes keep at hand though they are empty. Under the
 * lock. False if there were none. */
static bool reclaim(telar_slab *slab) {
  bool found = false;
  for (uint32_t class = 0; slab->min_shift + class <= SMALL_SHIFT_MAX; class++) {
    uint32_t unit = get_current(slab, class);
    if (unit != NOWHERE && close_if_empty(slab, unit)) {
      set_current(slab, class, NOWHERE);
      found = true;
    }
  }
  return found;
}

/* --- allocation ------------------------------------------------------------ */

static void count_in(telar_slab *slab, uint64_t bytes) {
  /* Relaxed: statistics, which order nothing. */
  uint64_t now = atomic_fetch_add_explicit(&slab->in_use, bytes, memory_order_relaxed) + bytes;
  uint64_t peak = atomic_load_explicit(&slab->peak, memory_order_relaxed);
  while (now > peak && !atomic_compare_exchange_weak_explicit(&slab->peak, &peak, now, memory_order_relaxed,
                                                              memory_order_relaxed)) {
  }
}

static void count_out(telar_slab *slab, uint64_t bytes) {
  atomic_fetch_sub_explicit(&slab->in_use, bytes, memory_order_relaxed);
}

/* The slow way to a small block. Returns log2 of its size, 0 if there is none. */
static uint32_t alloc_small_slowly(telar_slab *slab, uint32_t class, uint64_t *offset) {
  uint32_t given = 0;
  lock(slab);
  if (take_from_spans(slab, class, offset) || take_from_new_span(slab, class, offset) ||
      (reclaim(slab) && take_from_new_span(slab, class, offset))) {
    given = slab->min_shift + class;
  }
  /* No room for a span, but those of larger blocks may have some. */
  for (uint32_t other = class + 1; given == 0 && slab->min_shift + other <= SMALL_SHIFT_MAX; other++) {
    if (take_from_spans(slab, other, offset)) given = slab->min_shift + other;
  }
  unlock(slab);
  return given;
}

/* A run of at least units; returns how many, 0 if there is none.
 * pre: units <= 2^max_order. */
static uint32_t alloc_large(telar_slab *slab, uint32_t units, uint64_t *offset) {
  uint32_t order = units > 1 ? telar_bits_highest(units - 1) + 1 : 0;
  /* Tails in small change would wear the long runs away. */
  uint32_t multiple = order > TAIL_SHIFT ? 1u << (order - TAIL_SHIFT) : 1;
  units = (units + multiple - 1) & ~(multiple - 1);
  lock(slab);
  uint32_t unit = run_take(slab, order);
  if (unit == NOWHERE && reclaim(slab)) unit = run_take(slab, order);
  if (unit != NOWHERE) {
    set_word(slab, unit, make_word(LARGE, 0, 0, units));
    run_give_part(slab, unit, units, 1u << order);
    *offset = slab->region_offset + (unit << slab->unit_shift);
  }
  unlock(slab);
  return unit == NOWHERE ? 0 : units;
}

telar_status telar_slab_alloc(telar_slab *slab, uint64_t bytes, uint64_t *offset, uint64_t *capacity) {
  if (bytes > slab->max_block) return TELAR_TOO_LARGE;
  uint64_t given;
  if (bytes <= (1u << SMALL_SHIFT_MAX)) {
    uint32_t shift = bytes > 1 ? telar_bits_highest(bytes - 1) + 1 : 0;
    if (shift < slab->min_shift) shift = slab->min_shift;
    uint32_t class = shift - slab->min_shift;
    uint32_t unit = get_current(slab, class);
    if (unit == NOWHERE || !take_block(slab, unit, shift, offset)) {
      shift = alloc_small_slowly(slab, class, offset);
    }
    given = shift == 0 ? 0 : UINT64_C(1) << shift;
  } else {
    uint32_t units = (uint32_t)((bytes + (UINT64_C(1) << slab->unit_shift) - 1) >> slab->unit_shift);
    given = (uint64_t)alloc_large(slab, units, offset) << slab->unit_shift;
  }
  if (given == 0) {
    atomic_fetch_add_explicit(&slab->failures, 1, memory_order_relaxed); /* relaxed: statistics */
    return TELAR_NO_MEMORY;
  }
  *capacity = given;
  count_in(slab, given);
  return TELAR_OK;
}

/* --- freeing ---------------------------------------------------------------- */

typedef struct place {
  uint32_t unit;  /* where its span or run begins */
  uint32_t block; /* SMALL: number in the span */
  uint64_t word;  /* as it was seen; SMALL or LARGE */
} place;

/*
 * Which block begins at offset? The run that covers a unit begins at that unit with
 * some low bits cleared; the first such unit that is not NONE is its beginning, as
 * runs do not overlap. Spans are at most 2^9 units long; the blocks of the buddies
 * are found by their beginning alone.
 */
static bool find(const telar_slab *slab, uint64_t offset, place *out) {
  if (offset < slab->region_offset || offset - slab->region_offset >= slab->region_bytes) return false;
  uint32_t at = (uint32_t)(offset - slab->region_offset);
  uint32_t inner = at >> slab->unit_shift;
  uint32_t deepest = span_order(slab, SMALL_SHIFT_MAX);
  for (uint32_t order = 0; order <= deepest; order++) {
    uint32_t unit = inner & ~((1u << order) - 1);
    uint64_t word = look(slab, unit);
    if (kind_of(word) == NONE) continue;
    uint32_t within = at - (unit << slab->unit_shift);
    out->unit = unit;
    out->word = word;
    if (kind_of(word) == LARGE) {
      out->block = 0;
      return within == 0;
    }
    if (kind_of(word) != SMALL) return false;
    out->block = within >> block_shift_of(word);
    return within == out->block << block_shift_of(word) &&
           out->block < 1u << (slab->unit_shift + order_of(word) - block_shift_of(word)) &&
           (word >> out->block & 1) != 0;
  }
  return false;
}

static telar_status free_small(telar_slab *slab, const place *at) {
  uint64_t bit = UINT64_C(1) << at->block, word = at->word;
  uint32_t shift = block_shift_of(word);
  do {
    /* Another thread's free of the same block can be first, and more can have happened since. */
    if (kind_of(word) != SMALL || block_shift_of(word) != shift || (word & bit) == 0) return TELAR_INVALID;
    /* R2: released to A2, the next alloc of the block, and A3, the closing of the span. */
  } while (!atomic_compare_exchange_weak_explicit(&slab->words[at->unit], &word, word & ~bit,
                                                  memory_order_release, memory_order_relaxed));
  count_out(slab, UINT64_C(1) << shift);
  bool is_empty = (uint32_t)(word & ~bit) == 0;
  if ((word & CURRENT) == 0 && (is_empty || (word & LINKED) == 0)) {
    lock(slab);
    settle(slab, at->unit);
    unlock(slab);
  }
  return TELAR_OK;
}

static telar_status free_large(telar_slab *slab, const place *at) {
  lock(slab);
  uint64_t word = look(slab, at->unit);
  bool is_there = kind_of(word) == LARGE;
  uint32_t units = (uint32_t)word;
  if (is_there) run_give_part(slab, at->unit, 0, units);
  unlock(slab);
  if (!is_there) return TELAR_INVALID;
  count_out(slab, (uint64_t)units << slab->unit_shift);
  return TELAR_OK;
}

telar_status telar_slab_free(telar_slab *slab, uint64_t offset) {
  place at;
  if (!find(slab, offset, &at)) return TELAR_INVALID;
  return kind_of(at.word) == SMALL ? free_small(slab, &at) : free_large(slab, &at);
}

uint64_t telar_slab_capacity_at(const telar_slab *slab, uint64_t offset) {
  place at;
  if (!find(slab, offset, &at)) return 0;
  return kind_of(at.word) == SMALL ? UINT64_C(1) << block_shift_of(at.word)
                                  : (uint64_t)(uint32_t)at.word << slab->unit_shift;
}

void telar_slab_stats_read(const telar_slab *slab, telar_slab_stats *out) {
  /* Relaxed: statistics. */
  out->region_bytes = slab->region_bytes;
  out->bytes_in_use = atomic_load_explicit(&slab->in_use, memory_order_relaxed);
  out->bytes_peak = atomic_load_explicit(&slab->peak, memory_order_relaxed);
  out->failures = atomic_load_explicit(&slab->failures, memory_order_relaxed);
}

/* --- set-up ------------------------------------------------------------------ */

telar_status telar_slab_init(void *memory, const telar_slab_config *given, telar_slab **out) {
  telar_slab_config config;
  if (memory == NULL || out == NULL || (uintptr_t)memory % TELAR_CACHELINE != 0 || !read_config(given, &config)) {
    return TELAR_INVALID;
  }
  telar_slab *slab = memory;
  slab->region_bytes = config.region_bytes;
  slab->region_offset = config.region_offset;
  slab->unit_shift = unit_shift_for(&config);
  slab->min_shift = telar_bits_highest(config.min_block);
  slab->units = (uint32_t)(config.region_bytes >> slab->unit_shift);
  slab->max_order = telar_bits_highest(config.max_block >> slab->unit_shift);
  uint32_t order_of_region = telar_bits_highest(slab->units);
  if (slab->max_order > order_of_region) slab->max_order = order_of_region;
  slab->max_block = UINT64_C(1) << (slab->unit_shift + slab->max_order);
  slab->words = (_Atomic uint64_t *)(slab + 1);
  /* The links of a unit are written when it first enters a list: their pages stay
   * untouched for the part of the region that is never split. */
  slab->next = (uint32_t *)(slab->words + slab->units);
  slab->prev = slab->next + slab->units;
  for (uint32_t i = 0; i < slab->units; i++) atomic_init(&slab->words[i], NONE);
  for (uint32_t i = 0; i < CLASSES_MAX; i++) {
    atomic_init(&slab->current[i], NOWHERE);
    slab->room_head[i] = NOWHERE;
  }
  for (uint32_t i = 0; i < ORDERS_MAX; i++) slab->free_head[i] = NOWHERE;
  slab->orders_free = 0;
  atomic_init(&slab->locked, 0);
  atomic_init(&slab->in_use, 0);
  atomic_init(&slab->peak, 0);
  atomic_init(&slab->failures, 0);
  /* Runs of the greatest length, the last one first, so that low offsets are used first;
   * before them, in shorter runs, what is left at the end. */
  uint32_t longest = 1u << slab->max_order;
  uint32_t whole = slab->units & ~(longest - 1);
  run_give_part(slab, whole, 0, slab->units - whole);
  while (whole > 0) {
    whole -= longest;
    run_give(slab, whole, slab->max_order);
  }
  *out = slab;
  return TELAR_OK;
}
