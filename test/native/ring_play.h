/* A ring and its ends for the tests, and a bell that only counts. Include it after check.h. */
#ifndef TELAR_TEST_RING_PLAY_H
#define TELAR_TEST_RING_PLAY_H

#include "core/ring_internal.h"

/* Positions shortly before they wrap, and before their low 32 bits wrap. */
#define PLAY_NEAR_WRAP (RING_POSITION_MASK - 700)
#define PLAY_NEAR_WRAP_32 (UINT64_C(0xffffffff) - 700)

typedef struct play_ring {
  void *memory;
  uint64_t bytes;
} play_ring;

static inline play_ring play_make(uint32_t capacity, uint32_t flags, uint64_t start) {
  telar_ring_config config = {capacity, flags, start};
  play_ring ring = {.bytes = telar_ring_size(&config)};
  size_t size = TELAR_CACHELINE_ROUND_UP((size_t)ring.bytes);
  ring.memory = check_memory(size);
  memset(ring.memory, 0, size);
  CHECK_STATUS(telar_ring_init(ring.memory, ring.bytes, &config), TELAR_OK);
  return ring;
}

static inline telar_ring_end *play_open(const play_ring *ring) {
  telar_ring_end *end;
  CHECK_STATUS(
      telar_ring_open(check_memory(telar_ring_end_size()), ring->memory, ring->bytes, &end),
      TELAR_OK);
  return end;
}

static inline telar_ring_end *play_attach(const play_ring *ring, uint32_t thread) {
  telar_ring_end *end = play_open(ring);
  CHECK_STATUS(telar_ring_attach(end, thread), TELAR_OK);
  return end;
}

static inline void play_drop(telar_ring_end *end) {
  telar_ring_detach(end);
  check_free(end);
}

/* How often each end was rung, by endpoint. */
typedef struct play_bells {
  uint32_t rings[TELAR_RING_ENDPOINTS];
  uint32_t total;
} play_bells;

static inline void play_bell(void *context, uint32_t thread, uint32_t endpoint) {
  play_bells *bells = context;
  (void)thread;
  bells->rings[endpoint]++;
  bells->total++;
}

/* notify when no end is expected to wait. */
static inline telar_status play_quiet(telar_ring_end *end) {
  play_bells bells = {0};
  uint32_t wake;
  telar_status status = telar_ring_notify(end, play_bell, &bells, &wake);
  CHECK_EQUAL(wake, 0);
  CHECK_EQUAL(bells.total, 0);
  return status;
}

/* telar_ring_send_many for records of these lengths: adjacent records of one length form one run.
 * Each list has its own allocation, so that the sanitizers see an overrun. */
static inline telar_status play_send_many(telar_ring_end *end, const void *data,
                                          const uint32_t *lengths, uint32_t count, uint32_t *sent) {
  telar_ring_run *all = calloc(count + 1, sizeof *all);
  CHECK(all != NULL);
  uint32_t runs = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (i == 0 || lengths[i] != lengths[i - 1]) all[runs++].bytes = lengths[i];
    all[runs - 1].records++;
  }
  telar_ring_run *list = realloc(all, (runs + 1) * sizeof *list);
  telar_status status = telar_ring_send_many(end, data, list, runs, sent);
  free(list);
  return status;
}

/* telar_ring_receive_many, expanded to the length of each record. */
static inline telar_status play_receive_many(telar_ring_end *end, void *buffer, uint32_t capacity,
                                             uint32_t *lengths, uint32_t max, uint32_t *received) {
  telar_ring_run *runs = calloc(max + (max == 0), sizeof *runs);
  CHECK(runs != NULL);
  uint32_t count;
  telar_status status = telar_ring_receive_many(end, buffer, capacity, runs, max, &count);
  *received = 0;
  CHECK(count <= max && (status == TELAR_OK) == (count != 0));
  for (uint32_t i = 0; i < count; i++) {
    CHECK(runs[i].records != 0 && runs[i].records <= max - *received);
    for (uint32_t k = 0; k < runs[i].records; k++) lengths[(*received)++] = runs[i].bytes;
  }
  if (status == TELAR_TOO_LARGE) lengths[0] = runs[0].bytes;
  free(runs);
  return status;
}

/* Bytes that identify the record they belong to. */
static inline void play_fill(unsigned char *bytes, uint32_t length, uint64_t key) {
  check_random random = check_random_from(key, length);
  for (uint32_t i = 0; i < length; i++) {
    if (i % 8 == 0) check_random_next(&random);
    bytes[i] = (unsigned char)(random.state >> (i % 8 * 8));
  }
}

static inline void play_check(const unsigned char *bytes, uint32_t length, uint64_t key) {
  check_random random = check_random_from(key, length);
  for (uint32_t i = 0; i < length; i++) {
    if (i % 8 == 0) check_random_next(&random);
    CHECK_EQUAL(bytes[i], (unsigned char)(random.state >> (i % 8 * 8)));
  }
}

#endif
