/*
 * The C ring against ck_ring and rte_ring, 8-byte elements from thread to thread.
 *
 *   ring [rounds] [milliseconds] [rows]     default 31 rounds, about 10 ms for each measurement;
 *                                           rows: digits from 0, default those whose threads have a
 *                                           CPU each
 *
 * For each row, a round measures every ring once, in rotating order. The ratios within a round are
 * compared; their median is printed with the quartiles. So if other work slows the machine down for
 * a while, it affects a round and not a ring.
 */
#define _GNU_SOURCE
#include "ring_rivals.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"

enum { ROUNDS_MOST = 1001, PAIRS_MOST = 2 };

typedef struct row {
  const char *name;
  bool multi, burst;
  int pairs;
} row;

static const row rows[] = {
    {"single producer, single consumer, one at a time", false, false, 1},
    {"single producer, single consumer, bursts of 32", false, true, 1},
    {"multi producer, multi consumer, 1 + 1 threads, one at a time", true, false, 1},
    {"multi producer, multi consumer, 1 + 1 threads, bursts of 32", true, true, 1},
    {"multi producer, multi consumer, 2 + 2 threads, one at a time", true, false, 2},
    {"multi producer, multi consumer, 2 + 2 threads, bursts of 32", true, true, 2},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

typedef struct run {
  const row *row;
  const bench_rival *rival;
  void *ring;
  uint64_t count; /* of each producer */
  pthread_barrier_t start;
} run;

typedef struct actor {
  run *run;
  int number;
  bool produces;
  uint64_t sum, began, ended;
} actor;

static void pin(int cpu) {
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2) return;
  cpu %= CPU_COUNT(&allowed);
  for (int i = 0; i < CPU_SETSIZE; i++) {
    if (CPU_ISSET(i, &allowed) && cpu-- == 0) {
      CPU_ZERO(&one);
      CPU_SET(i, &one);
      pthread_setaffinity_np(pthread_self(), sizeof one, &one);
      return;
    }
  }
}

static void *act(void *argument) {
  actor *self = argument;
  run *r = self->run;
  /* Producers on the CPUs with even numbers, consumers on the odd ones. */
  pin(self->number * 2 + (self->produces ? 0 : 1));
  bench_port port;
  r->rival->open(&port, r->ring);
  pthread_barrier_wait(&r->start);
  self->began = telar_os_now_ns();
  if (self->produces) {
    r->rival->produce[r->row->multi][r->row->burst](&port, r->count);
  } else {
    self->sum = r->rival->consume[r->row->multi][r->row->burst](&port, r->count);
  }
  self->ended = telar_os_now_ns();
  r->rival->close(&port);
  return NULL;
}

