/* histogram: precision over the whole range, snapshots, resets during writes. */
#include "check.h"

#include <math.h>

#include "core/atomic.h"
#include "core/histogram.h"

static telar_histogram *make(void) {
  telar_histogram *histogram = NULL;
  CHECK_STATUS(telar_histogram_init(check_memory(telar_histogram_size()), &histogram), TELAR_OK);
  return histogram;
}

static telar_histogram_snapshot *snapshot_of(const telar_histogram *histogram) {
  telar_histogram_snapshot *snapshot = malloc(sizeof *snapshot);
  CHECK(snapshot != NULL);
  memset(snapshot, 0xa5, sizeof *snapshot);
  telar_histogram_snapshot_clear(snapshot);
  if (histogram != NULL) telar_histogram_merge(histogram, snapshot);
  return snapshot;
}

static bool is_near(double actual, double expected, double relative) {
  return fabs(actual - expected) <= fabs(expected) * relative + 1e-9;
}

/* Half of a bucket of 1/64, plus the rounding of its middle. */
static const double PRECISION = 1.0 / 128 + 1e-6;

static void refuses_bad_memory(void) {
  telar_histogram *histogram = NULL;
  char *memory = check_memory(telar_histogram_size() + TELAR_CACHELINE);
  CHECK_STATUS(telar_histogram_init(NULL, &histogram), TELAR_INVALID);
  CHECK_STATUS(telar_histogram_init(memory, NULL), TELAR_INVALID);
  CHECK_STATUS(telar_histogram_init(memory + 64, &histogram), TELAR_INVALID);
  CHECK(histogram == NULL);
  CHECK(telar_histogram_size() <= 20000);
  check_free(memory);
}

static void is_all_zero_when_empty(void) {
  telar_histogram *histogram = make();
  telar_histogram_snapshot *snapshot = snapshot_of(histogram);
  CHECK_EQUAL(telar_histogram_count(snapshot), 0);
  CHECK_EQUAL(telar_histogram_min(snapshot), 0);
  CHECK_EQUAL(telar_histogram_max(snapshot), 0);
  CHECK(telar_histogram_mean(snapshot) == 0 && telar_histogram_stddev(snapshot) == 0);
  CHECK_EQUAL(telar_histogram_percentile(snapshot, 50), 0);
  free(snapshot);
  check_free(histogram);
}

/* The value is the middle one of three, so neither min nor max reveals it. */
static void keeps(uint64_t value) {
  telar_histogram *histogram = make();
  telar_histogram_record(histogram, 0);
  telar_histogram_record(histogram, value);
  telar_histogram_record(histogram, TELAR_HISTOGRAM_MAX_NS);
  telar_histogram_snapshot *snapshot = snapshot_of(histogram);
  uint64_t seen = telar_histogram_percentile(snapshot, 50);
  if (value < 128) {
    CHECK_EQUAL(seen, value);
  } else {
    CHECK(is_near((double)seen, (double)value, PRECISION));
  }
  CHECK_EQUAL(telar_histogram_min(snapshot), 0);
  CHECK_EQUAL(telar_histogram_max(snapshot), TELAR_HISTOGRAM_MAX_NS);
  CHECK_EQUAL(snapshot->clamped, 0);
  free(snapshot);
  check_free(histogram);
}

static void keeps_every_magnitude(check_random *random) {
  for (unsigned bit = 0; bit < 42; bit++) {
    uint64_t power = UINT64_C(1) << bit;
    uint64_t values[] = {power - 1, power, power + 1, power + check_random_next(random) % power};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
      if (values[i] <= TELAR_HISTOGRAM_MAX_NS) keeps(values[i]);
    }
  }
}

