/*
 * Asks for a cache line before it is written to, so that the stores do not wait for it one after
 * the other. A hint: any address, no effect but on time. C only, internal to the core.
 */
#ifndef TELAR_CORE_PREFETCH_H
#define TELAR_CORE_PREFETCH_H

#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
#include <intrin.h>
#endif

static inline void telar_prefetch_write(const void *address) {
#if defined(_MSC_VER)
#if defined(_M_X64) || defined(_M_IX86)
  _m_prefetchw(address);
#else
  (void)address;
#endif
#elif defined(__x86_64__)
  /* The builtin asks for it only where the compiler is told of a processor that has it. Where it is
   * missing it does nothing. */
  __asm__ __volatile__("prefetchw %0" : : "m"(*(const char *)address));
#else
  __builtin_prefetch(address, 1);
#endif
}

#endif
