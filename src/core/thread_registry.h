/*
 * thread_registry: tells by number which threads of the process are alive.
 *
 * FOR     shared state that names a thread: the owner of a lock, the end of a channel. A
 *         terminated thread runs no more code. So other threads have to find out, by its
 *         number, that they may take over what it held.
 *
 * USE     telar_thread_registry *registry;
 *         telar_thread_registry_init(aligned(telar_thread_registry_size(1024)), 1024, &registry);
 *         uint32_t number;
 *         telar_thread_registry_enter(registry, &number);    // when a thread starts
 *         telar_thread_registry_check(registry, number);     // TELAR_OK: it is alive
 *         telar_thread_registry_leave(registry, number);     // when it ends
 *         telar_thread_registry_left(registry);              // changes when a thread ends
 *
 * THREADS All calls except size and init: any thread, in any order. A thread that sees that
 *         another has left also sees everything that the other did before.
 *
 * PROGRESS check and left are wait-free. enter and leave are lock-free: an enter continues its
 *         search only while other threads take the places that it finds.
 *
 * METHOD  A number consists of a place and a generation, which increases each time the place is
 *         taken. It fits into TELAR_THREAD_REGISTRY_NUMBER_BITS, so that a word of 32 bits has
 *         two bits left for its own use. Places are taken in turn: a number is reused only after
 *         its place has been taken 65535 times, and by then every other place has been taken as
 *         often.
 *
 * Usable from C++.
 */
#ifndef TELAR_CORE_THREAD_REGISTRY_H
#define TELAR_CORE_THREAD_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TELAR_THREAD_REGISTRY_NUMBER_BITS 30u
#define TELAR_THREAD_REGISTRY_PLACES_MAX 16384u

typedef struct telar_thread_registry telar_thread_registry;

/* Bytes to allocate for init; 0 unless 1 <= places <= TELAR_THREAD_REGISTRY_PLACES_MAX. */
size_t telar_thread_registry_size(uint32_t places);

/*
 * Makes a registry in memory of telar_thread_registry_size(places) bytes, aligned to
 * TELAR_CACHELINE. Call it before the registry is shared. TELAR_INVALID: memory or registry is
 * NULL, memory is not aligned, or places is out of range.
 */
telar_status telar_thread_registry_init(void *memory, uint32_t places,
                                        telar_thread_registry **registry);

/* Gives the calling thread a number, never 0. TELAR_FULL: every place is taken, and *number is
 * 0. */
telar_status telar_thread_registry_enter(telar_thread_registry *registry, uint32_t *number);

/* Call it last in a thread. TELAR_STALE: the number is not alive. TELAR_INVALID: its place is out
 * of range. */
telar_status telar_thread_registry_leave(telar_thread_registry *registry, uint32_t number);

/*
 * TELAR_OK: alive. TELAR_STALE: was alive, and is not any more. TELAR_INVALID: was never alive, or
 * so long ago that its place has been taken 2^15 times since.
 */
telar_status telar_thread_registry_check(const telar_thread_registry *registry, uint32_t number);

/* Number of threads that have left, modulo 2^32. A thread that sees another counted here also sees,
 * in check, that it has left. */
uint32_t telar_thread_registry_left(const telar_thread_registry *registry);

#ifdef __cplusplus
}
#endif

#endif
