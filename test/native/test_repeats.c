/*
 * repeats: a duplicate is found wherever the two words are, and none is reported if there is none,
 * also among words that all hash into one partition.
 */
#include "check.h"

#include "core/repeats.h"

enum { MOST = 100000 };

static bool repeats(const uintptr_t *words, size_t count) {
  void *scratch = malloc(telar_repeats_memory_size(count));
  CHECK(scratch != NULL);
  bool answer = telar_repeats(words, count, scratch);
  free(scratch);
  return answer;
}

/* Like addresses of objects: a multiple of 8 plus one, all different. */
static uintptr_t *addresses(size_t count) {
  uintptr_t *words = malloc((count + 1) * sizeof *words);
  CHECK(words != NULL);
  for (size_t i = 0; i < count; i++) words[i] = (uintptr_t)0x10000 + i * 40 + 1;
  return words;
}

static void finds_a_pair_wherever_it_lies(void) {
  static const size_t counts[] = {0, 1, 2, 3, 511, 512, 513, 1024, 1025, 4096, 65537, MOST};
  for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
    size_t count = counts[c];
    uintptr_t *words = addresses(count);
    CHECK(!repeats(words, count));
    for (size_t i = 0; i < count; i += 1 + count / 7) {
      for (size_t j = i + 1; j < count; j += 1 + count / 5) {
        uintptr_t kept = words[j];
        words[j] = words[i];
        CHECK(repeats(words, count));
        words[j] = kept;
      }
    }
    free(words);
  }
}

static void all_the_same(void) {
  uintptr_t *words = addresses(MOST);
  for (size_t i = 0; i < MOST; i++) words[i] = 9;
  CHECK(repeats(words, MOST));
  free(words);
}

/* Words chosen so that they hash into few partitions, which are then larger than a table. */
static void words_that_hash_alike(void) {
  uintptr_t *words = addresses(MOST);
  size_t count = 0;
  for (uintptr_t word = 1; count < 5000; word += 8) {
    uint64_t hash = (uint64_t)word * UINT64_C(0x9E3779B97F4A7C15);
    if (((hash ^ hash >> 32) & 15) == 0) words[count++] = word;
  }
  CHECK(!repeats(words, count));
  words[count - 1] = words[0];
  CHECK(repeats(words, count));
  free(words);
}

int main(void) {
  finds_a_pair_wherever_it_lies();
  all_the_same();
  words_that_hash_alike();
  return 0;
}
