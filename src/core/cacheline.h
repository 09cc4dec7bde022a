/*
 * How far apart two words must lie so that writing one does not slow down readers of the other
 * (false sharing).
 *
 * 128 bytes, not 64: Intel and AMD cores fetch cache lines in adjacent pairs, so a line also drags
 * in its neighbor 64 bytes away. Apple silicon has cache lines of 128 bytes.
 *
 *   struct { TELAR_CACHELINE_ALIGNED _Atomic uint64_t head;
 *            TELAR_CACHELINE_ALIGNED _Atomic uint64_t tail; };
 *
 * Every telar_x_size() is a multiple of TELAR_CACHELINE, and every telar_x_init() requires memory
 * aligned to it. So objects can be laid out one after another in one aligned block of memory.
 * Usable from C++.
 */
#ifndef TELAR_CORE_CACHELINE_H
#define TELAR_CORE_CACHELINE_H

#define TELAR_CACHELINE 128u

#ifdef __cplusplus
#define TELAR_CACHELINE_ALIGNED alignas(TELAR_CACHELINE)
#else
#define TELAR_CACHELINE_ALIGNED _Alignas(TELAR_CACHELINE)
#endif

/* bytes, rounded up to a multiple of TELAR_CACHELINE. */
#define TELAR_CACHELINE_ROUND_UP(bytes) \
  (((bytes) + (TELAR_CACHELINE - 1u)) & ~(size_t)(TELAR_CACHELINE - 1u))

#endif