/* Returns nanoseconds for each element. */
static double measure(const row *row, const bench_rival *rival, uint64_t count) {
  run r = {.row = row,
           .rival = rival,
           .ring = rival->make(row->multi),
           .count = count / (uint64_t)row->pairs};
  pthread_t threads[2 * PAIRS_MOST];
  actor actors[2 * PAIRS_MOST];
  int n = 2 * row->pairs;
  pthread_barrier_init(&r.start, NULL, (unsigned)n);
  for (int i = 0; i < n; i++) {
    actors[i] = (actor){.run = &r, .number = i / 2, .produces = i % 2 == 0};
    if (pthread_create(&threads[i], NULL, act, &actors[i]) != 0) abort();
  }
  uint64_t began = UINT64_MAX, ended = 0, sum = 0;
  for (int i = 0; i < n; i++) {
    pthread_join(threads[i], NULL);
    if (actors[i].began < began) began = actors[i].began;
    if (actors[i].ended > ended) ended = actors[i].ended;
    sum += actors[i].sum;
  }
  pthread_barrier_destroy(&r.start);
  rival->drop(r.ring);
  if (sum != r.count * (r.count - 1) / 2 * (uint64_t)row->pairs) {
    fprintf(stderr, "%s, %s: the values received are not the values sent\n", rival->name,
            row->name);
    exit(1);
  }
  return (double)(ended - began) / (double)(r.count * (uint64_t)row->pairs);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* q: 0 to 1. Sorts the values. */
static double quantile(double *values, int n, double q) {
  qsort(values, (size_t)n, sizeof *values, by_value);
  return values[(int)(q * (n - 1) + 0.5)];
}

/* Whether every thread has a CPU. If not, the rivals spin for threads that are not running, for
 * milliseconds at a time. */
static bool fits_machine(const row *row) {
  return 2 * row->pairs <= (int)telar_os_cpus();
}

static void print_machine(void) {
  char line[256], model[256] = "unknown processor\n";
  FILE *info = fopen("/proc/cpuinfo", "r");
  while (info != NULL && fgets(line, sizeof line, info) != NULL) {
    char *colon = strchr(line, ':');
    if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
      snprintf(model, sizeof model, "%s", colon + 2);
      break;
    }
  }
  if (info != NULL) fclose(info);
  printf("%u CPUs, %s", telar_os_cpus(), model);
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 31;
  double milliseconds = argc > 2 ? atof(argv[2]) : 10;
  const char *given = argc > 3 ? argv[3] : NULL;
  if (rounds < 1 || rounds > ROUNDS_MOST || !(milliseconds > 0)) {
    fprintf(stderr, "usage: ring [rounds, 1 to %d] [milliseconds] [rows]\n", ROUNDS_MOST);
    return 2;
  }
  print_machine();
  printf("capacity %d elements of 8 bytes, %d rounds\n\n", BENCH_CAPACITY, rounds);
  bool chosen[ROWS];
  for (int i = 0; i < ROWS; i++) {
    chosen[i] = given == NULL ? fits_machine(&rows[i]) : strchr(given, '0' + i) != NULL;
    if (given == NULL && !chosen[i]) {
      printf("skipped, more threads than CPUs: %s\n  to measure it anyway: ring 9 1 %d\n",
             rows[i].name, i);
    }
  }
  static double times[ROWS][BENCH_RIVALS][ROUNDS_MOST];
  uint64_t counts[ROWS];
  for (int i = 0; i < ROWS; i++) {
    if (!chosen[i]) continue;
    counts[i] = 20000; /* a first measurement, to find how many fill the time */
    double slowest = 0;
    for (int k = 0; k < BENCH_RIVALS; k++) {
      double ns = measure(&rows[i], &bench_rivals[k], counts[i]);
      if (ns > slowest) slowest = ns;
    }
    counts[i] = (uint64_t)(milliseconds * 1e6 / slowest) + 1000;
  }
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < ROWS; i++) {
      if (!chosen[i]) continue;
      for (int k = 0; k < BENCH_RIVALS; k++) {
        int rival = (k + round) % BENCH_RIVALS;
        times[i][rival][round] = measure(&rows[i], &bench_rivals[rival], counts[i]);
      }
    }
  }
  for (int i = 0; i < ROWS; i++) {
    if (!chosen[i]) continue;
    printf("%s\n", rows[i].name);
    double ratios[ROUNDS_MOST];
    for (int k = 0; k < BENCH_RIVALS; k++) {
      for (int round = 0; round < rounds; round++) {
        ratios[round] = times[i][k][round] / times[i][0][round];
      }
      double low = quantile(ratios, rounds, 0.25), high = quantile(ratios, rounds, 0.75);
      double middle = quantile(ratios, rounds, 0.5);
      if (k != 0) {
        printf("  telar is %5.2f x %s (%.2f to %.2f)", middle, bench_rivals[k].name, low, high);
      } else {
        printf("  %-28s", "");
      }
      double copy[ROUNDS_MOST];
      memcpy(copy, times[i][k], sizeof(double) * (size_t)rounds);
      printf("  %s %.1f ns\n", bench_rivals[k].name, quantile(copy, rounds, 0.5));
    }
  }
  return 0;
}
