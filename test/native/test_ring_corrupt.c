/* ring: whatever JavaScript writes into the shared memory, calls end with a status. As fuzz_ring.c, with random bytes. */
#include "check.h"

#include "ring_mischief.h"

enum { LONGEST = 1200 };

int main(void) {
  uint64_t seed = check_seed();
  check_deadline(120);
  for (uint32_t turn = 0; turn < CHECK_TURNS(80000); turn++) {
    check_random random = check_random_from(seed, turn);
    uint8_t input[LONGEST];
    uint32_t size = 1 + check_random_below(&random, LONGEST);
    for (uint32_t i = 0; i < size; i++) input[i] = (uint8_t)(check_random_next(&random) >> 40);
    mischief_run(input, size);
  }
  return 0;
}
