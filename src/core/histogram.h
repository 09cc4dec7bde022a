/*
 * histogram: where times go, counted in log-linear buckets.
 *
 * FOR     run, wait and queue times of tasks: one histogram per writer thread,
 *         merged when somebody reads.
 *
 * USE     telar_histogram *run;                       // one per worker
 *         telar_histogram_init(memory, &run);
 *         telar_histogram_record(run, end - start);   // the worker
 *
 *         telar_histogram_snapshot now;               // the reader; ~18 KB
 *         telar_histogram_snapshot_clear(&now);
 *         telar_histogram_merge(run, &now);           // and each other worker's
 *         telar_histogram_snapshot_subtract(&now, &baseline);
 *         telar_histogram_percentile(&now, 99.9);
 *
 * THREADS record: one thread at a time for each histogram. merge: any thread, at
 *         any time, also while the writer records. A snapshot is plain data and
 *         belongs to whoever made it. All calls are wait-free; record does no
 *         read-modify-write and no division, and takes 3 to 4 ns.
 *
 * BUCKETS HdrHistogram's layout (Gil Tene): values below 64 have a bucket each;
 *         from there every power of two is cut into 64 equal parts. A bucket is
 *         at most 1/64 of its values wide and is reported by its middle, so a
 *         percentile is off by at most 0.8 %. The range is 0 ns to 1 hour;
 *         a longer time is counted as one hour, and counted as clamped.
 *         Buckets are 64 bits wide: 32 would wrap in half an hour at full speed.
 *
 * RESET   There is none that the writer would have to notice. Counters only ever
 *         grow; a reader that wants to start anew keeps the snapshot of that
 *         moment as its baseline and subtracts it from each later one. So a
 *         reset touches nothing that the writer writes, costs the writer
 *         nothing, cannot tear, and several readers may each have their own.
 *         - A counter that one thread reads later is never smaller than one it
 *           read earlier (coherence of a single atomic), so a difference is
 *           never negative, whatever the writer does meanwhile.
 *         - min and max cannot be subtracted. In a difference they are the ends
 *           of the lowest and highest bucket in use, tightened by the lifetime's
 *           min and max: exact when those lie in the window, else within 1/64.
 *         - A histogram that goes away (its worker ended) is first merged into a
 *           snapshot that outlives it, with which every later one begins
 *           (telar_histogram_snapshot_add). Else the baseline is too large.
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

/* The longest time that is told apart: one hour. */
#define TELAR_HISTOGRAM_MAX_NS UINT64_C(3600000000000)
/* 64 for the values below 64, 64 for each power of two above, up to one hour. */
#define TELAR_HISTOGRAM_BUCKETS 2345

typedef struct telar_histogram telar_histogram;

typedef struct telar_histogram_snapshot {
  uint64_t count;   /* how many times were recorded: the sum of the buckets */
  uint64_t clamped; /* how many of them were longer than the range */
  uint64_t min;     /* UINT64_MAX while count is 0 */
  uint64_t max;     /* 0 while count is 0 */
  double sum; /* a double: of a million tasks a second that each wait a second, 64 bits wrap in five
                 hours */
  uint64_t buckets[TELAR_HISTOGRAM_BUCKETS];
} telar_histogram_snapshot;

/* Bytes to give to init; a multiple of TELAR_CACHELINE. */
size_t telar_histogram_size(void);

/* Makes an empty histogram. INVALID: memory is NULL or not aligned to TELAR_CACHELINE. */
telar_status telar_histogram_init(void *memory, telar_histogram **out);

/* Counts one time. The histogram's writer only. */
void telar_histogram_record(telar_histogram *histogram, uint64_t ns);

/* Makes an empty snapshot. */
void telar_histogram_snapshot_clear(telar_histogram_snapshot *snapshot);

/* Adds what the histogram holds now. What was recorded before (happens-before) is
 * in; a record that is under way may be in one field and not yet in another. */
void telar_histogram_merge(const telar_histogram *histogram, telar_histogram_snapshot *into);

/* Adds another snapshot. */
void telar_histogram_snapshot_add(telar_histogram_snapshot *into,
                                  const telar_histogram_snapshot *from);

/* Takes an earlier snapshot of the same histograms away: what is left was recorded
 * since. INVALID, and nothing changed: baseline is not an earlier one. */
telar_status telar_histogram_snapshot_subtract(telar_histogram_snapshot *snapshot,
                                               const telar_histogram_snapshot *baseline);

/* All of these are 0 for an empty snapshot. */
uint64_t telar_histogram_count(const telar_histogram_snapshot *snapshot);
uint64_t telar_histogram_min(const telar_histogram_snapshot *snapshot);
uint64_t telar_histogram_max(const telar_histogram_snapshot *snapshot);
double telar_histogram_mean(const telar_histogram_snapshot *snapshot);
/* Of the population, from the middles of the buckets. */
double telar_histogram_stddev(const telar_histogram_snapshot *snapshot);
/* The time that percentile % of all times do not exceed (nearest rank). 0 and less,
 * or NaN, is min; 100 and more is max. */
uint64_t telar_histogram_percentile(const telar_histogram_snapshot *snapshot, double percentile);

#ifdef __cplusplus
}
#endif

#endif
