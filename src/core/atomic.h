/*
 * The only file that includes <stdatomic.h>.
 *
 * Every other file of the core includes this header instead, so that compilers with special needs
 * (MSVC requires /std:c11 /experimental:c11atomics) are handled in one place.
 *
 * There are no wrappers. The core uses the _explicit forms of C11, so each access names its memory
 * order where it happens.
 *
 * C only: C++17 has no _Atomic. Headers that the binding includes (status.h, os.h, slab.h,
 * histogram.h) keep their atomics in the .c file.
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
 * A sequentially consistent fence directly after an atomic read-modify-write of any order. On x86
 * the read-modify-write is already a full fence, so only the compiler has to be stopped.
 */
static inline void telar_fence_after_rmw(void) {
#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86)
  atomic_signal_fence(memory_order_seq_cst);
#else
  atomic_thread_fence(memory_order_seq_cst);
#endif
}

/* A thread can be terminated at any time. If an atomic used a hidden lock, a terminated thread
 * could leave that lock held. So the core requires that the hardware implements these atomics. */
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "telar needs lock-free 32-bit atomics");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "telar needs lock-free 64-bit atomics");

#endif
