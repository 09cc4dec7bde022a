/*
 * os.h for Linux.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity */
#endif

#include "os.h"
#include "os_linux_cpus.h"

#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { AFFINITY_CPUS_MAX = 65536 };

uint64_t telar_os_now_ns(void) {
  struct timespec now;
  /* Cannot fail: the clock exists on every kernel, and the pointer is valid. */
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void telar_os_yield(void) {
  (void)sched_yield();
}

/* The mask of the calling thread, because its new threads inherit that mask. */
static unsigned affinity_cpus(void) {
  /* Larger than glibc's cpu_set_t: on a machine with more CPUs than the mask holds, the call
   * fails. */
  unsigned long mask[AFFINITY_CPUS_MAX / (8 * sizeof(unsigned long))];
  memset(mask, 0, sizeof mask);
  if (sched_getaffinity(0, sizeof mask, (cpu_set_t *)(void *)mask) == 0) {
    unsigned count = 0;
    for (size_t i = 0; i < sizeof mask / sizeof mask[0]; i++) {
      count += (unsigned)__builtin_popcountl(mask[i]);
    }
    if (count > 0) return count;
  }
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (unsigned)online : 1;
}

unsigned telar_os_cpus(void) {
  return telar_os_linux_cpus_below_quota("", affinity_cpus());
}

/* Nothing to do: the library is linked with -z nodelete. */
void telar_os_pin_library(const void *inside) {
  (void)inside;
}
