/*
 * How far apart two words must lie so that a write to one does not slow down
 * readers of the other.
 *
 * 128, not 64: Intel and AMD cores fetch lines in adjacent pairs, so that a
 * neighbour 64 bytes away is dragged along, and Apple silicon has lines of
 * 128 bytes outright.
 *
 *   struct { TELAR_CACHELINE_ALIGNED _Atomic uint64_t head;
 *            TELAR_CACHELINE_ALIGNED _Atomic uint64_t tail; };
 *
 * Every telar_x_size() is a multiple of TELAR_CACHELINE and every telar_x_init()
 * wants memory aligned to it, so objects can be laid out one after another in
 * one aligned piece of memory. Usable from C++.
 */
#ifndef TELAR_CORE_CACHELINE_H
#define TELAR_CORE_CACHELINE_H

#define TELAR_CACHELINE 128u

#ifdef __cplusplus
#define TELAR_CACHELINE_ALIGNED alignas(TELAR_CACHELINE)
#else
#define TELAR_CACHELINE_ALIGNED _Alignas(TELAR_CACHELINE)
#endif

/* bytes, rounded up to a whole number of lines. */
#define TELAR_CACHELINE_ROUND_UP(bytes) \
  (((bytes) + (TELAR_CACHELINE - 1u)) & ~(size_t)(TELAR_CACHELINE - 1u))

#endif
