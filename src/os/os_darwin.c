/*
 * os.h for macOS.
 */
#include "os.h"

#include <dlfcn.h>
#include <sched.h>
#include <sys/sysctl.h>
#include <sys/types.h>
#include <time.h>

uint64_t telar_os_now_ns(void) {
  /* Stops while the machine sleeps, as CLOCK_MONOTONIC does on Linux. */
  return clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
}

void telar_os_yield(void) {
  (void)sched_yield();
}

unsigned telar_os_cpus(void) {
  /* There are no affinity masks and no quotas here: the number of active CPUs counts. */
  int cpus = 0;
  size_t size = sizeof cpus;
  if (sysctlbyname("hw.activecpu", &cpus, &size, NULL, 0) == 0 && cpus > 0) return (unsigned)cpus;
  return 1;
}

void telar_os_pin_library(const void *inside) {
  Dl_info library;
  /* The handle is kept open on purpose. A failure changes nothing. */
  if (dladdr(inside, &library) != 0) (void)dlopen(library.dli_fname, RTLD_LAZY | RTLD_NODELETE);
}
