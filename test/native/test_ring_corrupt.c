/* ring: calls return a status, whatever JavaScript writes into the shared memory. As fuzz_ring.c,
 * with random bytes. */
#include "check.h"

#include "ring_mischief.h"

enum { LONGEST = 1200 };

/* A tag equal to that of the last received run, at a position where that many records would extend
 * beyond the end of the ring. */
static void keeps_a_likely_run_within_the_ring(uint32_t flags) {
  enum { GRANULES = TELAR_RING_CAPACITY_MIN / 8 };
  play_ring ring = play_make(TELAR_RING_CAPACITY_MIN, flags, GRANULES - 8);
  telar_ring_end *sender = play_attach(&ring, 1), *receiver = play_attach(&ring, 2);
  const telar_ring_run four = {4, 8};
  telar_ring_run run;
  unsigned char buffer[32] = {0};
  uint32_t sent, count;
  CHECK_STATUS(telar_ring_send_many(sender, buffer, &four, 1, &sent), TELAR_OK);
  _Atomic uint32_t *tags = (_Atomic uint32_t *)(void *)((ring_shared *)ring.memory + 1);
  uint32_t tag = atomic_load(&tags[GRANULES - 8]);
  CHECK_STATUS(telar_ring_receive_many(receiver, buffer, sizeof buffer, &run, 4, &count), TELAR_OK);
  CHECK_STATUS(telar_ring_send(sender, buffer, 8), TELAR_OK);
  CHECK_STATUS(telar_ring_receive_many(receiver, buffer, sizeof buffer, &run, 4, &count), TELAR_OK);
  atomic_store(&tags[GRANULES - 3], tag);
  CHECK_STATUS(telar_ring_receive_many(receiver, buffer, sizeof buffer, &run, 4, &count),
               TELAR_CORRUPT);
  play_drop(sender);
  play_drop(receiver);
  check_free(ring.memory);
}

int main(void) {
  uint64_t seed = check_seed();
  check_deadline(120);
  for (uint32_t flags = 0; flags < 4; flags++) keeps_a_likely_run_within_the_ring(flags);
  for (uint32_t turn = 0; turn < CHECK_TURNS(80000); turn++) {
    check_random random = check_random_from(seed, turn);
    uint8_t input[LONGEST];
    uint32_t size = 1 + check_random_below(&random, LONGEST);
    for (uint32_t i = 0; i < size; i++) input[i] = (uint8_t)(check_random_next(&random) >> 40);
    mischief_run(input, size);
  }
  return 0;
}
