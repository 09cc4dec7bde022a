/*
 * slab: blocks never overlap, wrong frees are refused, and what was freed can be allocated again in
 * any size. The region is real memory here, so a block that is allocated twice shows as damaged
 * contents, and to TSan as a race.
 */
#include "check.h"

#include "core/index_queue.h"
#include "core/slab.h"

enum { KIB = 1024, MIB = 1024 * 1024, BLOCKS_MOST = 65536 };

static telar_slab *make(telar_slab_config config) {
  telar_slab *slab = NULL;
  CHECK_STATUS(telar_slab_init(check_memory(telar_slab_size(&config)), &config, &slab), TELAR_OK);
  return slab;
}

static telar_slab_stats stats_of(const telar_slab *slab) {
  telar_slab_stats stats;
  telar_slab_stats_read(slab, &stats);
  return stats;
}

/* --- configuration --------------------------------------------------------------- */

static void refuses_bad_configurations(void) {
  static const telar_slab_config bad[] = {
      {.region_bytes = 0},
      {.region_bytes = 65535},
      {.region_bytes = 65536 + 64},
      {.region_bytes = UINT64_C(1) << 32},
      {.region_bytes = UINT64_MAX - 65535},
      {.region_bytes = MIB, .region_offset = 16},
      {.region_bytes = MIB, .region_offset = UINT64_C(1) << 32},
      {.region_bytes = MIB, .region_offset = 0xfff00000},
      {.region_bytes = MIB, .min_block = 32},
      {.region_bytes = MIB, .min_block = 300},
      {.region_bytes = MIB, .min_block = 65536},
      {.region_bytes = MIB, .max_block = 32768},
      {.region_bytes = MIB, .max_block = 100000},
  };
  char *memory = check_memory(16 * MIB);
  telar_slab *slab = NULL;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    CHECK_EQUAL(telar_slab_size(&bad[i]), 0);
    CHECK_STATUS(telar_slab_init(memory, &bad[i], &slab), TELAR_INVALID);
  }
  telar_slab_config good = {.region_bytes = MIB};
  CHECK(telar_slab_size(&good) % TELAR_CACHELINE == 0 && telar_slab_size(&good) > 0);
  CHECK_EQUAL(telar_slab_size(NULL), 0);
  CHECK_STATUS(telar_slab_init(NULL, &good, &slab), TELAR_INVALID);
  CHECK_STATUS(telar_slab_init(memory, NULL, &slab), TELAR_INVALID);
  CHECK_STATUS(telar_slab_init(memory, &good, NULL), TELAR_INVALID);
  CHECK_STATUS(telar_slab_init(memory + 64, &good, &slab), TELAR_INVALID);
  CHECK(slab == NULL);
  check_free(memory);
}

/* --- one thread ---------------------------------------------------------------------- */

static void gives_room_for_every_size(const telar_slab_config *config) {
  telar_slab *slab = make(*config);
  uint64_t offset = 0, capacity = 0;
  uint64_t end = config->region_offset + config->region_bytes;
  for (uint64_t bytes = 0; bytes <= config->max_block; bytes += 1 + bytes / 7) {
    CHECK_STATUS(telar_slab_alloc(slab, bytes, &offset, &capacity), TELAR_OK);
    CHECK(capacity >= bytes && capacity >= config->min_block);
    CHECK(bytes <= 32 * KIB ? capacity <= 2 * bytes || capacity == config->min_block
                            : capacity <= bytes + bytes / 8 + 64 * KIB);
    CHECK(offset >= config->region_offset && (uint64_t)offset + capacity <= end);
    CHECK_EQUAL(offset % TELAR_SLAB_ALIGNMENT, 0);
    CHECK_EQUAL(telar_slab_capacity_at(slab, offset), capacity);
    CHECK_EQUAL(stats_of(slab).bytes_in_use, capacity);
    CHECK_STATUS(telar_slab_free(slab, offset), TELAR_OK);
    CHECK_EQUAL(telar_slab_capacity_at(slab, offset), 0);
    CHECK_EQUAL(stats_of(slab).bytes_in_use, 0);
  }
  CHECK_STATUS(telar_slab_alloc(slab, config->max_block, &offset, &capacity), TELAR_OK);
  CHECK_EQUAL(capacity, config->max_block);
  CHECK_STATUS(telar_slab_alloc(slab, (uint64_t)config->max_block + 1, &offset, &capacity),
               TELAR_TOO_LARGE);
  CHECK_STATUS(telar_slab_alloc(slab, UINT64_MAX, &offset, &capacity), TELAR_TOO_LARGE);
  CHECK_EQUAL(stats_of(slab).failures, 0);
  check_free(slab);
}

