/*
 * sched: the payload block of a slot. Which threads may have one, which block is kept, and that the
 * slab is whole again after all blocks are freed.
 */
#include "sched_play.h"

enum { SMALL = 256, BIG = 4096, MAX_BLOCK = 65536 };

typedef struct store {
  play play;
  telar_slab *slab;
  void *memory;
} store;

static void open_store(store *s, uint32_t concurrency) {
  telar_slab_config slab = {.region_bytes = 1 << 20, .max_block = MAX_BLOCK};
  s->memory = check_memory(telar_slab_size(&slab));
  CHECK_STATUS(telar_slab_init(s->memory, &slab, &s->slab), TELAR_OK);
  telar_sched_config config = play_config(8, 2, concurrency);
  config.slab = s->slab;
  play_open(&s->play, config);
  play_hire_many(&s->play, 2);
}

static void close_store(store *s) {
  play_close(&s->play);
  check_free(s->memory);
}

static uint64_t in_use(const store *s) {
  telar_slab_stats stats;
  telar_slab_stats_read(s->slab, &stats);
  return stats.bytes_in_use;
}

static uint64_t allocate(store *s, uint32_t slot, uint32_t worker, uint64_t bytes) {
  uint64_t offset = 77, capacity = 0;
  CHECK_STATUS(telar_sched_block_alloc(s->play.sched, slot, worker, bytes, &offset, &capacity),
               TELAR_OK);
  CHECK(capacity >= bytes);
  CHECK_EQUAL(telar_slab_capacity_at(s->slab, offset), capacity);
  return offset;
}

static void check_all_freed(store *s) {
  for (uint32_t i = 0; i < 8; i++) {
    CHECK_STATUS(telar_sched_block_free(s->play.sched, i, NONE), TELAR_OK);
  }
  CHECK_EQUAL(in_use(s), 0);
}

static void only_the_holder_of_a_slot_may_use_its_block(void) {
  store s;
  open_store(&s, 2);
  telar_sched *sched = s.play.sched;
  uint64_t offset = 77, capacity = 77;
  uint32_t cancelled_worker;
#define REFUSED(slot, worker)                                                          \
  do {                                                                                 \
    CHECK_STATUS(telar_sched_block_alloc(sched, slot, worker, 10, &offset, &capacity), \
                 TELAR_INVALID);                                                       \
    CHECK_STATUS(telar_sched_block_free(sched, slot, worker), TELAR_INVALID);          \
    CHECK(offset == 77 && capacity == 77);                                             \
  } while (0)
  REFUSED(8, NONE);
  REFUSED(NONE, NONE);
  REFUSED(0, 0);
  allocate(&s, 0, NONE, 10);
  play_submit(&s.play, 0); /* QUEUED */
  REFUSED(0, NONE);
  REFUSED(0, 0);
  CHECK_EQUAL(play_next(&s.play, 0, NONE), 0); /* CLAIMED */
  REFUSED(0, NONE);
  REFUSED(0, 1);
  REFUSED(0, 2);
  allocate(&s, 0, 0, 10);
  CHECK_EQUAL(telar_sched_cancel(sched, 0, &cancelled_worker),
              TELAR_CANCEL_RUNNING); /* CONDEMNED */
  REFUSED(0, NONE);
  REFUSED(0, 1);
  CHECK_STATUS(telar_sched_block_free(sched, 0, 0), TELAR_OK);
  allocate(&s, 0, 0, 10);
  CHECK_EQUAL(play_next(&s.play, 0, 0), TELAR_NEXT_CLOSED); /* CANCELLED */
  REFUSED(0, NONE);
  REFUSED(0, 0);
  play_submit(&s.play, 1);
  CHECK_EQUAL(play_next(&s.play, 1, NONE), 1);
  CHECK_STATUS(telar_sched_complete(sched, 1, 1), TELAR_OK); /* DONE */
  REFUSED(1, NONE);
  REFUSED(1, 1);
  PLAY_DRAINS(&s.play, 0, 1);
  check_all_freed(&s);
#undef REFUSED
  close_store(&s);

  play p; /* no slab, so no blocks */
  play_open(&p, play_config(8, 1, 1));
  CHECK_STATUS(telar_sched_block_alloc(p.sched, 0, NONE, 10, &offset, &capacity), TELAR_INVALID);
  CHECK_STATUS(telar_sched_block_free(p.sched, 0, NONE), TELAR_INVALID);
  play_close(&p);
}

