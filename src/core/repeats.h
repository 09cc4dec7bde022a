/*
 * repeats: whether a list of words contains a duplicate.
 *
 * FOR     the codec, which checks the addresses of all objects in a large value. Checking all at
 *         once takes a fraction of the time of one hash table lookup for each address, as soon as
 *         the table no longer fits into a cache.
 *
 * USE     void *scratch = malloc(telar_repeats_memory_size(count));
 *         bool repeats = telar_repeats(words, count, scratch);
 *
 * THREADS any; a call uses only its arguments.
 *
 * METHOD  The words are partitioned by their hash (one pass of a radix sort), so that the hash
 *         table of a partition stays in the first-level cache. Equal words are in the same
 * partition. Linear probing, at most half full. A partition that is larger than that is sorted
 *         instead, so no choice of words takes more than O(n log n).
 *
 * Usable from C++.
 */
#ifndef TELAR_CORE_REPEATS_H
#define TELAR_CORE_REPEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of scratch memory for count words. The memory must be aligned for a uintptr_t. */
size_t telar_repeats_memory_size(size_t count);

/* True if some word occurs twice. pre: no word is 0. Reorders nothing but the scratch memory, whose
 * contents are undefined afterwards. */
bool telar_repeats(const uintptr_t *words, size_t count, void *scratch);

#ifdef __cplusplus
}
#endif

#endif
