/*
 * slab: blocks of payload memory inside one shared region.
 *
 * FOR     payloads that do not fit a slot's own area. The region is a piece of a
 *         SharedArrayBuffer that JavaScript reads and writes; this code never
 *         touches it and deals in offsets. All bookkeeping is private memory, so
 *         nothing that JavaScript writes can harm it.
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
 * THREADS all calls but size and init: any thread, any order. What a thread did
 *         to a block before it freed it is done before the block is handed out
 *         again.
 *
 * PROGRESS Up to 32 KiB both alloc and free are lock-free as long as the span in
 *         use has room: one compare-and-swap on one word. Larger blocks, and one
 *         small block in about 32, take a spin lock. Its holder runs a bounded
 *         number of steps of this file and nothing else, and a thread is never
 *         ended inside a call into the core, so the lock is always given back.
 *
 * HOW     Two layers.
 *         Buddies (Knowlton 1965): the region is cut into units (32 smallest
 *         blocks); runs of 2^k units, aligned to their size, are split and
 *         joined with their buddy, in at most log2(max_block / unit) steps. A
 *         block above 32 KiB is a run with its unused tail given back.
 *         Spans: for each power of two up to 32 KiB, a run that holds up to 32
 *         blocks. Everything about a span (what it is, which blocks are taken,
 *         on which list it stands) is one 64-bit word, so that each step of
 *         alloc and free checks and changes all of it at once. A span whose last
 *         block is freed goes back to the buddies at once, except the one that its
 *         size allocates from. That one is taken back when an allocation would fail
 *         without it. So any mixture of sizes, once freed, leaves the region whole.
 *
 * Usable from C++.
 */
#ifndef TELAR_CORE_SLAB_H
#define TELAR_CORE_SLAB_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TELAR_SLAB_REGION_GRANULE 65536u /* region_bytes is a multiple */
/* Offsets fit 32 bits. */
#define TELAR_SLAB_REGION_END_MAX (UINT64_C(4294967296) - TELAR_SLAB_REGION_GRANULE)
#define TELAR_SLAB_ALIGNMENT 64u /* of each block in the buffer */
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
  uint64_t bytes_in_use; /* capacities of the blocks handed out */
  uint64_t bytes_peak;   /* the most ever in use; a block that changes hands may count twice */
  uint64_t failures;     /* allocations answered NO_MEMORY */
} telar_slab_stats;

/* Bytes to give to init; a multiple of TELAR_CACHELINE: 16 for each unit and some.
 * 0 if the configuration is not valid. */
size_t telar_slab_size(const telar_slab_config *config);

/* Makes a slab all of whose region is free. INVALID: the configuration is outside its
 * bounds, or memory is NULL or not aligned to TELAR_CACHELINE. */
telar_status telar_slab_init(void *memory, const telar_slab_config *config, telar_slab **out);

/*
 * Hands out a block of at least bytes; *offset counts from the start of the buffer,
 * *capacity is what may be used. 0 bytes is the smallest block.
 * NO_MEMORY: nothing free is large enough now. TOO_LARGE: above max_block, or more
 * than the largest power of two that the region holds.
 */
telar_status telar_slab_alloc(telar_slab *slab, uint64_t bytes, uint64_t *offset,
                              uint64_t *capacity);

/*
 * Takes a block back. INVALID, and nothing changed: offset is not that of a block
 * that is handed out (never was, lies inside one, freed before).
 */
telar_status telar_slab_free(telar_slab *slab, uint64_t offset);

/* Capacity of the block handed out at offset; 0 if there is none. The answer lasts as
 * long as the caller knows that nobody frees the block. */
uint64_t telar_slab_capacity_at(const telar_slab *slab, uint64_t offset);

/* A look at the counters, each recent, not all of one instant. */
void telar_slab_stats_read(const telar_slab *slab, telar_slab_stats *out);

#ifdef __cplusplus
}
#endif

#endif