static void clamps_and_counts_what_is_too_long(void) {
  telar_histogram *histogram = make();
  telar_histogram_record(histogram, 5);
  telar_histogram_record(histogram, TELAR_HISTOGRAM_MAX_NS);
  telar_histogram_record(histogram, TELAR_HISTOGRAM_MAX_NS + 1);
  telar_histogram_record(histogram, UINT64_MAX);
  telar_histogram_snapshot *snapshot = snapshot_of(histogram);
  CHECK_EQUAL(telar_histogram_count(snapshot), 4);
  CHECK_EQUAL(snapshot->clamped, 2);
  CHECK_EQUAL(telar_histogram_max(snapshot), TELAR_HISTOGRAM_MAX_NS);
  CHECK(is_near(telar_histogram_mean(snapshot), (5 + 3.0 * (double)TELAR_HISTOGRAM_MAX_NS) / 4,
                1e-9));
  free(snapshot);
  check_free(histogram);
}

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static void agrees_with_the_sorted_list(check_random *random) {
  enum { COUNT = 20000 };
  static uint64_t values[COUNT];
  telar_histogram *histogram = make();
  double sum = 0, squares = 0;
  for (int i = 0; i < COUNT; i++) {
    /* Log-uniform from 100 ns to about 1.6 s. */
    values[i] = 100 + (check_random_next(random) >> (33 + check_random_below(random, 24)));
    telar_histogram_record(histogram, values[i]);
    sum += (double)values[i];
  }
  double mean = sum / COUNT;
  for (int i = 0; i < COUNT; i++) {
    squares += ((double)values[i] - mean) * ((double)values[i] - mean);
  }
  qsort(values, COUNT, sizeof values[0], by_value);
  telar_histogram_snapshot *snapshot = snapshot_of(histogram);
  CHECK_EQUAL(telar_histogram_count(snapshot), COUNT);
  CHECK_EQUAL(telar_histogram_min(snapshot), values[0]);
  CHECK_EQUAL(telar_histogram_max(snapshot), values[COUNT - 1]);
  CHECK(is_near(telar_histogram_mean(snapshot), mean, 1e-9));
  CHECK(is_near(telar_histogram_stddev(snapshot), sqrt(squares / COUNT), 0.01));
  static const double percentiles[] = {0.001, 0.01, 1,    2.5, 10,   25,    50,
                                       75,    90,   97.5, 99,  99.9, 99.99, 99.999};
  uint64_t last = 0;
  for (size_t i = 0; i < sizeof percentiles / sizeof percentiles[0]; i++) {
    uint64_t seen = telar_histogram_percentile(snapshot, percentiles[i]);
    size_t rank = (size_t)ceil(percentiles[i] * COUNT / 100 - 1e-9);
    CHECK(is_near((double)seen, (double)values[rank - 1], PRECISION));
    CHECK(seen >= last);
    last = seen;
  }
  CHECK_EQUAL(telar_histogram_percentile(snapshot, 0), values[0]);
  CHECK_EQUAL(telar_histogram_percentile(snapshot, -3), values[0]);
  CHECK_EQUAL(telar_histogram_percentile(snapshot, (double)NAN), values[0]);
  CHECK_EQUAL(telar_histogram_percentile(snapshot, 100), values[COUNT - 1]);
  CHECK_EQUAL(telar_histogram_percentile(snapshot, 1e9), values[COUNT - 1]);
  free(snapshot);
  check_free(histogram);
}

static void finds_the_exact_rank(void) {
  telar_histogram *histogram = make();
  for (int i = 0; i < 999; i++) telar_histogram_record(histogram, 10);
  telar_histogram_record(histogram, 50);
  telar_histogram_snapshot *snapshot = snapshot_of(histogram);
  CHECK_EQUAL(telar_histogram_percentile(snapshot, 99.9), 10);
  CHECK_EQUAL(telar_histogram_percentile(snapshot, 99.90001), 50);
  free(snapshot);
  check_free(histogram);
}

static void merges_several_writers_and_those_that_are_gone(void) {
  telar_histogram *one = make(), *two = make();
  telar_histogram_record(one, 10);
  telar_histogram_record(two, 30);
  telar_histogram_record(two, 50);
  telar_histogram_snapshot *both = snapshot_of(one);
  telar_histogram_merge(two, both);
  CHECK_EQUAL(telar_histogram_count(both), 3);
  CHECK_EQUAL(telar_histogram_min(both), 10);
  CHECK_EQUAL(telar_histogram_max(both), 50);
  CHECK(telar_histogram_mean(both) == 30);
  CHECK_EQUAL(telar_histogram_percentile(both, 50), 30);

  telar_histogram_snapshot *gone = snapshot_of(one), *all = snapshot_of(two);
  check_free(one);
  telar_histogram_snapshot_add(all, gone);
  CHECK(memcmp(all, both, sizeof *all) == 0);
  telar_histogram_snapshot *empty = snapshot_of(NULL);
  telar_histogram_snapshot_add(all, empty);
  CHECK(memcmp(all, both, sizeof *all) == 0);
  check_free(two);
  free(both);
  free(gone);
  free(all);
  free(empty);
}

