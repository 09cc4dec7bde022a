/* os.h: the contracts of the clock, of yield and relax, and of the CPU count. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_setaffinity */
#endif
#include "check.h"

#include <sched.h>

static void clock_goes_forward(void) {
  uint64_t last = telar_os_now_ns(), first = last;
  for (int i = 0; i < 100000; i++) {
    uint64_t now = telar_os_now_ns();
    CHECK(now >= last);
    last = now;
  }
  CHECK(last > first);
}

/* The unit is nanoseconds, not ticks: 20 ms of sleep take at least that. */
static void clock_counts_nanoseconds(void) {
  struct timespec pause = {0, 20000000}, before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  uint64_t first = telar_os_now_ns();
  nanosleep(&pause, NULL);
  uint64_t elapsed = telar_os_now_ns() - first;
  clock_gettime(CLOCK_MONOTONIC, &after);
  uint64_t around = (uint64_t)(after.tv_sec - before.tv_sec) * 1000000000u +
                    (uint64_t)after.tv_nsec - (uint64_t)before.tv_nsec;
  CHECK(elapsed >= 20000000u);
  CHECK(elapsed <= around);
}

static void *read_clock(void *argument) {
  uint64_t *out = argument;
  *out = telar_os_now_ns();
  return NULL;
}

static void clock_is_one_for_all_threads(void) {
  for (int i = 0; i < 50; i++) {
    uint64_t before = telar_os_now_ns(), there = 0;
    check_join(check_thread(read_clock, &there));
    CHECK(before <= there && there <= telar_os_now_ns());
  }
}

static void yield_and_relax_return(void) {
  for (int i = 0; i < 1000; i++) {
    telar_os_relax();
    telar_os_yield();
  }
}

static unsigned configured_cpus(void) {
#ifdef _WIN32
  return GetMaximumProcessorCount(ALL_PROCESSOR_GROUPS);
#else
  return (unsigned)sysconf(_SC_NPROCESSORS_CONF);
#endif
}

static void counts_cpus(void) {
  unsigned cpus = telar_os_cpus();
  CHECK(cpus >= 1);
  CHECK(cpus <= configured_cpus());
  CHECK_EQUAL(telar_os_cpus(), cpus);
#if defined(__linux__)
  cpu_set_t all, one;
  CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
  CHECK(cpus <= (unsigned)CPU_COUNT(&all));
  size_t first = 0;
  while (!CPU_ISSET(first, &all)) first++;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK_EQUAL(telar_os_cpus(), 1);
  CHECK(sched_setaffinity(0, sizeof all, &all) == 0);
  CHECK_EQUAL(telar_os_cpus(), cpus);
#endif
}

int main(void) {
  check_deadline(60);
  clock_goes_forward();
  clock_counts_nanoseconds();
  clock_is_one_for_all_threads();
  yield_and_relax_return();
  counts_cpus();
  return 0;
}
