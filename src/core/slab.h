/*
 * slab: allocates blocks of payload memory inside one shared region.
 *
 * FOR     payloads that do not fit into a slot's own area. The region is a part of a
 *         SharedArrayBuffer that JavaScript reads and writes. This code never accesses it and
 *         works with offsets only. All bookkeeping is in private memory, so JavaScript cannot
 *         damage it.
 *
 * USE     telar_slab_config config = {0};
 *         config.region_bytes = 256u << 20;             // the rest: defaults
 *         telar_slab *slab;
 *         telar_slab_init(aligned(telar_slab_size(&config)), &config, &slab);
 *         uint64_t offset, capacity;
 *         if (telar_slab_alloc(slab, 5000, &offset, &capacity) == TELAR_OK) {
 *           ... offset is counted from the start of the buffer, capacity >= 5000
 *           telar_slab_free(slab, offset);
 *         }
 *
 * THREADS All calls except size and init: any thread, in any order. What a thread did to a block
 *         before it freed the block happens before the block is allocated again.
 *
 * PROGRESS Up to 32 KiB, alloc and free are lock-free as long as the span in use has room: one
 *         compare-and-swap on one word. Larger blocks, and about one small block in 32, take a
 *         spin lock. Its holder executes a bounded number of steps of these files and nothing
 *         else, and a thread is never terminated inside a call into the core, so the lock is
 *         always released.
 *
 * METHOD  Two layers.
 *         Buddies (Knowlton 1965): the region is divided into units (32 smallest blocks). Runs
 *         of 2^k units, aligned to their size, are split and joined with their buddy, in at most
 *         log2(max_block / unit) steps. A block above 32 KiB is a run whose unused tail is given
 *         back.
 *         Spans: for each power of two up to 32 KiB, a run that holds up to 32 blocks. The whole
 *         state of a span (its kind, the allocated blocks, its list) is one 64-bit word, so each
 *         step of alloc and free checks and changes all of it at once. A span whose last block is
 *         freed goes back to the buddies at once, except the one that its size class allocates
 *         from. That span is taken back if an allocation would fail otherwise. So after any
 *         mixture of sizes has been freed, the whole region is available again.
 *
 * Sizes, capacities and offsets are in bytes. Usable from C++.
 */
#ifndef TELAR_CORE_SLAB_H
#define TELAR_CORE_SLAB_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TELAR_SLAB_REGION_GRANULE 65536u /* region_bytes is a multiple of it */
/* Offsets fit into 32 bits. */
#define TELAR_SLAB_REGION_END_MAX (UINT64_C(4294967296) - TELAR_SLAB_REGION_GRANULE)
#define TELAR_SLAB_ALIGNMENT 64u /* alignment of each block in the buffer */
#define TELAR_SLAB_MIN_BLOCK_DEFAULT 256u
#define TELAR_SLAB_MIN_BLOCK_MAX 32768u
#define TELAR_SLAB_MAX_BLOCK_DEFAULT (16u << 20)
#define TELAR_SLAB_MAX_BLOCK_MIN 65536u

typedef struct telar_slab telar_slab;

typedef struct telar_slab_config {
  uint64_t region_offset; /* where the region starts in its buffer; a multiple of 64 */
  uint32_t min_block;     /* smallest block: a power of two, 64 to 32 KiB; 0: 256 */
  uint32_t max_block;     /* largest block: a power of two, 64 KiB to 2 GiB; 0: 16 MiB */
  uint64_t region_bytes;  /* a multiple of 64 KiB; offset + bytes <= 4 GiB - 64 KiB */
} telar_slab_config;

typedef struct telar_slab_stats {
  uint64_t region_bytes;
  uint64_t bytes_in_use; /* sum of the capacities of the allocated blocks */
  uint64_t bytes_peak;   /* the maximum of bytes_in_use; a block that is freed and allocated
                            concurrently may count twice */
  uint64_t failures;     /* allocations that returned NO_MEMORY */
} telar_slab_stats;

/* Bytes to allocate for init; a multiple of TELAR_CACHELINE: 16 for each unit, plus a constant. 0
 * if the configuration is invalid. */
size_t telar_slab_size(const telar_slab_config *config);

/* Makes a slab whose whole region is free. INVALID: the configuration is out of range, memory or
 * out is NULL, or memory is not aligned to TELAR_CACHELINE. Call it before the slab is shared.
 * There is no matching destroy. */
telar_status telar_slab_init(void *memory, const telar_slab_config *config, telar_slab **out);

/*
 * Allocates a block of at least bytes. *offset counts from the start of the buffer; *capacity is
 * the usable size. 0 bytes gives the smallest block. NO_MEMORY: no free block is large enough now.
 * TOO_LARGE: above max_block, or above the largest power of two that fits into the region.
 */
telar_status telar_slab_alloc(telar_slab *slab, uint64_t bytes, uint64_t *offset,
                              uint64_t *capacity);

/*
 * Frees a block. INVALID, and nothing changes: offset is not the start of an allocated block (it
 * never was, it lies inside one, or the block is already free).
 */
telar_status telar_slab_free(telar_slab *slab, uint64_t offset);

/* Capacity of the allocated block at offset; 0 if there is none. The answer is valid as long as the
 * caller ensures that no thread frees the block. */
uint64_t telar_slab_capacity_at(const telar_slab *slab, uint64_t offset);

/* Reads the counters. Each is recent, but they are not a consistent instant. */
void telar_slab_stats_read(const telar_slab *slab, telar_slab_stats *out);

#ifdef __cplusplus
}
#endif

#endif
