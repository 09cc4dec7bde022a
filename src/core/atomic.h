/*
 * The one place that includes <stdatomic.h>.
 *
 * Every other file of the core includes this header instead, so that a
 * compiler with special needs (MSVC wants /std:c11 /experimental:c11atomics)
 * is dealt with here and nowhere else.
 *
 * There are no wrappers: the core uses the _explicit forms of C11, so that the
 * order of each access stands where the access stands.
 *
 * C only. C++17 has no _Atomic; headers that the binding includes (status.h,
 * os.h, slab.h, histogram.h) keep their atomics in the .c file.
 */
#ifndef TELAR_CORE_ATOMIC_H
#define TELAR_CORE_ATOMIC_H

#ifdef __cplusplus
#error "telar: core/atomic.h is C11 only; include a public header of the core instead"
#endif

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A sequentially consistent fence right after an atomic read-modify-write, of
 * any order. On x86 that instruction is the fence already.
 */
static inline void telar_fence_after_rmw(void) {
#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86)
  atomic_signal_fence(memory_order_seq_cst);
#else
  atomic_thread_fence(memory_order_seq_cst);
#endif
}

/* An atomic that hides a lock would be shared between a thread that is being
 * torn down and the rest: the core relies on the hardware doing it alone. */
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "telar needs lock-free 32-bit atomics");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "telar needs lock-free 64-bit atomics");

#endif
