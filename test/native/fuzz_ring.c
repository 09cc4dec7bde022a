/*
 * libFuzzer: the ring over memory that the input corrupts.   make fuzz [FUZZ_SECONDS=30]
 *
 * An input that fails is kept as crash-*. Run it again by  build/fuzz_ring crash-...
 */
#include "check.h"

#include "ring_mischief.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mischief_run(data, size);
  return 0;
}
