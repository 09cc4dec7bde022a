/*
 * The rings that are compared, each behind the same few functions. One macro generates the measured
 * loops for all of them, so that each ring is called as its users call it: the rivals are inlined
 * from their headers, telar's is a library.
 */
#include "ring_rivals.h"

#include <stdlib.h>
#include <string.h>

#include <ck_ring.h>
#include <rte_ring.h>

#include "core/ring.h"
#include "os/os.h"

static void *aligned_zeroes(size_t size) {
  size = (size + 4095) / 4096 * 4096;
  void *memory = aligned_alloc(4096, size);
  if (memory == NULL) abort();
  return memset(memory, 0, size);
}

/* On a machine with fewer CPUs than threads, the other side may be waiting for this CPU. */
static inline void wait_a_little(uint32_t *turns) {
  if (++*turns % 256 == 0) {
    telar_os_yield();
  } else {
    telar_os_relax();
  }
}

/* enqueue(ring, values, count) and dequeue(ring, values, count) return how many; `most` at a
 * time. */
#define LOOPS(name, most, enqueue, dequeue)                                                \
  static void name##_produce(bench_port *port, uint64_t count) {                           \
    uint64_t values[most];                                                                 \
    for (uint64_t next = 0; next < count;) {                                               \
      uint32_t want = count - next < (most) ? (uint32_t)(count - next) : (most), done = 0; \
      for (uint32_t i = 0; i < want; i++) values[i] = next + i;                            \
      for (uint32_t turns = 0;;) {                                                         \
        done += enqueue(port, values + done, want - done);                                 \
        if (done == want) break;                                                           \
        wait_a_little(&turns);                                                             \
      }                                                                                    \
      next += want;                                                                        \
    }                                                                                      \
  }                                                                                        \
  static uint64_t name##_consume(bench_port *port, uint64_t count) {                       \
    uint64_t values[most], sum = 0;                                                        \
    uint32_t turns = 0;                                                                    \
    while (count > 0) {                                                                    \
      uint32_t got = dequeue(port, values, count < (most) ? (uint32_t)count : (most));     \
      if (got == 0) wait_a_little(&turns);                                                 \
      for (uint32_t i = 0; i < got; i++) sum += values[i];                                 \
      count -= got;                                                                        \
    }                                                                                      \
    return sum;                                                                            \
  }

/* ---- ck_ring ---- */

typedef struct ck {
  ck_ring_t ring;
  ck_ring_buffer_t *buffer;
} ck;

static void *ck_make(bool multi) {
  (void)multi;
  ck *self = aligned_zeroes(sizeof *self);
  self->buffer = aligned_zeroes(sizeof(ck_ring_buffer_t) * BENCH_CAPACITY);
  ck_ring_init(&self->ring, BENCH_CAPACITY);
  return self;
}

static void ck_drop(void *ring) {
  free(((ck *)ring)->buffer);
  free(ring);
}

static void open_shared(bench_port *port, void *ring) {
  port->ring = ring;
}

static void close_shared(bench_port *port) {
  (void)port;
}

