/*
 * Runs of equal tags, for batches of the shortest records: two at a time, since such a batch costs little but its
 * loads and stores. Not for the binding.
 *
 * C promises nothing of accesses of different sizes to the same memory, the processors do: an aligned access of 64 bits
 * is one, and a look at half of it finds what that half was at some time. Both halves are equal here, so that it does not
 * matter which comes first.
 */
#ifndef TELAR_CORE_RING_TAGS_H
#define TELAR_CORE_RING_TAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "atomic.h"

#if defined(__GNUC__)
typedef _Atomic uint64_t __attribute__((may_alias)) ring_tag_pair;
#else
typedef _Atomic uint64_t ring_tag_pair;
#endif

enum { RING_TAG_PAIRS_AT_ONCE = 4 };

static inline uint64_t ring_tag_twice(uint32_t tag) {
  return (uint64_t)tag << 32 | tag;
}

static inline bool ring_tag_is_odd(const _Atomic uint32_t *tag) {
  return (uintptr_t)tag % sizeof(ring_tag_pair) != 0;
}

/* Writes `count` of them. `order`: a constant, what each store carries is the caller's to say. */
static inline void ring_tags_fill(_Atomic uint32_t *tag, uint32_t count, uint32_t value, memory_order order) {
  _Atomic uint32_t *last = tag + count;
  uint64_t twice = ring_tag_twice(value);
  if (count != 0 && ring_tag_is_odd(tag)) atomic_store_explicit(tag++, value, order);
  for (; last - tag >= 2; tag += 2) {
    atomic_store_explicit((ring_tag_pair *)(void *)tag, twice, order);
  }
  if (tag != last) atomic_store_explicit(tag, value, order);
}

/* How many of `most` tags, from the first on, are this one. */
static inline uint32_t ring_tags_run(const _Atomic uint32_t *tag, uint32_t most, uint32_t value) {
  uint32_t count = 0;
  uint64_t twice = ring_tag_twice(value);
  /* A1, all of them: acquires R1, the records. */
  if (most != 0 && ring_tag_is_odd(tag)) {
    if (atomic_load_explicit(tag, memory_order_acquire) != value) return 0;
    count = 1;
  }
  for (; most - count >= 2 * RING_TAG_PAIRS_AT_ONCE; count += 2 * RING_TAG_PAIRS_AT_ONCE) {
    const ring_tag_pair *pair = (const ring_tag_pair *)(const void *)(tag + count);
    uint64_t differ = 0;
    for (int i = 0; i < RING_TAG_PAIRS_AT_ONCE; i++) {
      differ |= atomic_load_explicit(&pair[i], memory_order_acquire) ^ twice;
    }
    if (differ != 0) break;
  }
  while (count != most && atomic_load_explicit(tag + count, memory_order_acquire) == value) count++;
  return count;
}

#endif
