/* What ring.c measures: rings of 64-bit values between threads. */
#ifndef BENCH_RING_RIVALS_H
#define BENCH_RING_RIVALS_H

#include <stdbool.h>
#include <stdint.h>

enum { BENCH_CAPACITY = 1024, BENCH_BURST = 32, BENCH_RIVALS = 3 };

/* One thread's access to a ring. */
typedef struct bench_port {
  void *ring;
} bench_port;

typedef struct bench_rival {
  const char *name;
  void *(*make)(bool multi);
  void (*drop)(void *ring);
  void (*open)(bench_port *port, void *ring); /* called in the thread that uses it */
  void (*close)(bench_port *port);
  /* [multi][burst]. produce puts 0 to count - 1 into the ring; consume returns the sum of what it
   * takes out. */
  void (*produce[2][2])(bench_port *port, uint64_t count);
  uint64_t (*consume[2][2])(bench_port *port, uint64_t count);
} bench_rival;

extern const bench_rival bench_rivals[BENCH_RIVALS]; /* the first one is compared with the others */

#endif