#define CK(name, kind)                                                                          \
  static inline uint32_t name##_enqueue(bench_port *port, const uint64_t *values, uint32_t n) { \
    ck *self = port->ring;                                                                      \
    for (uint32_t i = 0; i < n; i++) {                                                          \
      if (!ck_ring_enqueue_##kind(&self->ring, self->buffer, (void *)(uintptr_t)values[i]))     \
        return i;                                                                               \
    }                                                                                           \
    return n;                                                                                   \
  }                                                                                             \
  static inline uint32_t name##_dequeue(bench_port *port, uint64_t *values, uint32_t n) {       \
    ck *self = port->ring;                                                                      \
    for (uint32_t i = 0; i < n; i++) {                                                          \
      void *value;                                                                              \
      if (!ck_ring_dequeue_##kind(&self->ring, self->buffer, &value)) return i;                 \
      values[i] = (uintptr_t)value;                                                             \
    }                                                                                           \
    return n;                                                                                   \
  }                                                                                             \
  LOOPS(name##_one, 1, name##_enqueue, name##_dequeue)                                          \
  LOOPS(name##_burst, BENCH_BURST, name##_enqueue, name##_dequeue)

CK(ck_single, spsc)
CK(ck_multi, mpmc)

/* ---- rte_ring ---- */

static void *rte_make(bool multi) {
  ssize_t size = rte_ring_get_memsize(BENCH_CAPACITY);
  if (size < 0) abort();
  struct rte_ring *ring = aligned_zeroes((size_t)size);
  if (rte_ring_init(ring, "bench", BENCH_CAPACITY, multi ? 0 : RING_F_SP_ENQ | RING_F_SC_DEQ) !=
      0) {
    abort();
  }
  return ring;
}

#define RTE(name, p, c)                                                                         \
  static inline uint32_t name##_one_enqueue(bench_port *port, const uint64_t *values,           \
                                            uint32_t n) {                                       \
    return n != 0 && rte_ring_##p##_enqueue(port->ring, (void *)(uintptr_t)values[0]) == 0;     \
  }                                                                                             \
  static inline uint32_t name##_one_dequeue(bench_port *port, uint64_t *values, uint32_t n) {   \
    void *value;                                                                                \
    if (n == 0 || rte_ring_##c##_dequeue(port->ring, &value) != 0) return 0;                    \
    values[0] = (uintptr_t)value;                                                               \
    return 1;                                                                                   \
  }                                                                                             \
  static inline uint32_t name##_burst_enqueue(bench_port *port, const uint64_t *values,         \
                                              uint32_t n) {                                     \
    return rte_ring_##p##_enqueue_burst(port->ring, (void *const *)values, n, NULL);            \
  }                                                                                             \
  static inline uint32_t name##_burst_dequeue(bench_port *port, uint64_t *values, uint32_t n) { \
    return rte_ring_##c##_dequeue_burst(port->ring, (void **)values, n, NULL);                  \
  }                                                                                             \
  LOOPS(name##_one, 1, name##_one_enqueue, name##_one_dequeue)                                  \
  LOOPS(name##_burst, BENCH_BURST, name##_burst_enqueue, name##_burst_dequeue)

RTE(rte_single, sp, sc)
RTE(rte_multi, mp, mc)

/* ---- telar ---- */

typedef struct telar {
  void *memory;
  uint64_t bytes;
  _Atomic uint32_t threads;
} telar;

static void *telar_make(bool multi) {
  telar_ring_config config = {
      .capacity = BENCH_CAPACITY * 8,
      .flags = multi ? 0 : TELAR_RING_SINGLE_PRODUCER | TELAR_RING_SINGLE_CONSUMER,
  };
  telar *self = aligned_zeroes(sizeof *self);
  self->bytes = telar_ring_size(&config);
  self->memory = aligned_zeroes((size_t)self->bytes);
  if (telar_ring_init(self->memory, self->bytes, &config) != TELAR_OK) abort();
  return self;
}

static void telar_drop(void *ring) {
  free(((telar *)ring)->memory);
  free(ring);
}

static void telar_open(bench_port *port, void *ring) {
  telar *self = ring;
  void *memory = aligned_zeroes(telar_ring_end_size());
  telar_ring_end *end;
  if (telar_ring_open(memory, self->memory, self->bytes, &end) != TELAR_OK ||
      telar_ring_attach(end, ++self->threads) != TELAR_OK) {
    abort();
  }
  port->ring = end;
}

static void telar_shut(bench_port *port) {
  telar_ring_detach(port->ring);
  free(port->ring);
}

static inline uint32_t telar_one_enqueue(bench_port *port, const uint64_t *values, uint32_t n) {
  return n != 0 && telar_ring_send(port->ring, values, sizeof *values) == TELAR_OK;
}

static inline uint32_t telar_one_dequeue(bench_port *port, uint64_t *values, uint32_t n) {
  uint32_t length;
  return n != 0 && telar_ring_receive(port->ring, values, sizeof *values, &length) == TELAR_OK;
}

static inline uint32_t telar_burst_enqueue(bench_port *port, const uint64_t *values, uint32_t n) {
  uint32_t sent;
  telar_ring_send_many(port->ring, values, &(telar_ring_run){n, sizeof *values}, 1, &sent);
  return sent;
}

static inline uint32_t telar_burst_dequeue(bench_port *port, uint64_t *values, uint32_t n) {
  telar_ring_run runs[BENCH_BURST];
  uint32_t count, received = 0;
  telar_ring_receive_many(port->ring, values, n * (uint32_t)sizeof *values, runs, n, &count);
  for (uint32_t i = 0; i < count; i++) received += runs[i].records;
  return received;
}

LOOPS(telar_one, 1, telar_one_enqueue, telar_one_dequeue)
LOOPS(telar_burst, BENCH_BURST, telar_burst_enqueue, telar_burst_dequeue)

const bench_rival bench_rivals[BENCH_RIVALS] = {
    {"telar",
     telar_make,
     telar_drop,
     telar_open,
     telar_shut,
     {{telar_one_produce, telar_burst_produce}, {telar_one_produce, telar_burst_produce}},
     {{telar_one_consume, telar_burst_consume}, {telar_one_consume, telar_burst_consume}}},
    {"ck_ring",
     ck_make,
     ck_drop,
     open_shared,
     close_shared,
     {{ck_single_one_produce, ck_single_burst_produce},
      {ck_multi_one_produce, ck_multi_burst_produce}},
     {{ck_single_one_consume, ck_single_burst_consume},
      {ck_multi_one_consume, ck_multi_burst_consume}}},
    {"rte_ring",
     rte_make,
     free,
     open_shared,
     close_shared,
     {{rte_single_one_produce, rte_single_burst_produce},
      {rte_multi_one_produce, rte_multi_burst_produce}},
     {{rte_single_one_consume, rte_single_burst_consume},
      {rte_multi_one_consume, rte_multi_burst_consume}}},
};
