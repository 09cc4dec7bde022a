/*
 * Bit scans, under one name for all compilers. C only, internal to the core.
 */
#ifndef TELAR_CORE_BITS_H
#define TELAR_CORE_BITS_H

#include <stdint.h>

#if defined(_MSC_VER)
#include <intrin.h>
#endif

/* Index of the lowest set bit, from 0. pre: value != 0. */
static inline unsigned telar_bits_lowest(uint64_t value) {
#if defined(_MSC_VER)
  unsigned long index;
#if defined(_M_X64) || defined(_M_ARM64)
  _BitScanForward64(&index, value);
#else
  if ((unsigned long)value != 0) {
    _BitScanForward(&index, (unsigned long)value);
  } else {
    _BitScanForward(&index, (unsigned long)(value >> 32));
    index += 32;
  }
#endif
  return (unsigned)index;
#else
  return (unsigned)__builtin_ctzll(value);
#endif
}

/* Index of the highest set bit, from 0. pre: value != 0. */
static inline unsigned telar_bits_highest(uint64_t value) {
#if defined(_MSC_VER)
  unsigned long index;
#if defined(_M_X64) || defined(_M_ARM64)
  _BitScanReverse64(&index, value);
#else
  if (value >> 32 != 0) {
    _BitScanReverse(&index, (unsigned long)(value >> 32));
    index += 32;
  } else {
    _BitScanReverse(&index, (unsigned long)value);
  }
#endif
  return (unsigned)index;
#else
  return 63u - (unsigned)__builtin_clzll(value);
#endif
}

#endif
