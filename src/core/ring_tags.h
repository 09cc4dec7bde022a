/*
 * Encoding of a tag (ring_internal.h): the upper two bits are its state, the others a count. Not
 * for the binding.
 *
 *     0                      nothing
 *     READY | bytes          a record
 *     records << 16 | bytes  a run: two or more consecutive records of that many bytes each
 *     SKIP | granules        no record
 *     DONE | granules        claimed and read
 */
#ifndef TELAR_CORE_RING_TAGS_H
#define TELAR_CORE_RING_TAGS_H

#include <stdint.h>

#include "ring.h"

#define RING_TAG_READY (1u << 30)
#define RING_TAG_SKIP (2u << 30)
#define RING_TAG_DONE (3u << 30)
#define RING_TAG_STATE (3u << 30)
#define RING_TAG_COUNT (~RING_TAG_STATE)

#define RING_RUN_SHIFT 16u
#define RING_RUN_BYTES_MAX 0xffffu
#define RING_RUN_RECORDS_MAX 0x3fffu

/* Granules of a record; an empty record takes one, for its tag. */
static inline uint32_t ring_granules(uint32_t bytes) {
  return (bytes + (TELAR_RING_GRANULE - 1)) / TELAR_RING_GRANULE + (bytes == 0);
}

/* Bytes from the start of the first of some records to the end of the last one. granules: all of
 * theirs; last: length of the last one in bytes. */
static inline uint32_t ring_bytes_to_end(uint32_t granules, uint32_t last) {
  return (granules - ring_granules(last)) * TELAR_RING_GRANULE + last;
}

/* pre: one record, or 2 to RING_RUN_RECORDS_MAX records of at most RING_RUN_BYTES_MAX bytes. */
static inline uint32_t ring_tag_of(uint32_t records, uint32_t bytes) {
  return records == 1 ? RING_TAG_READY | bytes : records << RING_RUN_SHIFT | bytes;
}

/* Records that begin at this tag; 0: none. */
static inline uint32_t ring_tag_records(uint32_t tag) {
  uint32_t state = tag & RING_TAG_STATE;
  return state == RING_TAG_READY ? 1 : state == 0 ? tag >> RING_RUN_SHIFT : 0;
}

/* Length of each of these records, in bytes. */
static inline uint32_t ring_tag_bytes(uint32_t tag) {
  return tag & ((tag & RING_TAG_STATE) == 0 ? RING_RUN_BYTES_MAX : RING_TAG_COUNT);
}

/* Granules that the tag describes; 0: a value that no call writes. */
static inline uint64_t ring_tag_granules(uint32_t tag) {
  uint32_t records = ring_tag_records(tag);
  return records != 0 ? (uint64_t)records * ring_granules(ring_tag_bytes(tag))
                      : tag & RING_TAG_COUNT;
}

#endif
