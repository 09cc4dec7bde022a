#include "slab_internal.h"

static uint32_t *room_list(telar_slab *slab, uint64_t word) {
  return &slab->room_head[block_shift_of(word) - slab->min_shift];
}

/* Closes the span if none of its blocks is allocated. Under the lock. */
static bool close_if_empty(telar_slab *slab, uint32_t unit) {
  uint64_t word = read_word(slab, unit);
  if (kind_of(word) != SMALL || (uint32_t)word != 0) return false;
  /* A3: acquires R2, the last free of each block. Strong: a failure means that an alloc was faster
   * and the span is not empty. Relaxed on failure: nothing is done. */
  if (!atomic_compare_exchange_strong_explicit(&slab->words[unit], &word, NONE,
                                               memory_order_acquire, memory_order_relaxed)) {
    return false;
  }
  if (word & LINKED) list_remove(slab, room_list(slab, word), unit);
  telar_slab_run_give(slab, unit, order_of(word));
  return true;
}

void telar_slab_settle(telar_slab *slab, uint32_t unit) {
  uint64_t word = read_word(slab, unit);
  if (kind_of(word) != SMALL || (word & CURRENT) != 0) return;
  if (close_if_empty(slab, unit)) return;
  word = read_word(slab, unit);
  /* Full: the thread that frees next sees no flag and settles the span. Full and LINKED: it stays
   * on the list, and the thread that takes it from there finds out. */
  if ((word & LINKED) != 0 || is_full(slab, word)) return;
  list_push(slab, room_list(slab, word), unit);
  /* Relaxed: lists are accessed only under the lock. If the last block was freed since the read,
   * that thread saw no LINKED and is about to take the lock and settle. */
  (void)atomic_fetch_or_explicit(&slab->words[unit], LINKED, memory_order_relaxed);
}

/* Makes the class allocate from unit, or from no span. Under the lock. */
static void set_current(telar_slab *slab, uint32_t class, uint32_t unit) {
  /* Relaxed: a guess for take_block, which verifies the word. */
  atomic_store_explicit(&slab->current[class], unit, memory_order_relaxed);
}

/* Allocates a block from the existing spans of the class. Under the lock. Each iteration but the
 * last removes from the list a span that other threads have just filled. */
static bool take_from_spans(telar_slab *slab, uint32_t class, uint64_t *offset) {
  for (;;) {
    uint32_t unit = get_current(slab, class);
    if (unit != NOWHERE) {
      if (take_block(slab, unit, slab->min_shift + class, offset)) return true;
      set_current(slab, class, NOWHERE);
      /* Relaxed, here and below: flags matter to holders of the lock, and to frees that only decide
       * whether to take it. */
      (void)atomic_fetch_and_explicit(&slab->words[unit], ~CURRENT, memory_order_relaxed);
      /* A free that still saw CURRENT left the span to this thread. */
      telar_slab_settle(slab, unit);
    }
    unit = slab->room_head[class];
    if (unit == NOWHERE) return false;
    list_remove(slab, &slab->room_head[class], unit);
    (void)atomic_fetch_or_explicit(&slab->words[unit], CURRENT, memory_order_relaxed);
    (void)atomic_fetch_and_explicit(&slab->words[unit], ~LINKED, memory_order_relaxed);
    set_current(slab, class, unit);
  }
}

/* Allocates a block from a new span; a shorter span if there is no room for 32 blocks. Under the
 * lock. pre: the class has no current span. */
static bool take_from_new_span(telar_slab *slab, uint32_t class, uint64_t *offset) {
  uint32_t block_shift = slab->min_shift + class;
  uint32_t least = span_order_least(slab, block_shift);
  for (uint32_t order = span_order(slab, block_shift) + 1; order-- > least;) {
    uint32_t unit = telar_slab_run_take(slab, order);
    if (unit == NOWHERE) continue;
    /* R3: released to A2. Together with the lock taken before, it passes on what A3 acquired. The
     * first block belongs to this thread before any other thread can see the span. */
    atomic_store_explicit(&slab->words[unit], make_word(SMALL, block_shift, order, 1) | CURRENT,
                          memory_order_release);
    set_current(slab, class, unit);
    *offset = slab->region_offset + (unit << slab->unit_shift);
    return true;
  }
  return false;
}

bool telar_slab_reclaim(telar_slab *slab) {
  bool found = false;
  for (uint32_t class = 0; slab->min_shift + class <= SMALL_SHIFT_MAX; class ++) {
    uint32_t unit = get_current(slab, class);
    if (unit != NOWHERE && close_if_empty(slab, unit)) {
      set_current(slab, class, NOWHERE);
      found = true;
    }
  }
  return found;
}

uint32_t telar_slab_take_small(telar_slab *slab, uint32_t class, uint64_t *offset) {
  if (take_from_spans(slab, class, offset) || take_from_new_span(slab, class, offset) ||
      (telar_slab_reclaim(slab) && take_from_new_span(slab, class, offset))) {
    return slab->min_shift + class;
  }
  /* There is no room for a new span, but spans of larger blocks may have room. */
  for (uint32_t other = class + 1; slab->min_shift + other <= SMALL_SHIFT_MAX; other++) {
    if (take_from_spans(slab, other, offset)) return slab->min_shift + other;
  }
  return 0;
}