/* Allocates blocks of this size until none is left; returns how many. */
static uint32_t fill(telar_slab *slab, uint64_t bytes, uint64_t *offsets) {
  uint32_t count = 0;
  uint64_t capacity;
  telar_status status;
  while ((status = telar_slab_alloc(slab, bytes, &offsets[count], &capacity)) == TELAR_OK) {
    CHECK(++count < BLOCKS_MOST);
  }
  CHECK_STATUS(status, TELAR_NO_MEMORY);
  return count;
}

static void shuffle(uint64_t *offsets, uint32_t count, check_random *random) {
  for (uint32_t i = count; i > 1; i--) {
    uint32_t other = check_random_below(random, i);
    uint64_t kept = offsets[i - 1];
    offsets[i - 1] = offsets[other];
    offsets[other] = kept;
  }
}

static void drain(telar_slab *slab, uint64_t *offsets, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) CHECK_STATUS(telar_slab_free(slab, offsets[i]), TELAR_OK);
}

/* Checks that all of the region is available in blocks of any one size, whatever it was used for
 * before. */
static void is_whole_again(telar_slab *slab, uint64_t region_bytes, uint32_t max_block,
                           uint64_t *offsets) {
  uint32_t count = fill(slab, max_block, offsets);
  CHECK_EQUAL(count, region_bytes / max_block);
  drain(slab, offsets, count);
  CHECK_EQUAL(stats_of(slab).bytes_in_use, 0);
}

static void becomes_whole_again_after_any_size(check_random *random) {
  static uint64_t offsets[BLOCKS_MOST];
  telar_slab_config config = {.region_offset = 4096, .region_bytes = 8 * MIB, .max_block = 2 * MIB};
  telar_slab *slab = make(config);
  static const uint32_t sizes[] = {256,   2 * MIB, 300,  512,   65536, 4096,
                                   32768, 100000,  1000, 16384, MIB,   256};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    uint32_t count = fill(slab, sizes[i], offsets);
    uint32_t expected_most = 8 * MIB / sizes[i];
    CHECK(count <= expected_most);
    /* Powers of two fill the region to the last byte. */
    if ((sizes[i] & (sizes[i] - 1)) == 0) CHECK_EQUAL(count, expected_most);
    CHECK(count >= expected_most / 2);
    CHECK_EQUAL(stats_of(slab).failures, 2 * i + 1);
    shuffle(offsets, count, random);
    drain(slab, offsets, count);
    is_whole_again(slab, config.region_bytes, config.max_block, offsets);
  }
  CHECK_EQUAL(stats_of(slab).bytes_peak, config.region_bytes);
  CHECK_EQUAL(stats_of(slab).region_bytes, config.region_bytes);
  check_free(slab);
}

/* Two regions whose size is not a power of two, and one of a single granule. */
static void uses_all_of_an_odd_region(void) {
  static uint64_t offsets[BLOCKS_MOST];
  static const uint32_t granules[] = {1, 3, 37, 127};
  for (size_t i = 0; i < sizeof granules / sizeof granules[0]; i++) {
    telar_slab_config config = {.region_bytes = granules[i] * (uint64_t)TELAR_SLAB_REGION_GRANULE};
    telar_slab *slab = make(config);
    for (int again = 0; again < 2; again++) {
      uint32_t count = fill(slab, 256, offsets);
      CHECK_EQUAL(count, config.region_bytes / 256);
      drain(slab, offsets, count);
      count = fill(slab, 65536, offsets);
      CHECK_EQUAL(count, granules[i]);
      drain(slab, offsets, count);
    }
    /* More than the region is refused as TOO_LARGE, not as NO_MEMORY. */
    uint64_t capacity;
    CHECK_STATUS(telar_slab_alloc(slab, config.region_bytes + 1, offsets, &capacity),
                 TELAR_TOO_LARGE);
    check_free(slab);
  }
}

/* In a region full of larger spans, small requests get free blocks of these spans. */
static void falls_back_to_larger_blocks(void) {
  static uint64_t offsets[BLOCKS_MOST];
  telar_slab_config config = {.region_bytes = 2 * MIB, .max_block = MIB};
  telar_slab *slab = make(config);
  uint64_t capacity;
  uint32_t count = fill(slab, 4096, offsets);
  CHECK_STATUS(telar_slab_free(slab, offsets[7]), TELAR_OK);
  CHECK_STATUS(telar_slab_alloc(slab, 256, &offsets[7], &capacity), TELAR_OK);
  CHECK_EQUAL(capacity, 4096);
  drain(slab, offsets, count);
  is_whole_again(slab, config.region_bytes, config.max_block, offsets);
  check_free(slab);
}

