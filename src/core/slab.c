#include "slab_internal.h"

/* The length of a large block is a multiple of 1/16 of its run. */
enum { TAIL_SHIFT = 4 };

/* --- configuration ------------------------------------------------------ */

static bool is_power_of_two(uint64_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

/* Fills in the defaults; false if a value is out of range. */
static bool read_config(const telar_slab_config *given, telar_slab_config *out) {
  if (given == NULL) return false;
  *out = *given;
  if (out->min_block == 0) out->min_block = TELAR_SLAB_MIN_BLOCK_DEFAULT;
  if (out->max_block == 0) out->max_block = TELAR_SLAB_MAX_BLOCK_DEFAULT;
  return is_power_of_two(out->min_block) && out->min_block >= (1u << SMALL_SHIFT_MIN) &&
         out->min_block <= TELAR_SLAB_MIN_BLOCK_MAX && is_power_of_two(out->max_block) &&
         out->max_block >= TELAR_SLAB_MAX_BLOCK_MIN &&
         out->region_offset % TELAR_SLAB_ALIGNMENT == 0 && out->region_bytes != 0 &&
         out->region_bytes % TELAR_SLAB_REGION_GRANULE == 0 &&
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

/* --- allocation ------------------------------------------------------------ */

static void count_in(telar_slab *slab, uint64_t bytes) {
  /* Relaxed: statistics, which order nothing. */
  uint64_t now = atomic_fetch_add_explicit(&slab->in_use, bytes, memory_order_relaxed) + bytes;
  uint64_t peak = atomic_load_explicit(&slab->peak, memory_order_relaxed);
  while (now > peak && !atomic_compare_exchange_weak_explicit(
                           &slab->peak, &peak, now, memory_order_relaxed, memory_order_relaxed)) {
  }
}

static void count_out(telar_slab *slab, uint64_t bytes) {
  atomic_fetch_sub_explicit(&slab->in_use, bytes, memory_order_relaxed);
}

/* The slow path for a small block. Returns log2 of its size in bytes, 0 if there is none. */
static uint32_t alloc_small_slow(telar_slab *slab, uint32_t class, uint64_t *offset) {
  lock(slab);
  uint32_t given = telar_slab_take_small(slab, class, offset);
  unlock(slab);
  return given;
}

/* Allocates a run of at least `units` units. Returns its length, 0 if there is none. pre: units <=
 * 2^max_order. */
static uint32_t alloc_large(telar_slab *slab, uint32_t units, uint64_t *offset) {
  uint32_t order = units > 1 ? telar_bits_highest(units - 1) + 1 : 0;
  /* If tails were given back in small pieces, they would use up the long runs. */
  uint32_t multiple = order > TAIL_SHIFT ? 1u << (order - TAIL_SHIFT) : 1;
  units = (units + multiple - 1) & ~(multiple - 1);
  lock(slab);
  uint32_t unit = telar_slab_run_take(slab, order);
  if (unit == NOWHERE && telar_slab_reclaim(slab)) unit = telar_slab_run_take(slab, order);
  if (unit != NOWHERE) {
    set_word(slab, unit, make_word(LARGE, 0, 0, units));
    telar_slab_run_give_part(slab, unit, units, 1u << order);
    *offset = slab->region_offset + (unit << slab->unit_shift);
  }
  unlock(slab);
  return unit == NOWHERE ? 0 : units;
}

telar_status telar_slab_alloc(telar_slab *slab, uint64_t bytes, uint64_t *offset,
                              uint64_t *capacity) {
  if (bytes > slab->max_block) return TELAR_TOO_LARGE;
  uint64_t given;
  if (bytes <= (1u << SMALL_SHIFT_MAX)) {
    uint32_t shift = bytes > 1 ? telar_bits_highest(bytes - 1) + 1 : 0;
    if (shift < slab->min_shift) shift = slab->min_shift;
    uint32_t class = shift - slab->min_shift;
    uint32_t unit = get_current(slab, class);
    if (unit == NOWHERE || !take_block(slab, unit, shift, offset)) {
      shift = alloc_small_slow(slab, class, offset);
    }
    given = shift == 0 ? 0 : UINT64_C(1) << shift;
  } else {
    uint32_t units =
        (uint32_t)((bytes + (UINT64_C(1) << slab->unit_shift) - 1) >> slab->unit_shift);
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
  uint32_t block; /* SMALL: index in the span */
  uint64_t word;  /* the value that was read; SMALL or LARGE */
} place;

/*
 * Finds the block that begins at offset. The run that covers a unit begins at that unit with some
 * low bits cleared. The first such unit that is not NONE is the beginning, because runs do not
 * overlap. Spans are at most 2^9 units long. A large block is found only by its beginning.
 */
static bool find(const telar_slab *slab, uint64_t offset, place *out) {
  if (offset < slab->region_offset || offset - slab->region_offset >= slab->region_bytes) {
    return false;
  }
  uint32_t at = (uint32_t)(offset - slab->region_offset);
  uint32_t inner = at >> slab->unit_shift;
  uint32_t deepest = span_order(slab, SMALL_SHIFT_MAX);
  for (uint32_t order = 0; order <= deepest; order++) {
    uint32_t unit = inner & ~((1u << order) - 1);
    uint64_t word = read_word(slab, unit);
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
    /* Another thread may have freed the same block first, and more may have happened since. */
    if (kind_of(word) != SMALL || block_shift_of(word) != shift || (word & bit) == 0) {
      return TELAR_INVALID;
    }
    /* R2: released to A2, the next alloc of the block, and A3, the closing of the span. */
  } while (!atomic_compare_exchange_weak_explicit(&slab->words[at->unit], &word, word & ~bit,
                                                  memory_order_release, memory_order_relaxed));
  count_out(slab, UINT64_C(1) << shift);
  bool is_empty = (uint32_t)(word & ~bit) == 0;
  if ((word & CURRENT) == 0 && (is_empty || (word & LINKED) == 0)) {
    lock(slab);
    telar_slab_settle(slab, at->unit);
    unlock(slab);
  }
  return TELAR_OK;
}

static telar_status free_large(telar_slab *slab, const place *at) {
  lock(slab);
  uint64_t word = read_word(slab, at->unit);
  bool is_there = kind_of(word) == LARGE;
  uint32_t units = (uint32_t)word;
  if (is_there) telar_slab_run_give_part(slab, at->unit, 0, units);
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

/* --- setup ------------------------------------------------------------------- */

telar_status telar_slab_init(void *memory, const telar_slab_config *given, telar_slab **out) {
  telar_slab_config config;
  if (memory == NULL || out == NULL || (uintptr_t)memory % TELAR_CACHELINE != 0 ||
      !read_config(given, &config)) {
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
  /* The links of a unit are written when it first enters a list. So their pages stay untouched for
   * the part of the region that is never split. */
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
  /* Runs of the greatest length, the last one first, so that low offsets are used first. Before
   * them, in shorter runs, what is left at the end. */
  uint32_t longest = 1u << slab->max_order;
  uint32_t whole = slab->units & ~(longest - 1);
  telar_slab_run_give_part(slab, whole, 0, slab->units - whole);
  while (whole > 0) {
    whole -= longest;
    telar_slab_run_give(slab, whole, slab->max_order);
  }
  *out = slab;
  return TELAR_OK;
}
