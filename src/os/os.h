/*
 * What differs between operating systems, behind one interface. One file for each system implements
 * it: os_linux.c, os_darwin.c, os_windows.c.
 *
 * No function here blocks, allocates or fails in a way that the caller would have to handle. Any
 * thread may call any function at any time. Usable from C++.
 */
#ifndef TELAR_OS_OS_H
#define TELAR_OS_OS_H

#include <stdint.h>

#if defined(_MSC_VER)
#include <intrin.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Time in nanoseconds on a clock that never goes backward and is the same for all threads of the
 * process. The zero point is arbitrary. post: a value read later (in happens-before order) is not
 * smaller.
 */
uint64_t telar_os_now_ns(void);

/*
 * Offers the rest of the time slice to another runnable thread. Returns at once if there is none.
 * Does not promise which thread runs.
 */
void telar_os_yield(void);

/*
 * How many CPUs the calling thread, and so a thread that it starts, can keep busy: the size of its
 * affinity mask, reduced to the CPU quota of the control group or job if one is set. A fractional
 * quota is rounded down, as newer versions of Node do: with one thread more than the quota, all
 * threads would be throttled. post: at least 1. Reads files: call it during setup, not for each
 * task.
 */
unsigned telar_os_cpus(void);

/*
 * Keeps the library that contains the address `inside` loaded until the process ends. Node unloads
 * an addon when the last thread that loaded it has ended, although its callbacks and globals may
 * still be in use. On Linux the linker option ensures this, and the function does nothing.
 */
void telar_os_pin_library(const void *inside);

/*
 * Tells the CPU that it is in a spin loop. This saves power, frees the pipeline for the sibling
 * hardware thread, and avoids a pipeline flush when the awaited cache line changes. Takes from a
 * few to about 140 cycles. No memory ordering.
 */
static inline void telar_os_relax(void) {
#if defined(_MSC_VER)
#if defined(_M_X64) || defined(_M_IX86)
  _mm_pause();
#elif defined(_M_ARM64)
  /* YIELD is a no-op on today's ARM cores; ISB costs about what PAUSE does. */
  __isb(_ARM64_BARRIER_SY);
#else
  _ReadWriteBarrier();
#endif
#elif defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  /* YIELD is a no-op on today's ARM cores; ISB costs about what PAUSE does. */
  __asm__ __volatile__("isb" ::: "memory");
#elif defined(__arm__)
  __asm__ __volatile__("yield" ::: "memory");
#elif defined(__powerpc64__)
  __asm__ __volatile__("or 27,27,27" ::: "memory");
#else
  __asm__ __volatile__("" ::: "memory");
#endif
}

#ifdef __cplusplus
}
#endif

#endif