static void works_at_the_end_of_four_gigabytes(void) {
  telar_slab_config config = {.region_bytes = TELAR_SLAB_REGION_END_MAX, .max_block = 1u << 31};
  telar_slab *slab = make(config);
  uint64_t offset, other, capacity;
  CHECK_STATUS(telar_slab_alloc(slab, 1u << 31, &offset, &capacity), TELAR_OK);
  CHECK_EQUAL(capacity, 1u << 31);
  CHECK_STATUS(telar_slab_alloc(slab, 1u << 30, &other, &capacity), TELAR_OK);
  CHECK(other >= offset + (1u << 31) || other + (1u << 30) <= offset);
  CHECK_EQUAL(telar_slab_capacity_at(slab, offset), 1u << 31);
  CHECK_STATUS(telar_slab_free(slab, UINT32_MAX), TELAR_INVALID);
  CHECK_STATUS(telar_slab_free(slab, offset + (UINT64_C(1) << 32)), TELAR_INVALID);
  CHECK_STATUS(telar_slab_free(slab, offset), TELAR_OK);
  CHECK_STATUS(telar_slab_free(slab, other), TELAR_OK);
  CHECK_EQUAL(stats_of(slab).bytes_in_use, 0);
  check_free(slab);
}

/* Every offset in or near the region is refused, except those of allocated blocks. */
static void refuses_wrong_frees(void) {
  telar_slab_config config = {
      .region_offset = 128, .region_bytes = 4 * 65536, .max_block = 128 * KIB};
  telar_slab *slab = make(config);
  uint64_t capacity, blocks[5];
  static const uint32_t sizes[] = {256, 256, 1000, 20000, 80000};
  for (int i = 0; i < 5; i++) {
    CHECK_STATUS(telar_slab_alloc(slab, sizes[i], &blocks[i], &capacity), TELAR_OK);
  }
  uint64_t in_use = stats_of(slab).bytes_in_use;
  for (uint64_t offset = 0; offset < config.region_offset + config.region_bytes + 4096; offset++) {
    bool is_block = false;
    for (int i = 0; i < 5; i++) is_block = is_block || offset == blocks[i];
    CHECK((telar_slab_capacity_at(slab, offset) != 0) == is_block);
    if (!is_block) CHECK_STATUS(telar_slab_free(slab, offset), TELAR_INVALID);
  }
  CHECK_EQUAL(stats_of(slab).bytes_in_use, in_use);
  for (int i = 0; i < 5; i++) {
    CHECK_STATUS(telar_slab_free(slab, blocks[i]), TELAR_OK);
    CHECK_STATUS(telar_slab_free(slab, blocks[i]), TELAR_INVALID);
  }
  CHECK_EQUAL(stats_of(slab).bytes_in_use, 0);
  static uint64_t offsets[BLOCKS_MOST];
  is_whole_again(slab, config.region_bytes, config.max_block, offsets);
  check_free(slab);
}

/* --- blocks with contents ------------------------------------------------------------------ */

typedef struct block {
  uint64_t offset;
  uint64_t capacity;
  uint64_t mark;
} block;

/* The mark that belongs at a position of the block; the end has a different one. */
static uint64_t mark_at(const block *b, uint64_t at) {
  return at == b->capacity - sizeof(uint64_t) ? ~b->mark : b->mark + at;
}

/* Every word of a small block, one word in each KiB of a large one. */
static uint64_t mark_step(const block *b) {
  return b->capacity <= 1024 ? sizeof(uint64_t) : 1024;
}

static void put_mark(unsigned char *region, const block *b, uint64_t at) {
  uint64_t word = mark_at(b, at);
  memcpy(region + b->offset + at, &word, sizeof word);
}

static void check_mark(const unsigned char *region, const block *b, uint64_t at) {
  uint64_t word;
  memcpy(&word, region + b->offset + at, sizeof word);
  CHECK_EQUAL(word, mark_at(b, at));
}

static void mark_block(unsigned char *region, const block *b) {
  for (uint64_t at = 0; at < b->capacity; at += mark_step(b)) put_mark(region, b, at);
  put_mark(region, b, b->capacity - sizeof(uint64_t));
}

static void check_and_free_block(telar_slab *slab, const unsigned char *region, const block *b) {
  for (uint64_t at = 0; at < b->capacity; at += mark_step(b)) check_mark(region, b, at);
  check_mark(region, b, b->capacity - sizeof(uint64_t));
  CHECK_EQUAL(telar_slab_capacity_at(slab, b->offset), b->capacity);
  CHECK_STATUS(telar_slab_free(slab, b->offset), TELAR_OK);
}