/* The owner writes its value and the worker its result into the same block. */
static void the_next_writer_gets_the_same_block(void) {
  store s;
  open_store(&s, 1);
  uint64_t block = allocate(&s, 3, NONE, BIG);
  uint64_t used = in_use(&s);
  for (int lap = 0; lap < 4; lap++) {
    play_submit(&s.play, 3);
    CHECK_EQUAL(play_next(&s.play, 0, NONE), 3);
    CHECK_EQUAL(allocate(&s, 3, 0, lap % 2 == 0 ? BIG : 10), block);
    CHECK(play_is_asleep(play_next(&s.play, 0, 3)));
    PLAY_DRAINS(&s.play, 3);
    CHECK_EQUAL(allocate(&s, 3, NONE, BIG), block);
    CHECK_EQUAL(in_use(&s), used);
  }
  /* The slot keeps the block even if this value does not need it. */
  play_submit(&s.play, 3);
  CHECK_EQUAL(play_next(&s.play, 0, NONE), 3);
  CHECK(play_is_asleep(play_next(&s.play, 0, 3)));
  PLAY_DRAINS(&s.play, 3);
  CHECK_EQUAL(allocate(&s, 3, NONE, 10), block);
  CHECK_STATUS(telar_sched_block_free(s.play.sched, 3, NONE), TELAR_OK);
  CHECK_EQUAL(in_use(&s), 0);
  CHECK_STATUS(telar_sched_block_free(s.play.sched, 3, NONE),
               TELAR_OK); /* freeing no block is not an error */
  CHECK_EQUAL(in_use(&s), 0);
  close_store(&s);
}

/* A slot whose block is too small for the result frees it before it allocates another. */
static void a_block_too_small_is_not_kept(void) {
  store s;
  open_store(&s, 1);
  uint64_t block = allocate(&s, 0, NONE, SMALL);
  play_submit(&s.play, 0);
  CHECK_EQUAL(play_next(&s.play, 0, NONE), 0);
  uint64_t bigger = allocate(&s, 0, 0, BIG);
  CHECK_EQUAL(telar_slab_capacity_at(s.slab, block), 0);
  CHECK_EQUAL(in_use(&s), telar_slab_capacity_at(s.slab, bigger));
  CHECK(play_is_asleep(play_next(&s.play, 0, 0)));
  PLAY_DRAINS(&s.play, 0);
  check_all_freed(&s);
  close_store(&s);
}

static void growing_keeps_the_old_block_until_the_next_call(void) {
  store s;
  open_store(&s, 1);
  for (uint32_t worker = 0; worker < 2; worker++) {
    uint32_t who = worker == 0 ? NONE : 0;
    if (who == 0) {
      play_submit(&s.play, 0);
      CHECK_EQUAL(play_next(&s.play, 0, NONE), 0);
    }
    uint64_t first = allocate(&s, 0, who, SMALL);
    uint64_t second = allocate(&s, 0, who, BIG);
    CHECK(first != second);
    CHECK(telar_slab_capacity_at(s.slab, first) != 0);
    /* Also if the old block would be large enough: its contents still have to be copied. */
    uint64_t third = allocate(&s, 0, who, BIG);
    CHECK(third != second && telar_slab_capacity_at(s.slab, second) != 0);
    CHECK_EQUAL(in_use(&s),
                telar_slab_capacity_at(s.slab, second) + telar_slab_capacity_at(s.slab, third));
    if (who == 0) {
      CHECK(play_is_asleep(play_next(&s.play, 0, 0)));
      PLAY_DRAINS(&s.play, 0);
    }
    CHECK_STATUS(telar_sched_block_free(s.play.sched, 0, NONE), TELAR_OK); /* both */
    CHECK_EQUAL(in_use(&s), 0);
  }
  /* The old block is also freed if the next call belongs to the next task. */
  allocate(&s, 0, NONE, SMALL);
  uint64_t grown = allocate(&s, 0, NONE, BIG);
  play_submit(&s.play, 0);
  CHECK_EQUAL(play_next(&s.play, 0, NONE), 0);
  CHECK_EQUAL(allocate(&s, 0, 0, SMALL), grown);
  CHECK_EQUAL(in_use(&s), telar_slab_capacity_at(s.slab, grown));
  close_store(&s);
}

