/*
 * repeats: whether a list of words holds one of them twice.
 *
 * FOR     the codec, which asks it of the addresses of all objects in a large value. One question
 *         for all of them takes a fraction of the time of a lookup in a hash table for each, as
 *         soon as that table fits into no cache.
 *
 * USE     uintptr_t *scratch = malloc(telar_repeats_memory_size(count));
 *         bool repeats = telar_repeats(words, count, scratch);
 *
 * THREADS any; a call uses nothing but its arguments.
 *
 * METHOD  The words are divided into parts by their hash (one pass of a radix sort), so that the
 *         table of a part stays in the first cache; equal words are in the same part. Linear
 *         probing, at most half full on average; a part that is larger than its table is sorted
 *         instead, so that no choice of words takes more than O(n log n).
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

/* Bytes of scratch memory for so many words, aligned as a word. */
size_t telar_repeats_memory_size(size_t count);

/* No word may be 0. The order of the words in the scratch memory is lost. */
bool telar_repeats(const uintptr_t *words, size_t count, void *scratch);

#ifdef __cplusplus
}
#endif

#endif