typedef struct mode {
  const char *name;
  uint32_t threads;
  uint32_t largest; /* of the sizes asked for */
  uint32_t keep;    /* blocks that a thread holds at most */
  uint32_t region_bytes;
  bool is_exchanged; /* most blocks are freed by another thread */
} mode;

static const mode modes[] = {
    {"one size, own frees", 3, 256, 100, 65536 * 4, false},
    {"small, exchanged", 3, 2000, 60, 65536 * 8, true},
    {"spans come and go", 4, 32768, 3, 65536 * 4, true},
    {"all sizes", 3, 300000, 8, 65536 * 37, true},
    {"large only by luck", 2, 1u << 20, 4, 65536 * 16, false},
};
enum { MODES = sizeof modes / sizeof modes[0], THREADS_MOST = 4, KEEP_MOST = 128, TRAYS = 64 };

typedef struct workload {
  const mode *mode;
  telar_slab *slab;
  unsigned char *region;
  uint64_t seed;
  uint32_t turns;
  uint32_t max_block;
  block trays[TRAYS];       /* blocks being passed to another thread */
  telar_index_queue *full;  /* trays with a block */
  telar_index_queue *empty; /* trays without a block */
} workload;

typedef struct actor {
  workload *work;
  uint32_t number;
} actor;

static void *churn(void *argument) {
  const actor *self = argument;
  workload *work = self->work;
  check_random random = check_random_from(work->seed, self->number);
  block held[KEEP_MOST];
  uint32_t count = 0, tray;
  for (uint32_t turn = 0; turn < work->turns; turn++) {
    if (count < work->mode->keep && check_random_below(&random, 100) < 55) {
      /* Sizes of all orders of magnitude. */
      uint64_t bytes = (uint64_t)work->mode->largest >> check_random_below(&random, 8);
      bytes = 1 + check_random_next(&random) % bytes;
      block *b = &held[count];
      telar_status status = telar_slab_alloc(work->slab, bytes, &b->offset, &b->capacity);
      if (status == TELAR_OK) {
        CHECK(b->capacity >= bytes);
        b->mark = check_random_next(&random) | 1;
        mark_block(work->region, b);
        count++;
      } else {
        CHECK_STATUS(status, TELAR_NO_MEMORY);
      }
    } else if (count > 0) {
      uint32_t chosen = check_random_below(&random, count);
      block b = held[chosen];
      held[chosen] = held[--count];
      if (work->mode->is_exchanged && telar_index_queue_pop_mc(work->empty, &tray) == TELAR_OK) {
        work->trays[tray] = b;
        for (uint32_t tries = 0; telar_index_queue_push_mp(work->full, tray) != TELAR_OK;) {
          check_pause(&tries);
        }
      } else {
        check_and_free_block(work->slab, work->region, &b);
      }
    }
    if (work->mode->is_exchanged && telar_index_queue_pop_mc(work->full, &tray) == TELAR_OK) {
      block b = work->trays[tray];
      for (uint32_t tries = 0; telar_index_queue_push_mp(work->empty, tray) != TELAR_OK;) {
        check_pause(&tries);
      }
      check_and_free_block(work->slab, work->region, &b);
    }
    /* Garbage offsets: no block starts there. */
    if (turn % 16 == 0) {
      CHECK_STATUS(telar_slab_free(work->slab,
                                   check_random_next(&random) % (2 * work->mode->region_bytes) | 1),
                   TELAR_INVALID);
    }
    if (turn % 512 == 0) telar_os_yield();
  }
  while (count > 0) check_and_free_block(work->slab, work->region, &held[--count]);
  return NULL;
}

static telar_index_queue *make_queue(uint32_t capacity) {
  telar_index_queue *queue = NULL;
  CHECK_STATUS(telar_index_queue_init(check_memory(telar_index_queue_size(capacity)), capacity,
                                      UINT32_MAX - 100, &queue),
               TELAR_OK);
  return queue;
}

