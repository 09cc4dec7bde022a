/*
 * What differs from one operating system to the next, behind one contract.
 * One file per system implements it: os_linux.c, os_darwin.c, os_windows.c.
 *
 * Nothing here blocks, allocates or can fail in a way that the caller would
 * have to handle. Every function may be called by any thread at any time.
 * Usable from C++.
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
 * Nanoseconds on a clock that never goes backwards and is the same for every
 * thread of the process. The zero point is arbitrary.
 * post: a value taken later (in the happens-before order) is not smaller.
 */
uint64_t telar_os_now_ns(void);

/*
 * Offers the rest of the time slice to another runnable thread. Returns at
 * once if there is none. Keeps no promise about which thread runs.
 */
void telar_os_yield(void);

/*
 * How many CPUs the calling thread, and so a thread that it starts, can keep
 * busy: the affinity mask, cut down to the CPU quota of the control group or
 * job where one is set. A quota that is not whole is rounded down, as newer
 * versions of Node do: a thread more than the quota only gets all of them
 * throttled.
 * post: at least 1. Reads files: call it at set-up, not per task.
 */
unsigned telar_os_cpus(void);

/*
 * Keeps the library that `inside` points into loaded until the process ends.
 * Node unloads an addon when the last thread that loaded it is gone, although
 * its callbacks and globals may still be in use. Where the linker sees to it
 * (Linux), nothing is left to do.
 */
void telar_os_pin_library(const void *inside);

/*
 * Tells the core that this is a turn of a spin loop: saves power, frees the
 * pipeline for the sibling hardware thread and avoids the flush when the
 * awaited line changes. A few to some 140 cycles. No memory ordering.
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