static void a_failure_to_grow_leaves_the_block(void) {
  store s;
  open_store(&s, 1);
  uint64_t offset, capacity, block = allocate(&s, 0, NONE, BIG);
  CHECK_STATUS(telar_sched_block_alloc(s.play.sched, 0, NONE, MAX_BLOCK + 1, &offset, &capacity),
               TELAR_TOO_LARGE);
  CHECK(telar_slab_capacity_at(s.slab, block) >= BIG);
  uint32_t taken = 0;
  uint64_t others[64];
  while (telar_slab_alloc(s.slab, MAX_BLOCK, &others[taken], &capacity) == TELAR_OK) taken++;
  CHECK_STATUS(telar_sched_block_alloc(s.play.sched, 0, NONE, MAX_BLOCK, &offset, &capacity),
               TELAR_NO_MEMORY);
  CHECK(telar_slab_capacity_at(s.slab, block) >= BIG);
  /* The contents of a kept block are not needed: it is freed to make room, and can be allocated
   * again. */
  play_submit(&s.play, 0);
  CHECK_EQUAL(play_next(&s.play, 0, NONE), 0);
  CHECK_STATUS(telar_sched_block_alloc(s.play.sched, 0, 0, MAX_BLOCK + 1, &offset, &capacity),
               TELAR_TOO_LARGE);
  allocate(&s, 0, 0, BIG);
  CHECK(play_is_asleep(play_next(&s.play, 0, 0)));
  PLAY_DRAINS(&s.play, 0);
  while (taken > 0) CHECK_STATUS(telar_slab_free(s.slab, others[--taken]), TELAR_OK);
  check_all_freed(&s);
  close_store(&s);
}

/* Slots that come back in other ways than drain keep their blocks. */
static void no_way_back_loses_a_block(void) {
  store s;
  open_store(&s, 2);
  for (uint32_t i = 0; i < 5; i++) {
    allocate(&s, i, NONE, SMALL);
    if (i == 3) {
      CHECK_STATUS(sched_submit_to(s.play.sched, 3, 1, TELAR_LANE_FORCED), TELAR_OK);
    } else {
      play_submit(&s.play, i);
    }
    if (i < 2) CHECK_EQUAL(play_next(&s.play, 1, NONE), i);
  }
  allocate(&s, 0, 1, BIG);
  allocate(&s, 0, 1, 2 * BIG); /* dies while the old block is still kept */
  uint32_t out[8], claimed;
  CHECK_EQUAL(telar_sched_worker_retire(s.play.sched, 1, out, 8, &claimed), 3);
  CHECK_EQUAL(claimed, 2);
  CHECK_EQUAL(telar_sched_withdraw(s.play.sched, out, 8), 2);
  /* What a dead worker had begun to write is not kept: no thread reads it. */
  uint64_t before = in_use(&s);
  allocate(&s, 0, NONE, SMALL);
  CHECK(in_use(&s) < before);
  check_all_freed(&s);
  close_store(&s);
}

int main(void) {
  check_deadline(60);
  only_the_holder_of_a_slot_may_use_its_block();
  the_next_writer_gets_the_same_block();
  a_block_too_small_is_not_kept();
  growing_keeps_the_old_block_until_the_next_call();
  a_failure_to_grow_leaves_the_block();
  no_way_back_loses_a_block();
  return 0;
}
