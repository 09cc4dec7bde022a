#include "histogram.h"

#include <math.h>
#include <string.h>

#include "atomic.h"
#include "bits.h"
#include "cacheline.h"

enum { SUB_BITS = 6, SUB_COUNT = 1 << SUB_BITS };

/*
 * Each field has one writer and only grows (min only shrinks). Each access is relaxed: the fields
 * publish no other memory, and a reader wants recent numbers, not a consistent instant. The
 * writer's plain load and store lose nothing, because no other thread stores.
 */
struct telar_histogram {
  TELAR_CACHELINE_ALIGNED _Atomic uint64_t sum_bits; /* the bits of a double */
  _Atomic uint64_t min;
  _Atomic uint64_t max;
  _Atomic uint64_t clamped;
  _Atomic uint64_t buckets[TELAR_HISTOGRAM_BUCKETS];
};

static uint64_t load(const _Atomic uint64_t *field) {
  return atomic_load_explicit(field, memory_order_relaxed);
}

static void store(_Atomic uint64_t *field, uint64_t value) {
  atomic_store_explicit(field, value, memory_order_relaxed);
}

static double to_double(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint64_t to_bits(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* A shift of s keeps the upper SUB_BITS + 1 bits, 64 to 127. So bucket = 64 s + these bits. */
static uint32_t bucket_of(uint64_t ns) {
  unsigned shift = telar_bits_highest(ns | SUB_COUNT) - SUB_BITS;
  return (uint32_t)(shift << SUB_BITS) + (uint32_t)(ns >> shift);
}

static unsigned shift_of(uint32_t bucket) {
  return bucket < 2 * SUB_COUNT ? 0 : (bucket >> SUB_BITS) - 1;
}

static uint64_t lowest_in(uint32_t bucket) {
  unsigned shift = shift_of(bucket);
  return (uint64_t)(bucket - (shift << SUB_BITS)) << shift;
}

static uint64_t highest_in(uint32_t bucket) {
  return lowest_in(bucket) + ((uint64_t)1 << shift_of(bucket)) - 1;
}

static uint64_t middle_of(uint32_t bucket) {
  return lowest_in(bucket) + ((uint64_t)1 << shift_of(bucket)) / 2;
}

static uint64_t bound(uint64_t value, uint64_t low, uint64_t high) {
  return value < low ? low : value > high ? high : value;
}

size_t telar_histogram_size(void) {
  return sizeof(telar_histogram);
}

telar_status telar_histogram_init(void *memory, telar_histogram **out) {
  _Static_assert(((uint64_t)1 << 41) <= TELAR_HISTOGRAM_MAX_NS &&
                     (41 - SUB_BITS) * SUB_COUNT + (TELAR_HISTOGRAM_MAX_NS >> (41 - SUB_BITS)) +
                             1 ==
                         TELAR_HISTOGRAM_BUCKETS,
                 "the last bucket is the one of the longest time");
  if (memory == NULL || out == NULL || (uintptr_t)memory % TELAR_CACHELINE != 0) {
    return TELAR_INVALID;
  }
  telar_histogram *histogram = memory;
  atomic_init(&histogram->sum_bits, to_bits(0));
  atomic_init(&histogram->min, UINT64_MAX);
  atomic_init(&histogram->max, 0);
  atomic_init(&histogram->clamped, 0);
  for (uint32_t i = 0; i < TELAR_HISTOGRAM_BUCKETS; i++) atomic_init(&histogram->buckets[i], 0);
  *out = histogram;
  return TELAR_OK;
}

void telar_histogram_record(telar_histogram *histogram, uint64_t ns) {
  if (ns > TELAR_HISTOGRAM_MAX_NS) {
    ns = TELAR_HISTOGRAM_MAX_NS;
    store(&histogram->clamped, load(&histogram->clamped) + 1);
  }
  _Atomic uint64_t *bucket = &histogram->buckets[bucket_of(ns)];
  store(bucket, load(bucket) + 1);
  store(&histogram->sum_bits, to_bits(to_double(load(&histogram->sum_bits)) + (double)(int64_t)ns));
  if (ns < load(&histogram->min)) store(&histogram->min, ns);
  if (ns > load(&histogram->max)) store(&histogram->max, ns);
}

void telar_histogram_snapshot_clear(telar_histogram_snapshot *snapshot) {
  memset(snapshot, 0, sizeof *snapshot);
  snapshot->min = UINT64_MAX;
}

/*
 * Makes count, min and max agree with the buckets: after a subtraction, because min and max cannot
 * be subtracted, and after a merge, because a record may have been in progress. invariant after:
 * min lies in the lowest bucket in use, max in the highest.
 */
static void reconcile(telar_histogram_snapshot *snapshot) {
  uint32_t lowest = TELAR_HISTOGRAM_BUCKETS, highest = 0;
  uint64_t count = 0;
  for (uint32_t i = 0; i < TELAR_HISTOGRAM_BUCKETS; i++) {
    if (snapshot->buckets[i] == 0) continue;
    if (lowest == TELAR_HISTOGRAM_BUCKETS) lowest = i;
    highest = i;
    count += snapshot->buckets[i];
  }
  snapshot->count = count;
  if (count == 0) {
    snapshot->min = UINT64_MAX;
    snapshot->max = 0;
    snapshot->sum = 0;
    return;
  }
  snapshot->min = bound(snapshot->min, lowest_in(lowest), highest_in(lowest));
  snapshot->max = bound(snapshot->max, lowest_in(highest), highest_in(highest));
}

void telar_histogram_merge(const telar_histogram *histogram, telar_histogram_snapshot *into) {
  for (uint32_t i = 0; i < TELAR_HISTOGRAM_BUCKETS; i++) {
    into->buckets[i] += load(&histogram->buckets[i]);
  }
  into->sum += to_double(load(&histogram->sum_bits));
  into->clamped += load(&histogram->clamped);
  uint64_t min = load(&histogram->min), max = load(&histogram->max);
  if (min < into->min) into->min = min;
  if (max > into->max) into->max = max;
  reconcile(into);
}

void telar_histogram_snapshot_add(telar_histogram_snapshot *into,
                                  const telar_histogram_snapshot *from) {
  for (uint32_t i = 0; i < TELAR_HISTOGRAM_BUCKETS; i++) into->buckets[i] += from->buckets[i];
  into->sum += from->sum;
  into->clamped += from->clamped;
  if (from->min < into->min) into->min = from->min;
  if (from->max > into->max) into->max = from->max;
  reconcile(into);
}

telar_status telar_histogram_snapshot_subtract(telar_histogram_snapshot *snapshot,
                                               const telar_histogram_snapshot *baseline) {
  if (snapshot->clamped < baseline->clamped) return TELAR_INVALID;
  for (uint32_t i = 0; i < TELAR_HISTOGRAM_BUCKETS; i++) {
    if (snapshot->buckets[i] < baseline->buckets[i]) return TELAR_INVALID;
  }
  for (uint32_t i = 0; i < TELAR_HISTOGRAM_BUCKETS; i++) {
    snapshot->buckets[i] -= baseline->buckets[i];
  }
  snapshot->clamped -= baseline->clamped;
  snapshot->sum -= baseline->sum;
  reconcile(snapshot);
  return TELAR_OK;
}

uint64_t telar_histogram_count(const telar_histogram_snapshot *snapshot) {
  return snapshot->count;
}

uint64_t telar_histogram_min(const telar_histogram_snapshot *snapshot) {
  return snapshot->count == 0 ? 0 : snapshot->min;
}

uint64_t telar_histogram_max(const telar_histogram_snapshot *snapshot) {
  return snapshot->max;
}

double telar_histogram_mean(const telar_histogram_snapshot *snapshot) {
  if (snapshot->count == 0) return 0;
  double mean = snapshot->sum / (double)snapshot->count;
  /* A record in progress can be in the sum but not yet in the count. */
  if (mean < (double)snapshot->min) return (double)snapshot->min;
  if (mean > (double)snapshot->max) return (double)snapshot->max;
  return mean;
}

double telar_histogram_stddev(const telar_histogram_snapshot *snapshot) {
  if (snapshot->count == 0) return 0;
  double mean = telar_histogram_mean(snapshot), squares = 0;
  for (uint32_t i = 0; i < TELAR_HISTOGRAM_BUCKETS; i++) {
    if (snapshot->buckets[i] == 0) continue;
    double away = (double)bound(middle_of(i), snapshot->min, snapshot->max) - mean;
    squares += away * away * (double)snapshot->buckets[i];
  }
  return sqrt(squares / (double)snapshot->count);
}

uint64_t telar_histogram_percentile(const telar_histogram_snapshot *snapshot, double percentile) {
  if (snapshot->count == 0) return 0;
  if (!(percentile > 0)) return snapshot->min;
  if (percentile >= 100) return snapshot->max;
  double exact = percentile * (double)snapshot->count / 100;
  /* 99.9 % of 1000 is the 999th value; a rounding error would make it the 1000th. */
  exact -= exact * 1e-12;
  uint64_t rank = (uint64_t)exact;
  if ((double)rank < exact) rank++;
  uint64_t passed = 0;
  for (uint32_t i = 0; i < TELAR_HISTOGRAM_BUCKETS; i++) {
    passed += snapshot->buckets[i];
    if (passed >= rank) return bound(middle_of(i), snapshot->min, snapshot->max);
  }
  return snapshot->max;
}