static void resets_by_subtraction(void) {
  telar_histogram *histogram = make();
  telar_histogram_record(histogram, 7);
  telar_histogram_record(histogram, 1000000);
  telar_histogram_record(histogram, UINT64_MAX);
  telar_histogram_snapshot *baseline = snapshot_of(histogram), *now = snapshot_of(histogram);
  CHECK_STATUS(telar_histogram_snapshot_subtract(now, baseline), TELAR_OK);
  telar_histogram_snapshot *empty = snapshot_of(NULL);
  CHECK(memcmp(now, empty, sizeof *now) == 0);
  free(now);

  telar_histogram_record(histogram, 20000);
  telar_histogram_record(histogram, 30000);
  now = snapshot_of(histogram);
  CHECK_STATUS(telar_histogram_snapshot_subtract(now, baseline), TELAR_OK);
  CHECK_EQUAL(telar_histogram_count(now), 2);
  CHECK_EQUAL(now->clamped, 0);
  CHECK(is_near((double)telar_histogram_min(now), 20000, 1.0 / 64));
  CHECK(is_near((double)telar_histogram_max(now), 30000, 1.0 / 64));
  CHECK(is_near(telar_histogram_mean(now), 25000, 0.01));

  /* In the other direction it is not a baseline: nothing changes. */
  telar_histogram_snapshot *before = malloc(sizeof *before);
  telar_histogram_snapshot *later = snapshot_of(histogram);
  CHECK(before != NULL);
  *before = *baseline;
  CHECK_STATUS(telar_histogram_snapshot_subtract(baseline, later), TELAR_INVALID);
  CHECK(memcmp(before, baseline, sizeof *before) == 0);
  free(before);
  free(later);
  free(now);
  free(empty);
  free(baseline);
  check_free(histogram);
}

/* A new maximum or minimum after the reset is known exactly. */
static void knows_new_extremes_exactly(void) {
  telar_histogram *histogram = make();
  telar_histogram_record(histogram, 5000);
  telar_histogram_snapshot *baseline = snapshot_of(histogram);
  telar_histogram_record(histogram, 1234567);
  telar_histogram_record(histogram, 321);
  telar_histogram_snapshot *now = snapshot_of(histogram);
  CHECK_STATUS(telar_histogram_snapshot_subtract(now, baseline), TELAR_OK);
  CHECK_EQUAL(telar_histogram_min(now), 321);
  CHECK_EQUAL(telar_histogram_max(now), 1234567);
  free(now);
  free(baseline);
  check_free(histogram);
}

typedef struct writer {
  telar_histogram *histogram;
  uint32_t turns;
  _Atomic bool is_done;
} writer;

static uint64_t time_of(uint32_t turn) {
  return 1000 + (uint64_t)turn % 5000 * 37;
}

static void *record_all(void *argument) {
  writer *self = argument;
  for (uint32_t turn = 0; turn < self->turns; turn++) {
    telar_histogram_record(self->histogram, time_of(turn));
    if (turn % 4096 == 0) telar_os_yield();
  }
  atomic_store(&self->is_done, true);
  return NULL;
}

/* A reader resets repeatedly while the writer records: the sum of its windows is the total. */
static void loses_nothing_between_resets(uint32_t turns) {
  writer self = {.histogram = make(), .turns = turns};
  pthread_t thread = check_thread(record_all, &self);
  telar_histogram_snapshot *sum = snapshot_of(NULL), *baseline = snapshot_of(NULL);
  for (bool is_last = false; !is_last;) {
    is_last = atomic_load(&self.is_done);
    telar_histogram_snapshot *now = snapshot_of(self.histogram);
    telar_histogram_snapshot *window = malloc(sizeof *window);
    CHECK(window != NULL);
    *window = *now;
    CHECK_STATUS(telar_histogram_snapshot_subtract(window, baseline), TELAR_OK);
    if (telar_histogram_count(window) > 0) {
      CHECK(telar_histogram_min(window) >= 1000 && telar_histogram_max(window) <= time_of(4999));
      CHECK(telar_histogram_mean(window) >= (double)telar_histogram_min(window));
      CHECK(telar_histogram_mean(window) <= (double)telar_histogram_max(window));
    }
    telar_histogram_snapshot_add(sum, window);
    free(window);
    free(baseline);
    baseline = now;
  }
  check_join(thread);
  CHECK_EQUAL(telar_histogram_count(sum), turns);
  telar_histogram_snapshot *all = snapshot_of(self.histogram);
  CHECK(memcmp(all->buckets, sum->buckets, sizeof all->buckets) == 0);
  double exact = 0;
  for (uint32_t turn = 0; turn < turns; turn++) exact += (double)time_of(turn);
  CHECK(is_near(telar_histogram_mean(all), exact / turns, 1e-9));
  free(all);
  free(sum);
  free(baseline);
  check_free(self.histogram);
}

int main(void) {
  uint64_t seed = check_seed();
  check_random random = check_random_from(seed, 0);
  check_deadline(60);
  refuses_bad_memory();
  is_all_zero_when_empty();
  keeps_every_magnitude(&random);
  clamps_and_counts_what_is_too_long();
  agrees_with_the_sorted_list(&random);
  finds_the_exact_rank();
  merges_several_writers_and_those_that_are_gone();
  resets_by_subtraction();
  knows_new_extremes_exactly();
  loses_nothing_between_resets(CHECK_TURNS(2000000));
  return 0;
}
