/*
 * What the C tests share: checks that stay active with NDEBUG, random numbers whose seed is
 * printed, aligned memory, threads. Include it first.
 */
#ifndef TELAR_TEST_CHECK_H
#define TELAR_TEST_CHECK_H

#if !defined(_POSIX_C_SOURCE) && !defined(_GNU_SOURCE) && !defined(__APPLE__)
#define _POSIX_C_SOURCE 200809L
#endif

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef _WIN32
#include <windows.h>

#include <malloc.h>
#else
#include <unistd.h>
#endif

#include "core/cacheline.h"
#include "core/status.h"
#include "os/os.h"

#if defined(__SANITIZE_THREAD__)
#define CHECK_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CHECK_TSAN 1
#endif
#endif
#ifndef CHECK_TSAN
#define CHECK_TSAN 0
#endif

/* Number of iterations of a stress loop. TSan makes each one about ten times slower. */
#define CHECK_TURNS(count) ((uint32_t)(CHECK_TSAN ? (count) / 8 : (count)))

#define CHECK(condition)                                                                     \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      fprintf(stderr, "%s:%d: %s: expected %s\n", __FILE__, __LINE__, __func__, #condition); \
      abort();                                                                               \
    }                                                                                        \
  } while (0)

#define CHECK_EQUAL(actual, expected)                                                     \
  do {                                                                                    \
    uint64_t actual_ = (uint64_t)(actual), expected_ = (uint64_t)(expected);              \
    if (actual_ != expected_) {                                                           \
      fprintf(stderr, "%s:%d: %s: expected %s to be %s = %" PRIu64 ", was %" PRIu64 "\n", \
              __FILE__, __LINE__, __func__, #actual, #expected, expected_, actual_);      \
      abort();                                                                            \
    }                                                                                     \
  } while (0)

#define CHECK_STATUS(actual, expected)                                                           \
  do {                                                                                           \
    telar_status actual_ = (actual), expected_ = (expected);                                     \
    if (actual_ != expected_) {                                                                  \
      fprintf(stderr, "%s:%d: %s: expected %s to be %s, was %s\n", __FILE__, __LINE__, __func__, \
              #actual, telar_status_name(expected_), telar_status_name(actual_));                \
      abort();                                                                                   \
    }                                                                                            \
  } while (0)

/* xorshift64*, one state for each thread. */
typedef struct check_random {
  uint64_t state;
} check_random;

static inline uint64_t check_random_next(check_random *random) {
  random->state ^= random->state >> 12;
  random->state ^= random->state << 25;
  random->state ^= random->state >> 27;
  return random->state * UINT64_C(2685821657736338717);
}

/* 0 to bound - 1. */
static inline uint32_t check_random_below(check_random *random, uint32_t bound) {
  return (uint32_t)((check_random_next(random) >> 32) * bound >> 32);
}

/* Prints the seed. To repeat a run: TELAR_TEST_SEED=<the printed seed>. */
static inline uint64_t check_seed(void) {
  const char *given = getenv("TELAR_TEST_SEED");
  uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 0;
  if (seed == 0) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    seed = ((uint64_t)now.tv_sec * 1000003u + (uint64_t)now.tv_nsec) % 1000000007u + 1;
  }
  printf("  seed %" PRIu64 "\n", seed);
  fflush(stdout);
  return seed;
}

static inline check_random check_random_from(uint64_t seed, uint64_t stream) {
  check_random random = {(seed + 1) * UINT64_C(0x9e3779b97f4a7c15) +
                         stream * UINT64_C(0xd1342543de82ef95) + 1};
  check_random_next(&random);
  return random;
}

/* Memory for an init call, filled with garbage, so that no code relies on zeroes. */
static inline void *check_memory(size_t size) {
  CHECK(size != 0 && size % TELAR_CACHELINE == 0);
#ifdef _WIN32
  void *memory = _aligned_malloc(size, TELAR_CACHELINE);
  CHECK(memory != NULL);
#else
  void *memory = NULL;
  CHECK(posix_memalign(&memory, TELAR_CACHELINE, size) == 0);
#endif
  memset(memory, 0xa5, size);
  return memory;
}

static inline void check_free(void *memory) {
#ifdef _WIN32
  _aligned_free(memory);
#else
  free(memory);
#endif
}

static inline pthread_t check_thread(void *(*body)(void *), void *argument) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, body, argument) == 0);
  return thread;
}

static inline void check_join(pthread_t thread) {
  CHECK(pthread_join(thread, NULL) == 0);
}

/*
 * Call it between two tries of something that another thread has to make possible. Spins at first,
 * because the stress tests want threads to meet within nanoseconds. Then yields, because on a small
 * machine the other thread may be waiting for this CPU.
 */
static inline void check_pause(uint32_t *tries) {
  if (++*tries % 64 == 0) {
    telar_os_yield();
  } else {
    telar_os_relax();
  }
}

/* A lost wake-up makes a test hang. This ends it with a failure. */
#ifdef _WIN32
static inline void *check_end_late(void *seconds) {
  Sleep((DWORD)(uintptr_t)seconds * 1000);
  fprintf(stderr, "not done after %u s\n", (unsigned)(uintptr_t)seconds);
  abort();
}

static inline void check_deadline(unsigned seconds) {
  CHECK(pthread_detach(check_thread(check_end_late, (void *)(uintptr_t)seconds)) == 0);
}
#else
static inline void check_deadline(unsigned seconds) {
  alarm(seconds);
}
#endif

#endif
