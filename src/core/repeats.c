/* repeats.c - see repeats.h. */
#include "core/repeats.h"

#include <stdlib.h>
#include <string.h>

/* 8 bytes each: half of a first-level cache of 32 KiB. */
#define kTableBits 11
#define kTable ((size_t)1 << kTableBits)
/* A partition holds about a quarter of that, so that one a few times the average size still
 * fits. */
#define kPartBits 9
#define kMaxPartitionBits 20

static uint64_t hash_of(uintptr_t word) {
  uint64_t hash = (uint64_t)word * UINT64_C(0x9E3779B97F4A7C15);
  return hash ^ hash >> 32;
}

/* log2 of the number of partitions. */
static unsigned partition_bits(size_t count) {
  unsigned bits = 0;
  while (bits < kMaxPartitionBits && count >> bits > (size_t)1 << kPartBits) bits++;
  return bits;
}

static size_t part_of(uintptr_t word, unsigned bits) {
  return (size_t)(hash_of(word) & (((uint64_t)1 << bits) - 1));
}

size_t telar_repeats_memory_size(size_t count) {
  size_t parts = (size_t)1 << partition_bits(count);
  return (parts + 1) * sizeof(size_t) + count * sizeof(uintptr_t);
}

/* Copies the words so that those of one partition are contiguous. ends[p]: where partition p
 * ends. */
static void partition(const uintptr_t *words, size_t count, unsigned bits, size_t *ends,
                      uintptr_t *parted) {
  size_t parts = (size_t)1 << bits;
  memset(ends, 0, (parts + 1) * sizeof *ends);
  for (size_t i = 0; i < count; i++) ends[part_of(words[i], bits) + 1]++;
  for (size_t part = 0; part < parts; part++) ends[part + 1] += ends[part];
  /* The start of each partition advances to its end. */
  for (size_t i = 0; i < count; i++) parted[ends[part_of(words[i], bits)]++] = words[i];
}

static bool repeats_in_table(const uintptr_t *words, size_t count) {
  uintptr_t table[kTable];
  memset(table, 0, sizeof table);
  for (size_t i = 0; i < count; i++) {
    /* Uses other bits than those that chose the partition. */
    size_t at = (size_t)(hash_of(words[i]) >> (64 - kTableBits));
    while (table[at] != 0) {
      if (table[at] == words[i]) return true;
      at = (at + 1) & (kTable - 1);
    }
    table[at] = words[i];
  }
  return false;
}

static int by_value(const void *left, const void *right) {
  uintptr_t a = *(const uintptr_t *)left;
  uintptr_t b = *(const uintptr_t *)right;
  return (a > b) - (a < b);
}

static bool repeats_when_sorted(uintptr_t *words, size_t count) {
  qsort(words, count, sizeof *words, by_value);
  for (size_t i = 1; i < count; i++) {
    if (words[i] == words[i - 1]) return true;
  }
  return false;
}

bool telar_repeats(const uintptr_t *words, size_t count, void *scratch) {
  unsigned bits = partition_bits(count);
  size_t parts = (size_t)1 << bits;
  size_t *ends = scratch;
  uintptr_t *parted = (uintptr_t *)(void *)(ends + parts + 1);
  partition(words, count, bits, ends, parted);
  size_t from = 0;
  for (size_t part = 0; part < parts; part++) {
    size_t length = ends[part] - from;
    bool repeats = length <= kTable / 2 ? repeats_in_table(parted + from, length)
                                        : repeats_when_sorted(parted + from, length);
    if (repeats) return true;
    from = ends[part];
  }
  return false;
}
