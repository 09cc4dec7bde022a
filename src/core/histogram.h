/*
 * histogram: durations in nanoseconds, counted in log-linear buckets.
 *
 * FOR     the run and wait times of tasks: one histogram for each thread that records, merged
 *         by whichever thread reads.
 *
 * USE     telar_histogram *run;                       // one for each worker
 *         telar_histogram_init(memory, &run);
 *         telar_histogram_record(run, end - start);   // the worker
 *
 *         telar_histogram_snapshot now;               // the reader; about 18 KB
 *         telar_histogram_snapshot_clear(&now);
 *         telar_histogram_merge(run, &now);           // and the histogram of each other worker
 *         telar_histogram_snapshot_subtract(&now, &baseline);
 *         telar_histogram_percentile(&now, 99.9);
 *
 * THREADS record: one thread at a time for each histogram. merge: any thread, at any time,
 *         also while the writer records. A snapshot is plain data and belongs to the thread
 *         that made it; the calls on snapshots have no synchronization.
 *
 * PROGRESS All calls are wait-free. record uses no read-modify-write and no division, and
 *         takes 3 to 4 ns.
 *
 * BUCKETS HdrHistogram's layout (Gil Tene). Each value below 64 has its own bucket; above that,
 *         each power of two is divided into 64 equal buckets. A bucket is at most 1/64 of its
 *         values wide and is reported as its middle, so a percentile is off by at most 0.8 %.
 *         The range is 0 ns to 1 hour. A longer duration counts as one hour, and also counts
 *         as clamped. Counters have 64 bits: 32 bits would wrap in half an hour at full speed.
 *
 * RESET   There is no reset that the writer would have to notice. Counters only grow. A reader
 *         that wants to start from zero keeps the snapshot of that moment as its baseline and
 *         subtracts it from each later snapshot. So a reset writes nothing that the writer
 *         writes, costs the writer nothing and cannot tear, and each reader can have its own.
 *         - A counter that a thread reads is never smaller than when it read it before
 *           (coherence of a single atomic). So a difference is never negative, whatever the
 *           writer does in the meantime.
 *         - min and max cannot be subtracted. In a difference they are the bounds of the
 *           lowest and highest bucket in use, tightened by the min and max of the histogram's
 *           whole life. They are exact if those were recorded after the baseline, else within
 *           1/64.
 *         - Before a histogram goes away (its worker has ended), merge it into a snapshot that
 *           outlives it, and add that one to each later snapshot
 *           (telar_histogram_snapshot_add). Otherwise the baseline would be too large.
 *
 * Usable from C++.
 */
#ifndef TELAR_CORE_HISTOGRAM_H
#define TELAR_CORE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The longest duration that is measured, in nanoseconds: one hour. */
#define TELAR_HISTOGRAM_MAX_NS UINT64_C(3600000000000)
/* 64 for the values below 64, then 64 for each power of two, up to one hour. */
#define TELAR_HISTOGRAM_BUCKETS 2345

typedef struct telar_histogram telar_histogram;

typedef struct telar_histogram_snapshot {
  uint64_t count;   /* durations recorded: the sum of the buckets */
  uint64_t clamped; /* how many of them exceeded the range */
  uint64_t min;     /* in nanoseconds; UINT64_MAX while count is 0 */
  uint64_t max;     /* in nanoseconds; 0 while count is 0 */
  double sum; /* in nanoseconds; a double, because 64 bits would wrap in five hours of a million
                 tasks a second that each wait a second */
  uint64_t buckets[TELAR_HISTOGRAM_BUCKETS];
} telar_histogram_snapshot;

/* Bytes to allocate for init; a multiple of TELAR_CACHELINE. */
size_t telar_histogram_size(void);

/* Makes an empty histogram. Call it before the histogram is shared. INVALID: memory or out is NULL,
 * or memory is not aligned to TELAR_CACHELINE. */
telar_status telar_histogram_init(void *memory, telar_histogram **out);

/* Counts one duration, in nanoseconds. Only the histogram's writer may call it. */
void telar_histogram_record(telar_histogram *histogram, uint64_t ns);

/* Makes an empty snapshot. */
void telar_histogram_snapshot_clear(telar_histogram_snapshot *snapshot);

/* Adds what the histogram holds now to a snapshot. A record that happened before the call is
 * included; a concurrent record may be in some fields and not yet in others. Any thread. */
void telar_histogram_merge(const telar_histogram *histogram, telar_histogram_snapshot *into);

/* Adds another snapshot to a snapshot. */
void telar_histogram_snapshot_add(telar_histogram_snapshot *into,
                                  const telar_histogram_snapshot *from);

/* Subtracts an earlier snapshot of the same histograms: what is left was recorded since. INVALID,
 * and nothing changes: baseline is not an earlier snapshot. */
telar_status telar_histogram_snapshot_subtract(telar_histogram_snapshot *snapshot,
                                               const telar_histogram_snapshot *baseline);

/* All of these return 0 for an empty snapshot. Durations are in nanoseconds. */
uint64_t telar_histogram_count(const telar_histogram_snapshot *snapshot);
uint64_t telar_histogram_min(const telar_histogram_snapshot *snapshot);
uint64_t telar_histogram_max(const telar_histogram_snapshot *snapshot);
double telar_histogram_mean(const telar_histogram_snapshot *snapshot);
/* Of the population, calculated from the middles of the buckets. */
double telar_histogram_stddev(const telar_histogram_snapshot *snapshot);
/* The duration that percentile % of all durations do not exceed (nearest rank). 0 or less, or NaN,
 * gives min; 100 or more gives max. */
uint64_t telar_histogram_percentile(const telar_histogram_snapshot *snapshot, double percentile);

#ifdef __cplusplus
}
#endif

#endif
