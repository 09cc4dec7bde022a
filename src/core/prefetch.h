/*
 * Prefetches a cache line for writing, so that several stores do not wait for their lines one after
 * another. It is a hint: any address is allowed, and only timing changes. C only, internal to the
 * core.
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
  /* The builtin emits prefetchw only if the compiler is told that the target has it. On a processor
   * without it, the instruction does nothing. */
  __asm__ __volatile__("prefetchw %0" : : "m"(*(const char *)address));
#else
  __builtin_prefetch(address, 1);
#endif
}

#endif
