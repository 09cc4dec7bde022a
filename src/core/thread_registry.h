/*
 * registry: which threads of the process are alive, by number.
 *
 * FOR     shared state that names a thread: the owner of a lock, the end of a
 *         channel. A thread that is terminated runs no more code. So the others have to
 *         find out, from its number, that what it held is free.
 *
 * USE     telar_thread_registry *registry;
 *         telar_thread_registry_init(aligned(telar_thread_registry_size(1024)), 1024, &registry);
 *         uint32_t number;
 *         telar_thread_registry_enter(registry, &number);       // when a thread begins
 *         telar_thread_registry_check(registry, number);         // TELAR_OK: it is alive
 *         telar_thread_registry_leave(registry, number);        // when it ends
 *         telar_thread_registry_left(registry);                 // another number: some thread has
 * ended
 *
 * THREADS all calls but size and init: any thread, any order. Who sees that a
 *         thread has left sees everything that it did before.
 *
 * PROGRESS look and left are wait-free; enter and leave are lock-free: an enter goes on
 *         searching only while others take the places that it finds.
 *
 * HOW     A number is a place and a generation, which goes up each time the
 *         place is taken. It fits TELAR_THREAD_REGISTRY_NUMBER_BITS, so that a word of
 *         32 bits has two left for its own purposes. Places are taken in turn:
 *         a number comes back after its place was taken 65535 times, and by then
 *         every other place was taken as often.
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

/* Bytes for a registry of so many places; 0 unless 1 <= places <= TELAR_THREAD_REGISTRY_PLACES_MAX.
 */
size_t telar_thread_registry_size(uint32_t places);

/*
 * Makes a registry in memory of telar_thread_registry_size(places) bytes, aligned to
 * TELAR_CACHELINE. TELAR_INVALID for bad memory or a bad number of places.
 */
telar_status telar_thread_registry_init(void *memory, uint32_t places,
                                        telar_thread_registry **registry);

/* A number for a thread, never 0. TELAR_FULL: every place is taken; *number is 0. */
telar_status telar_thread_registry_enter(telar_thread_registry *registry, uint32_t *number);

/* The thread's last act. TELAR_STALE when the number is not alive. */
telar_status telar_thread_registry_leave(telar_thread_registry *registry, uint32_t number);

/*
 * TELAR_OK: alive. TELAR_STALE: was alive, and is not. TELAR_INVALID: never was,
 * or so long ago that its place was taken 2^15 times since.
 */
telar_status telar_thread_registry_check(const telar_thread_registry *registry, uint32_t number);

/* How many threads have left, modulo 2^32. Who has seen it count a thread sees that thread dead. */
uint32_t telar_thread_registry_left(const telar_thread_registry *registry);

#ifdef __cplusplus
}
#endif

#endif
