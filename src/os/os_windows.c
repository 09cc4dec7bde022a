/*
 * os.h for Windows.
 */
#define WIN32_LEAN_AND_MEAN
/* Windows 10: job objects with CPU rates, and threads that span processor groups. */
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#include <windows.h>

#include "os.h"

uint64_t telar_os_now_ns(void) {
  /* Neither call can fail since Windows XP, and the frequency is fixed at boot. It is read on every
   * call, because that costs a load from a shared page, and a static variable would need
   * synchronization. */
  LARGE_INTEGER frequency, now;
  QueryPerformanceFrequency(&frequency);
  QueryPerformanceCounter(&now);
  uint64_t per_second = (uint64_t)frequency.QuadPart, ticks = (uint64_t)now.QuadPart;
  /* In two steps: ticks * 10^9 would overflow after half an hour at 10 MHz. */
  return ticks / per_second * 1000000000u + ticks % per_second * 1000000000u / per_second;
}

void telar_os_yield(void) {
  SwitchToThread();
}

static unsigned affinity_cpus(void) {
  DWORD all = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
  if (all == 0) all = 1;
  DWORD_PTR process = 0, machine = 0;
  /* Both masks are 0 for a process whose threads are in several processor groups: then its affinity
   * is not restricted. */
  if (!GetProcessAffinityMask(GetCurrentProcess(), &process, &machine) || process == 0) return all;
  /* A mask with all CPUs restricts nothing either: threads may run in other groups. */
  if (process == machine) return all;
  unsigned count = 0;
  for (; process != 0; process &= process - 1) count++;
  return count;
}

/* The job's hard cap, in 1/10000 of all CPUs, rounded down to whole CPUs. */
static void apply_job_rate(unsigned *cpus) {
  JOBOBJECT_CPU_RATE_CONTROL_INFORMATION rate;
  ZeroMemory(&rate, sizeof rate);
  if (!QueryInformationJobObject(NULL, JobObjectCpuRateControlInformation, &rate, sizeof rate,
                                 NULL)) {
    return;
  }
  if (!(rate.ControlFlags & JOB_OBJECT_CPU_RATE_CONTROL_ENABLE)) return;
  uint64_t share = 0;
  if (rate.ControlFlags & JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP) share = rate.CpuRate;
#if defined(JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE) /* MinGW's headers lack it */
  if (rate.ControlFlags & JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE) share = rate.MaxRate;
#endif
  if (share == 0) return;
  uint64_t machine = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
  uint64_t whole = machine * share / 10000;
  if (whole == 0) whole = 1;
  if (whole < *cpus) *cpus = (unsigned)whole;
}

unsigned telar_os_cpus(void) {
  unsigned cpus = affinity_cpus();
  apply_job_rate(&cpus);
  return cpus;
}

void telar_os_pin_library(const void *inside) {
  HMODULE library;
  /* A failure changes nothing. */
  (void)GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                           (LPCWSTR)inside, &library);
}