static void survives(const mode *m, uint32_t turns, uint64_t seed) {
  static uint64_t offsets[BLOCKS_MOST];
  workload work = {.mode = m, .seed = seed, .turns = turns, .max_block = TELAR_SLAB_MAX_BLOCK_MIN};
  while (work.max_block < m->largest) work.max_block *= 2;
  telar_slab_config config = {
      .region_bytes = m->region_bytes, .max_block = work.max_block, .region_offset = 64};
  work.slab = make(config);
  work.region = malloc(m->region_bytes + 64u);
  CHECK(work.region != NULL && m->threads <= THREADS_MOST && m->keep <= KEEP_MOST);
  work.full = make_queue(TRAYS);
  work.empty = make_queue(TRAYS);
  for (uint32_t tray = 0; tray < TRAYS; tray++) {
    CHECK_STATUS(telar_index_queue_push_mp(work.empty, tray), TELAR_OK);
  }
  pthread_t threads[THREADS_MOST];
  actor actors[THREADS_MOST];
  for (uint32_t i = 0; i < m->threads; i++) {
    actors[i] = (actor){&work, i + 1};
    threads[i] = check_thread(churn, &actors[i]);
  }
  for (uint32_t i = 0; i < m->threads; i++) check_join(threads[i]);
  uint32_t tray;
  while (telar_index_queue_pop_mc(work.full, &tray) == TELAR_OK) {
    check_and_free_block(work.slab, work.region, &work.trays[tray]);
  }
  CHECK_EQUAL(stats_of(work.slab).bytes_in_use, 0);
  is_whole_again(work.slab, m->region_bytes, work.max_block, offsets);
  uint32_t count = fill(work.slab, 256, offsets);
  CHECK_EQUAL(count, m->region_bytes / 256);
  free(work.region);
  check_free(work.slab);
  check_free(work.full);
  check_free(work.empty);
}

/* --- the same block freed by two threads at once ----------------------------- */

typedef struct rivals {
  telar_slab *slab;
  const uint64_t *offsets;
  uint32_t count;
  _Atomic uint32_t ready;
  _Atomic uint32_t freed;
} rivals;

static void *free_all(void *argument) {
  rivals *self = argument;
  atomic_fetch_add(&self->ready, 1);
  for (uint32_t tries = 0; atomic_load(&self->ready) < 2;) check_pause(&tries);
  for (uint32_t i = 0; i < self->count; i++) {
    telar_status status = telar_slab_free(self->slab, self->offsets[i]);
    CHECK(status == TELAR_OK || status == TELAR_INVALID);
    if (status == TELAR_OK) atomic_fetch_add(&self->freed, 1);
  }
  return NULL;
}

/* Enough blocks that the two threads meet, although one starts earlier: refusals are faster than
 * frees. */
static void one_of_two_frees_wins(uint32_t bytes, uint32_t region_bytes, uint32_t rounds,
                                  check_random *random) {
  static uint64_t offsets[BLOCKS_MOST];
  telar_slab_config config = {.region_bytes = region_bytes, .max_block = MIB};
  telar_slab *slab = make(config);
  for (uint32_t round = 0; round < rounds; round++) {
    rivals self = {.slab = slab, .offsets = offsets, .count = fill(slab, bytes, offsets)};
    shuffle(offsets, self.count, random);
    pthread_t one = check_thread(free_all, &self), two = check_thread(free_all, &self);
    check_join(one);
    check_join(two);
    CHECK_EQUAL(self.freed, self.count);
    CHECK_EQUAL(stats_of(slab).bytes_in_use, 0);
    static uint64_t large[BLOCKS_MOST];
    is_whole_again(slab, config.region_bytes, config.max_block, large);
  }
  check_free(slab);
}

int main(void) {
  uint64_t seed = check_seed();
  check_random random = check_random_from(seed, 0);
  check_deadline(120);
  refuses_bad_configurations();
  static const telar_slab_config shapes[] = {
      {.region_bytes = 32 * MIB, .min_block = 256, .max_block = 16 * MIB},
      {.region_bytes = 4 * MIB, .min_block = 64, .max_block = MIB, .region_offset = 64},
      {.region_bytes = 2 * MIB, .min_block = 32768, .max_block = 65536, .region_offset = 1 << 20},
      {.region_bytes = 4 * MIB, .min_block = 4096, .max_block = 2 * MIB},
  };
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    gives_room_for_every_size(&shapes[i]);
  }
  becomes_whole_again_after_any_size(&random);
  uses_all_of_an_odd_region();
  falls_back_to_larger_blocks();
  works_at_the_end_of_four_gigabytes();
  refuses_wrong_frees();
  for (size_t i = 0; i < MODES; i++) survives(&modes[i], CHECK_TURNS(200000), seed + i);
  one_of_two_frees_wins(256, 2 * MIB, CHECK_TURNS(80), &random);
  one_of_two_frees_wins(16384, 32 * MIB, CHECK_TURNS(80), &random);
  one_of_two_frees_wins(40000, 64 * MIB, CHECK_TURNS(80), &random);
  return 0;
}
