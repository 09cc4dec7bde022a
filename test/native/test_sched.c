/*
 * sched: the result of each call, in every state of a slot and of a worker. One thread runs the
 * owner and all workers. test_sched_wake.c tests which workers are woken, test_sched_stress.c uses
 * threads.
 */
#include "sched_play.h"

/* --- setup ---------------------------------------------------------------------- */

static void refuses_bad_configurations(void) {
  telar_sched_config good = play_config(8, 2, 1);
  char *memory = check_memory(telar_sched_size(&good) + TELAR_CACHELINE);
  telar_sched *sched = NULL;
  static const uint32_t bad_slots[] = {0, 1, 3, 100, 65537, 131072, UINT32_MAX};
  for (size_t i = 0; i < sizeof bad_slots / sizeof bad_slots[0]; i++) {
    telar_sched_config bad = good;
    bad.slots = bad_slots[i];
    CHECK_EQUAL(telar_sched_size(&bad), 0);
    CHECK_STATUS(telar_sched_init(memory, &bad, &sched), TELAR_INVALID);
  }
  static const telar_sched_config bad[] = {
      {.slots = 8, .workers = 0, .concurrency = 1, .cpus = 1, .wake = play_count_ring},
      {.slots = 8, .workers = 32769, .concurrency = 1, .cpus = 1, .wake = play_count_ring},
      {.slots = 8, .workers = 2, .concurrency = 0, .cpus = 1, .wake = play_count_ring},
      {.slots = 8, .workers = 2, .concurrency = 65536, .cpus = 1, .wake = play_count_ring},
      {.slots = 8, .workers = 2, .concurrency = 1, .cpus = 0, .wake = play_count_ring},
      {.slots = 8, .workers = 2, .concurrency = 1, .cpus = 1, .wake = NULL},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    CHECK_EQUAL(telar_sched_size(&bad[i]), 0);
    CHECK_STATUS(telar_sched_init(memory, &bad[i], &sched), TELAR_INVALID);
  }
  CHECK_STATUS(telar_sched_init(memory + 64, &good, &sched), TELAR_INVALID);
  CHECK_STATUS(telar_sched_init(NULL, &good, &sched), TELAR_INVALID);
  CHECK_STATUS(telar_sched_init(memory, NULL, &sched), TELAR_INVALID);
  CHECK_STATUS(telar_sched_init(memory, &good, NULL), TELAR_INVALID);
  CHECK_EQUAL(telar_sched_size(NULL), 0);
  CHECK(sched == NULL);
  CHECK_EQUAL(telar_sched_size(&good) % telar_sched_align(), 0);
  check_free(memory);

  /* The size does not depend on how many places a worker has. */
  telar_sched_config narrow = play_config(4096, 130, 1), wide = play_config(4096, 130, 65535);
  CHECK_EQUAL(telar_sched_size(&wide), telar_sched_size(&narrow));

  telar_sched_config largest = play_config(65536, 1, 65535);
  CHECK(telar_sched_size(&largest) > 65536 * sizeof(uint64_t));
  largest = play_config(2, 32768, 1);
  CHECK(telar_sched_size(&largest) > 32768 * sizeof(uint64_t));
}

static void the_worker_table_has_an_end(void) {
  play p;
  play_open(&p, play_config(4, 3, 1));
  CHECK_STATUS(telar_sched_worker_attach(p.sched, 0), TELAR_INVALID); /* not added yet */
  play_hire_many(&p, 3);
  uint32_t worker = 77;
  CHECK_STATUS(telar_sched_worker_add(p.sched, &worker), TELAR_FULL);
  CHECK_EQUAL(worker, 77);
  CHECK_STATUS(telar_sched_worker_attach(p.sched, 3), TELAR_INVALID);
  CHECK_STATUS(telar_sched_worker_attach(p.sched, 1), TELAR_INVALID);
  play_park(&p, 1);
  CHECK_STATUS(telar_sched_worker_attach(p.sched, 1), TELAR_INVALID);
  play_close(&p);
}

static void a_worker_says_that_it_is_ready(void) {
  play p;
  play_open(&p, play_config(4, 2, 1));
  play_hire_many(&p, 2);
  CHECK(!telar_sched_worker_is_ready(p.sched, 0) && !telar_sched_worker_is_ready(p.sched, 1));
  CHECK(!telar_sched_worker_is_ready(p.sched, 2));
  telar_sched_worker_set_ready(p.sched, 1);
  CHECK(!telar_sched_worker_is_ready(p.sched, 0) && telar_sched_worker_is_ready(p.sched, 1));
  CHECK_EQUAL(p.owner_rings, 1);
  play_close(&p);
}

static telar_cancel_result cancel(play *p, uint32_t slot, uint32_t expected_worker) {
  uint32_t worker = 77;
  telar_cancel_result result = telar_sched_cancel(p->sched, slot, &worker);
  CHECK_EQUAL(worker, expected_worker);
  return result;
}

/* --- the life of a slot ------------------------------------------------------------ */

static void takes_back_only_what_was_submitted(void) {
  play p;
  play_open(&p, play_config(4, 2, 1));
  play_hire_many(&p, 2);
  for (int lap = 0; lap < 3; lap++) {
    /* OWNED */
    CHECK_STATUS(telar_sched_complete(p.sched, 0, 2), TELAR_INVALID);
    CHECK_STATUS(telar_sched_submit(p.sched, 4, true, 0), TELAR_INVALID);
    CHECK_STATUS(telar_sched_submit(p.sched, NONE, true, 0), TELAR_INVALID);
    CHECK_EQUAL(telar_sched_outstanding(p.sched), 0);
    CHECK_STATUS(telar_sched_submit(p.sched, 2, true, 0), TELAR_OK);
    /* QUEUED */
    CHECK_STATUS(telar_sched_submit(p.sched, 2, true, 0), TELAR_INVALID);
    CHECK_STATUS(sched_submit_to(p.sched, 2, 0, TELAR_LANE_FORCED), TELAR_INVALID);
    CHECK_STATUS(telar_sched_complete(p.sched, 0, 2), TELAR_INVALID);
    CHECK_EQUAL(telar_sched_outstanding(p.sched), 1);
    CHECK_EQUAL(telar_sched_ready_length(p.sched), 1);
    play_drains_nothing(&p);
    CHECK_EQUAL(play_next(&p, 0, NONE), 2);
    /* CLAIMED */
    CHECK_EQUAL(telar_sched_ready_length(p.sched), 0);
    CHECK_STATUS(telar_sched_submit(p.sched, 2, true, 0), TELAR_INVALID);
    CHECK_STATUS(telar_sched_complete(p.sched, 1, 2), TELAR_INVALID);
    CHECK_STATUS(telar_sched_complete(p.sched, 0, 3), TELAR_INVALID);
    CHECK_STATUS(telar_sched_complete(p.sched, 0, 4), TELAR_INVALID);
    CHECK(play_is_asleep(play_next(&p, 1, 2))); /* not worker 1's slot: it stays claimed */
    play_drains_nothing(&p);
    CHECK_STATUS(telar_sched_complete(p.sched, 0, 2), TELAR_OK);
    /* DONE */
    CHECK_STATUS(telar_sched_complete(p.sched, 0, 2), TELAR_INVALID);
    CHECK_STATUS(telar_sched_submit(p.sched, 2, true, 0), TELAR_INVALID);
    CHECK_EQUAL(telar_sched_outstanding(p.sched), 1);
    PLAY_DRAINS(&p, 2);
    CHECK_EQUAL(telar_sched_outstanding(p.sched), 0);
    play_drains_nothing(&p);
    CHECK_EQUAL(telar_sched_worker_completed(p.sched, 0), (uint64_t)lap + 1);
    CHECK_EQUAL(telar_sched_worker_completed(p.sched, 1), 0);
    CHECK_EQUAL(telar_sched_worker_completed(p.sched, 2), 0);
  }
  play_close(&p);
}

/* The same for a slot that cannot be cancelled. */
static void a_slot_that_cannot_be_cancelled_goes_round(void) {
  play p;
  play_open(&p, play_config(4, 2, 1));
  play_hire_many(&p, 2);
  for (int lap = 0; lap < 3; lap++) {
    CHECK_STATUS(telar_sched_submit(p.sched, 1, false, 0), TELAR_OK);
    CHECK_STATUS(telar_sched_submit(p.sched, 1, false, 0), TELAR_INVALID);
    CHECK_EQUAL(cancel(&p, 1, NONE), TELAR_CANCEL_INVALID);
    CHECK_EQUAL(play_next(&p, 0, NONE), 1);
    CHECK_EQUAL(cancel(&p, 1, NONE), TELAR_CANCEL_INVALID);
    CHECK_STATUS(telar_sched_submit(p.sched, 1, true, 0), TELAR_INVALID);
    CHECK_STATUS(telar_sched_complete(p.sched, 1, 1), TELAR_INVALID);
    CHECK_STATUS(telar_sched_complete(p.sched, 0, 1), TELAR_OK);
    CHECK_STATUS(telar_sched_complete(p.sched, 0, 1), TELAR_INVALID);
    CHECK_EQUAL(cancel(&p, 1, NONE), TELAR_CANCEL_INVALID);
    PLAY_DRAINS(&p, 1);
    /* Each submit decides anew whether a slot is cancellable. */
    play_submit(&p, 1);
    CHECK_EQUAL(cancel(&p, 1, NONE), TELAR_CANCEL_QUEUED);
    play_park(&p, 0);
    PLAY_DRAINS(&p, 1);
    CHECK_STATUS(telar_sched_submit(p.sched, 1, false, 0), TELAR_OK);
    CHECK_EQUAL(play_next(&p, 0, NONE), 1);
    uint32_t out, claimed;
    CHECK_EQUAL(telar_sched_worker_retire(p.sched, 0, &out, 1, &claimed), 1);
    CHECK_EQUAL(telar_sched_worker_retire(p.sched, 0, &out, 1, &claimed), 0);
    CHECK_EQUAL(out, 1);
    CHECK_EQUAL(play_hire(&p), 0);
  }
  play_close(&p);
}

/* In every state of a slot, only its holder can complete it, and only once. */
static void only_the_holder_of_a_slot_may_complete_it(void) {
  for (int cancellable = 0; cancellable < 2; cancellable++) {
    play p;
    play_open(&p, play_config(8, 3, 2));
    play_hire_many(&p, 2);
#define REFUSED(worker, slot)                                                 \
  do {                                                                        \
    uint64_t completed_ = telar_sched_worker_completed(p.sched, worker);      \
    uint32_t usage_ = telar_sched_worker_usage(p.sched, worker);              \
    CHECK(!telar_sched_holds(p.sched, worker, slot));                         \
    CHECK_STATUS(telar_sched_complete(p.sched, worker, slot), TELAR_INVALID); \
    CHECK_EQUAL(telar_sched_worker_completed(p.sched, worker), completed_);   \
    CHECK_EQUAL(telar_sched_worker_usage(p.sched, worker), usage_);           \
  } while (0)
    REFUSED(0, 8);
    REFUSED(0, NONE);
    REFUSED(0, 3); /* OWNED */
    CHECK_STATUS(telar_sched_submit(p.sched, 3, cancellable, 0), TELAR_OK);
    REFUSED(0, 3); /* QUEUED */
    CHECK_EQUAL(play_next(&p, 0, NONE), 3);
    REFUSED(1, 3); /* another worker's slot */
    CHECK(play_is_asleep(play_next(&p, 1, 3)));
    play_drains_nothing(&p);
    CHECK(telar_sched_holds(p.sched, 0, 3));
    CHECK_STATUS(telar_sched_complete(p.sched, 0, 3), TELAR_OK);
    REFUSED(0, 3); /* DONE */
    CHECK(play_is_asleep(play_next(&p, 0, 3)));
    CHECK_EQUAL(telar_sched_worker_completed(p.sched, 0), 1);
    PLAY_DRAINS(&p, 3);
    REFUSED(0, 3);
    CHECK(play_is_asleep(play_next(&p, 0, 3)));
    play_drains_nothing(&p);
    /* The next task in this slot belongs to the other worker. */
    CHECK_STATUS(telar_sched_submit(p.sched, 3, cancellable, 0), TELAR_OK);
    CHECK_EQUAL(play_next(&p, 1, NONE), 3);
    REFUSED(0, 3);
    CHECK(play_is_asleep(play_next(&p, 0, 3)));
    play_drains_nothing(&p);
    if (cancellable) {
      CHECK_EQUAL(cancel(&p, 3, 1), TELAR_CANCEL_RUNNING);
      REFUSED(0, 3); /* CONDEMNED */
      CHECK(telar_sched_holds(p.sched, 1, 3));
    }
    CHECK_STATUS(telar_sched_complete(p.sched, 1, 3), TELAR_OK);
    REFUSED(1, 3); /* CANCELLED */
    PLAY_DRAINS(&p, 3);
#undef REFUSED
    play_close(&p);
  }
}

static void next_completes_and_claims_in_one_call(void) {
  play p;
  play_open(&p, play_config(4, 1, 1));
  play_hire(&p);
  for (uint32_t i = 0; i < 4; i++) play_submit(&p, i);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(play_next(&p, 0, 0), 1);
  CHECK_EQUAL(play_next(&p, 0, 1), 2);
  PLAY_DRAINS(&p, 0, 1);
  CHECK_EQUAL(play_next(&p, 0, 2), 3);
  CHECK(play_is_asleep(play_next(&p, 0, 3)));
  uint32_t out[2];
  CHECK_EQUAL(telar_sched_drain(p.sched, out, 1), 1);
  CHECK_EQUAL(out[0], 2);
  CHECK_EQUAL(telar_sched_drain(p.sched, out, 2), 1);
  CHECK_EQUAL(out[0], 3);
  CHECK_EQUAL(telar_sched_worker_completed(p.sched, 0), 4);
  play_close(&p);
}

static void the_ready_queue_keeps_its_order(uint32_t slots, uint32_t start) {
  play p;
  telar_sched_config config = play_config(slots, 1, 1);
  config.start = start;
  play_open(&p, config);
  play_hire(&p);
  for (uint32_t lap = 0; lap < 4; lap++) {
    for (uint32_t i = 0; i < slots; i++) {
      /* ready_length publishes the deferred pushes, so do not call it in every lap. */
      if (lap % 2 == 0) CHECK_EQUAL(telar_sched_ready_length(p.sched), i);
      play_submit(&p, (i * 3 + lap) % slots); /* 3 and a power of two: a permutation */
    }
    uint32_t done = NONE;
    for (uint32_t i = 0; i < slots; i++) {
      uint32_t wanted = (i * 3 + lap) % slots;
      CHECK_EQUAL(play_next(&p, 0, done), wanted);
      done = wanted;
    }
    CHECK(play_is_asleep(play_next(&p, 0, done)));
    uint32_t out[PLAY_SLOTS_MOST];
    CHECK_EQUAL(telar_sched_drain(p.sched, out, slots), slots);
    for (uint32_t i = 0; i < slots; i++) CHECK_EQUAL(out[i], (i * 3 + lap) % slots);
  }
  play_close(&p);
}

/* --- places ---------------------------------------------------------------------------- */

static void claims_no_more_than_its_places(void) {
  play p;
  play_open(&p, play_config(8, 2, 3));
  play_hire_many(&p, 2);
  for (uint32_t i = 0; i < 8; i++) play_submit(&p, i);
  for (uint32_t i = 0; i < 3; i++) {
    CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), i);
    CHECK_EQUAL(play_next(&p, 0, NONE), i);
  }
  /* It is full, so it does not stand by. */
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_PARK);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 3);
  CHECK_EQUAL(play_next(&p, 1, NONE), 3);
  /* Tasks complete in any order; each completion frees one place. */
  CHECK_STATUS(telar_sched_complete(p.sched, 0, 1), TELAR_OK);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 2);
  CHECK_EQUAL(play_next(&p, 0, NONE), 4);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_PARK);
  CHECK_EQUAL(play_next(&p, 0, 2), 5);
  CHECK_EQUAL(play_next(&p, 0, 0), 6);
  PLAY_DRAINS(&p, 1, 2, 0);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 1), 1);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 2), 0);
  play_close(&p);
}

static void a_lane_belongs_to_one_worker(void) {
  play p;
  play_open(&p, play_config(8, 3, 2));
  play_hire_many(&p, 2);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 2, TELAR_LANE_FORCED),
               TELAR_INVALID); /* not added yet */
  CHECK_STATUS(sched_submit_to(p.sched, 0, 3, TELAR_LANE_FORCED), TELAR_INVALID);
  CHECK_STATUS(sched_submit_to(p.sched, 0, NONE, TELAR_LANE_FORCED), TELAR_INVALID);
  CHECK_STATUS(sched_submit_to(p.sched, 8, 0, TELAR_LANE_FORCED), TELAR_INVALID);
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 0);

  play_submit(&p, 7);
  CHECK_STATUS(sched_submit_to(p.sched, 1, 1, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 1, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 1), 2);
  CHECK_EQUAL(telar_sched_ready_length(p.sched), 1);
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 3);
  CHECK_STATUS(sched_submit_to(p.sched, 2, 1, TELAR_LANE_SHARED), TELAR_BUSY);
  CHECK_STATUS(sched_submit_to(p.sched, 2, 1, TELAR_LANE_EXCLUSIVE), TELAR_BUSY);
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 3);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 1), 2);

  CHECK_EQUAL(play_next(&p, 0, NONE), 7);
  play_park(&p, 0);
  play_submit(&p, 6);
  /* Both places are reserved: it runs the lane first, in order, and nothing from the ready
   * queue. */
  CHECK_EQUAL(play_next(&p, 1, NONE), 1);
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  CHECK_EQUAL(play_next(&p, 1, NONE), TELAR_NEXT_PARK);
  CHECK_EQUAL(play_next(&p, 1, 1), 6);
  play_submit(&p, 2); /* after BUSY the slot still belongs to the owner */
  CHECK_EQUAL(play_next(&p, 0, NONE), 2);
  PLAY_DRAINS(&p, 1);
  play_close(&p);
}

/* An owner that is rung for a result may count on the place at once. It checks inside the callback
 * of its bell: a later check, or one from another thread, would prove less. */
static void look_at_places(void *context, uint32_t worker) {
  play *p = context;
  play_count_ring(p, worker);
  if (worker == NONE) CHECK_EQUAL(telar_sched_worker_usage(p->sched, 0), 0);
}

static void a_place_is_free_when_its_task_is_seen_to_be_done(void) {
  for (int way = 0; way < 4; way++) {
    play p;
    telar_sched_config config = play_config(8, 1, 3);
    config.wake = look_at_places;
    play_open(&p, config);
    play_hire(&p);
    CHECK(telar_sched_owner_sleep(p.sched));
    if (way == 0) {
      play_submit(&p, 0);
    } else {
      telar_lane_mode mode = way == 1   ? TELAR_LANE_SHARED
                             : way == 2 ? TELAR_LANE_EXCLUSIVE
                                        : TELAR_LANE_FORCED;
      CHECK_STATUS(sched_submit_to(p.sched, 0, 0, mode), TELAR_OK);
    }
    CHECK_EQUAL(play_next(&p, 0, NONE), 0);
    CHECK(play_is_asleep(play_next(&p, 0, 0)));
    CHECK_EQUAL(p.owner_rings, 1);
    play_close(&p);
  }
}

static void a_claim_takes_the_place_of_a_lane_task(void) {
  play p;
  play_open(&p, play_config(8, 1, 2));
  play_hire(&p);
  play_submit(&p, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_STATUS(sched_submit_to(p.sched, 1, 0, TELAR_LANE_EXCLUSIVE), TELAR_BUSY);
  CHECK_STATUS(sched_submit_to(p.sched, 1, 0, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_STATUS(sched_submit_to(p.sched, 2, 0, TELAR_LANE_SHARED), TELAR_BUSY);
  CHECK_EQUAL(play_next(&p, 0, 0), 1);
  CHECK_STATUS(telar_sched_complete(p.sched, 0, 1), TELAR_OK);
  CHECK_STATUS(sched_submit_to(p.sched, 2, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  play_close(&p);
}

/* A completed task leaves its place to the next one, unless that one has its own. */
static void a_lane_task_does_not_cost_two_places(void) {
  play p;
  play_open(&p, play_config(8, 1, 2));
  play_hire(&p);
  CHECK_STATUS(telar_sched_submit(p.sched, 0, false, 0), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_STATUS(sched_submit_to(p.sched, 1, 0, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, 0), 1);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 1);
  CHECK_STATUS(sched_submit_to(p.sched, 2, 0, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, 1), 2);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 1);
  play_close(&p);
}

static void an_exclusive_task_has_the_worker_to_itself(void) {
  play p;
  play_open(&p, play_config(8, 1, 3));
  play_hire(&p);
  for (int lap = 0; lap < 3; lap++) {
    CHECK_STATUS(sched_submit_to(p.sched, 0, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
    CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 3);
    CHECK_STATUS(sched_submit_to(p.sched, 1, 0, TELAR_LANE_SHARED), TELAR_BUSY);
    CHECK_STATUS(sched_submit_to(p.sched, 1, 0, TELAR_LANE_EXCLUSIVE), TELAR_BUSY);
    play_submit(&p, 1);
    CHECK_EQUAL(play_next(&p, 0, NONE), 0);
    CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_PARK);
    CHECK_EQUAL(play_next(&p, 0, 0), 1);
    CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 1);
    CHECK(play_is_asleep(play_next(&p, 0, 1)));
    CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 0);
    PLAY_DRAINS(&p, 0, 1);
  }
  play_close(&p);
}

static void a_lane_holds_as_many_tasks_as_there_are_slots(void) {
  play p;
  play_open(&p, play_config(256, 2, 1));
  play_hire_many(&p, 2);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 1, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  for (uint32_t i = 1; i < 255; i++) {
    CHECK_STATUS(sched_submit_to(p.sched, i, 1, TELAR_LANE_FORCED), TELAR_OK);
  }
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 255);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 1), 255);
  CHECK_STATUS(sched_submit_to(p.sched, 255, 0, TELAR_LANE_FORCED), TELAR_OK);
  /* Forced beyond the limit, all of them run at once, and none on another worker. */
  CHECK_EQUAL(play_next(&p, 0, NONE), 255);
  for (uint32_t i = 0; i < 255; i++) CHECK_EQUAL(play_next(&p, 1, NONE), i);
  CHECK_EQUAL(play_next(&p, 1, NONE), TELAR_NEXT_PARK);
  for (uint32_t i = 0; i < 255; i++) CHECK_STATUS(telar_sched_complete(p.sched, 1, i), TELAR_OK);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 1), 0);
  uint32_t out[256];
  CHECK_EQUAL(telar_sched_drain(p.sched, out, 256), 255);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 1, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  play_close(&p);
}

static void a_place_can_be_reserved_before_its_task_comes(void) {
  play p;
  play_open(&p, play_config(8, 2, 2));
  play_hire_many(&p, 1);
  uint32_t places = 77;
  CHECK_STATUS(telar_sched_reserve(p.sched, 1, TELAR_LANE_FORCED, &places),
               TELAR_INVALID); /* not added */
  CHECK_STATUS(telar_sched_reserve(p.sched, NONE, TELAR_LANE_FORCED, &places), TELAR_INVALID);
  CHECK_STATUS(telar_sched_unreserve(p.sched, 1, 1), TELAR_INVALID);
  CHECK_EQUAL(places, 77);
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_SHARED, &places), TELAR_OK);
  CHECK_EQUAL(places, 1);
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_EXCLUSIVE, &places), TELAR_BUSY);
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_SHARED, &places), TELAR_OK);
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_SHARED, &places), TELAR_BUSY);
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_FORCED, &places), TELAR_OK);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 3);
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 0);
  /* No other task gets a reserved place. */
  play_submit(&p, 7);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_PARK);
  CHECK_STATUS(telar_sched_submit_to(p.sched, 0, 0, 0, 0), TELAR_INVALID); /* not reserved */
  CHECK_STATUS(telar_sched_submit_to(p.sched, 7, 0, 1, 0), TELAR_INVALID);
  for (uint32_t i = 0; i < 3; i++) {
    CHECK_STATUS(telar_sched_submit_to(p.sched, i, 0, 1, 0), TELAR_OK);
  }
  for (uint32_t i = 0; i < 3; i++) CHECK_EQUAL(play_next(&p, 0, NONE), i);
  for (uint32_t i = 0; i < 3; i++) CHECK_STATUS(telar_sched_complete(p.sched, 0, i), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 7);
  CHECK(play_is_asleep(play_next(&p, 0, 7)));
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_EXCLUSIVE, &places), TELAR_OK);
  CHECK_EQUAL(places, 2);
  CHECK(!telar_sched_worker_close_idle(p.sched, 0));
  CHECK_STATUS(telar_sched_submit_to(p.sched, 4, 0, places, 0), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 4);
  CHECK(play_is_asleep(play_next(&p, 0, 4)));
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 0);
  play_close(&p);
}

static void a_reserved_place_can_be_given_back(void) {
  play p;
  play_open(&p, play_config(8, 1, 2));
  play_hire(&p);
  uint32_t places = 0;
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_EXCLUSIVE, &places), TELAR_OK);
  CHECK_STATUS(telar_sched_unreserve(p.sched, 0, places), TELAR_OK);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 0);
  CHECK_EQUAL(p.owner_rings, 0); /* no watch is set */
  CHECK_STATUS(telar_sched_reserve(p.sched, 0, TELAR_LANE_EXCLUSIVE, &places), TELAR_OK);
  telar_sched_watch_claims(p.sched);
  CHECK_STATUS(telar_sched_unreserve(p.sched, 0, places), TELAR_OK);
  CHECK_EQUAL(p.owner_rings, 1); /* the owner waited for a place */
  CHECK_STATUS(sched_submit_to(p.sched, 1, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 1);
  play_close(&p);
}

/* A place beyond the limit is not left to the next task. */
static void a_forced_task_leaves_no_place_behind(void) {
  play p;
  play_open(&p, play_config(8, 1, 1));
  play_hire(&p);
  play_submit(&p, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_STATUS(sched_submit_to(p.sched, 1, 0, TELAR_LANE_FORCED), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 1);
  play_submit(&p, 2);
  CHECK_EQUAL(play_next(&p, 0, 1), TELAR_NEXT_PARK);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 1);
  CHECK_EQUAL(play_next(&p, 0, 0), 2);
  CHECK(play_is_asleep(play_next(&p, 0, 2)));
  PLAY_DRAINS(&p, 1, 0, 2);

  /* The other task does not leave its place either while the forced task runs: the worker stays
   * beyond the limit no longer than necessary. */
  CHECK_STATUS(telar_sched_submit(p.sched, 0, false, 0), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_STATUS(sched_submit_to(p.sched, 1, 0, TELAR_LANE_FORCED), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 1);
  play_submit(&p, 2);
  CHECK_EQUAL(play_next(&p, 0, 0), TELAR_NEXT_PARK);
  CHECK_EQUAL(play_next(&p, 0, 1), 2);
  play_close(&p);
}

/* --- cancel ---------------------------------------------------------------------------- */

static void cancels_what_no_worker_has_claimed(void) {
  play p;
  play_open(&p, play_config(8, 2, 2));
  play_hire_many(&p, 2);
  CHECK_EQUAL(cancel(&p, 0, NONE), TELAR_CANCEL_INVALID);
  CHECK_EQUAL(cancel(&p, 8, NONE), TELAR_CANCEL_INVALID);
  CHECK_EQUAL(cancel(&p, NONE, NONE), TELAR_CANCEL_INVALID);
  for (uint32_t i = 0; i < 4; i++) play_submit(&p, i);
  CHECK_STATUS(sched_submit_to(p.sched, 4, 1, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  CHECK_EQUAL(cancel(&p, 0, NONE), TELAR_CANCEL_QUEUED);
  CHECK_EQUAL(cancel(&p, 2, NONE), TELAR_CANCEL_QUEUED);
  CHECK_EQUAL(cancel(&p, 4, NONE), TELAR_CANCEL_QUEUED);
  CHECK_EQUAL(cancel(&p, 0, NONE), TELAR_CANCEL_INVALID); /* cancelled, on its way back */
  CHECK_STATUS(telar_sched_submit(p.sched, 0, true, 0), TELAR_INVALID);
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 5);
  CHECK_EQUAL(play_next(&p, 0, NONE), 1);
  CHECK_EQUAL(play_next(&p, 0, NONE), 3);
  PLAY_DRAINS(&p, 0, 2);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 2);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 1), 2);
  play_park(&p, 1);
  PLAY_DRAINS(&p, 4);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 1), 0);
  CHECK_EQUAL(telar_sched_worker_completed(p.sched, 1), 0);
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 2);
  /* A queue with only a cancelled task: the place taken to claim it is given back. */
  play_submit(&p, 0);
  CHECK_EQUAL(cancel(&p, 0, NONE), TELAR_CANCEL_QUEUED);
  play_park(&p, 1);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 1), 0);
  PLAY_DRAINS(&p, 0);
  play_submit(&p, 0);
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  play_close(&p);
}

static void a_worker_that_ends_with_a_task_of_its_lane_claims_nothing_in_its_place(void) {
  play p;
  uint32_t worker;
  play_open(&p, play_config(8, 2, 2));
  play_hire_many(&p, 2);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  play_submit(&p, 1);
  CHECK_EQUAL(telar_sched_cancel_closing(p.sched, 0, 0, &worker), TELAR_CANCEL_QUEUED);
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_CLOSED);
  CHECK_EQUAL(play_next(&p, 1, NONE), 1);
  play_close(&p);

  /* The task runs: as in cancel. */
  play_open(&p, play_config(8, 2, 2));
  play_hire_many(&p, 2);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(telar_sched_cancel_closing(p.sched, 0, 0, &worker), TELAR_CANCEL_RUNNING);
  CHECK_EQUAL(worker, 0);
  CHECK_EQUAL(play_next(&p, 0, 0), TELAR_NEXT_CLOSED);
  play_close(&p);

  /* The task is done: the worker continues. It is rung, because it may have seen itself closed. */
  play_open(&p, play_config(8, 2, 2));
  play_hire_many(&p, 2);
  CHECK_STATUS(sched_submit_to(p.sched, 0, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_STATUS(telar_sched_complete(p.sched, 0, 0), TELAR_OK);
  play_rung(&p);
  CHECK_EQUAL(telar_sched_cancel_closing(p.sched, 0, 0, &worker), TELAR_CANCEL_DONE);
  CHECK_EQUAL(play_rung(&p), 1);
  play_submit(&p, 1);
  CHECK_EQUAL(play_next(&p, 0, NONE), 1);
  /* A worker that was closed before stays closed. */
  telar_sched_worker_close(p.sched, 0);
  CHECK_EQUAL(telar_sched_cancel_closing(p.sched, 2, 0, &worker), TELAR_CANCEL_INVALID);
  CHECK_EQUAL(play_next(&p, 0, 1), TELAR_NEXT_CLOSED);
  play_close(&p);
}

static void a_worker_whose_task_was_cancelled_claims_nothing_more(uint32_t concurrency) {
  play p;
  play_open(&p, play_config(8, 2, concurrency));
  play_hire_many(&p, 2);
  play_submit(&p, 0);
  play_submit(&p, 1);
  CHECK_EQUAL(play_next(&p, 1, NONE), 0);
  CHECK_EQUAL(cancel(&p, 0, 1), TELAR_CANCEL_RUNNING);
  CHECK_EQUAL(cancel(&p, 0, NONE), TELAR_CANCEL_INVALID); /* only once */
  if (concurrency > 1) CHECK_EQUAL(play_next(&p, 1, NONE), TELAR_NEXT_CLOSED);
  CHECK_STATUS(telar_sched_complete(p.sched, 0, 0), TELAR_INVALID);
  play_drains_nothing(&p);
  CHECK_EQUAL(play_next(&p, 1, 0), TELAR_NEXT_CLOSED);
  CHECK_EQUAL(cancel(&p, 0, NONE), TELAR_CANCEL_INVALID);
  PLAY_DRAINS(&p, 0);
  CHECK_EQUAL(play_next(&p, 1, NONE), TELAR_NEXT_CLOSED);
  CHECK_EQUAL(play_next(&p, 0, NONE), 1);
  play_close(&p);
}

static void cancel_comes_too_late_for_a_finished_task(void) {
  play p;
  play_open(&p, play_config(8, 1, 1));
  play_hire(&p);
  play_submit(&p, 3);
  play_submit(&p, 4);
  CHECK_EQUAL(play_next(&p, 0, NONE), 3);
  CHECK_STATUS(telar_sched_complete(p.sched, 0, 3), TELAR_OK);
  CHECK_EQUAL(cancel(&p, 3, NONE), TELAR_CANCEL_DONE);
  CHECK_EQUAL(cancel(&p, 3, NONE), TELAR_CANCEL_DONE);
  CHECK_EQUAL(play_next(&p, 0, NONE), 4); /* and does not affect the worker */
  PLAY_DRAINS(&p, 3);
  CHECK_EQUAL(cancel(&p, 3, NONE), TELAR_CANCEL_INVALID);
  play_close(&p);
}

/* --- close, retire ------------------------------------------------------------------------ */

static void closes_a_worker_only_when_it_is_idle(void) {
  play p;
  play_open(&p, play_config(8, 4, 2));
  play_hire_many(&p, 3);
  CHECK(!telar_sched_worker_close_idle(p.sched, 3));
  CHECK(!telar_sched_worker_close_idle(p.sched, 4));
  CHECK(!telar_sched_worker_close_idle(p.sched, NONE));
  play_submit(&p, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_STATUS(sched_submit_to(p.sched, 1, 1, TELAR_LANE_SHARED), TELAR_OK);
  CHECK(!telar_sched_worker_close_idle(p.sched, 0));
  CHECK(!telar_sched_worker_close_idle(p.sched, 1));
  CHECK(telar_sched_worker_close_idle(p.sched, 2));
  CHECK(!telar_sched_worker_close_idle(p.sched, 2));
  CHECK_STATUS(sched_submit_to(p.sched, 2, 2, TELAR_LANE_SHARED), TELAR_BUSY);
  CHECK_STATUS(sched_submit_to(p.sched, 2, 2, TELAR_LANE_EXCLUSIVE), TELAR_BUSY);
  play_submit(&p, 2);
  CHECK_EQUAL(play_next(&p, 2, NONE), TELAR_NEXT_CLOSED);
  CHECK_EQUAL(play_next(&p, 1, NONE), 1); /* a refusal changes nothing */
  CHECK_EQUAL(play_next(&p, 0, 0), 2);
  CHECK(play_is_asleep(play_next(&p, 0, 2)));
  CHECK(telar_sched_worker_close_idle(p.sched, 0));
  CHECK_EQUAL(play_next(&p, 0, NONE), TELAR_NEXT_CLOSED);
  play_close(&p);
}

static void a_closed_worker_finishes_what_it_has(void) {
  play p;
  play_open(&p, play_config(8, 2, 2));
  play_hire_many(&p, 1);
  for (uint32_t i = 0; i < 4; i++) play_submit(&p, i);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), 1);
  telar_sched_worker_close(p.sched, 0);
  telar_sched_worker_close(p.sched, 1);
  telar_sched_worker_close(p.sched, NONE);
  CHECK_EQUAL(play_next(&p, 0, 1), TELAR_NEXT_CLOSED);
  CHECK_EQUAL(play_next(&p, 0, 0), TELAR_NEXT_CLOSED);
  PLAY_DRAINS(&p, 1, 0);
  CHECK_EQUAL(play_hire(&p), 1); /* the earlier close of a missing worker had no effect */
  CHECK_EQUAL(play_next(&p, 1, NONE), 2);
  play_close(&p);
}

/* Retires in portions of max, and checks that the slots come in this order. */
static void retires(play *p, uint32_t worker, uint32_t max, const uint32_t *wanted,
                    uint32_t wanted_claimed, uint32_t wanted_lane) {
  uint32_t out[PLAY_SLOTS_MOST], total = 0, total_claimed = 0, count, claimed;
  do {
    CHECK(total <= wanted_claimed + wanted_lane);
    count = telar_sched_worker_retire(p->sched, worker, out + total, max, &claimed);
    CHECK(count <= max && claimed <= count);
    CHECK(claimed == 0 || total == total_claimed); /* the claimed ones first */
    total += count;
    total_claimed += claimed;
  } while (count == max);
  CHECK_EQUAL(total, wanted_claimed + wanted_lane);
  CHECK_EQUAL(total_claimed, wanted_claimed);
  for (uint32_t i = 0; i < total; i++) CHECK_EQUAL(out[i], wanted[i]);
}

static void retire_gives_back_what_a_dead_worker_had(uint32_t max) {
  play p;
  play_open(&p, play_config(16, 2, 3));
  play_hire_many(&p, 2);
  static const uint32_t recovered[] = {2, 5, 11, 9, 3, 8};
  for (int lap = 0; lap < 3; lap++) {
    play_submit(&p, 5);
    play_submit(&p, 11);
    play_submit(&p, 12);
    play_submit(&p, 2);
    CHECK_EQUAL(play_next(&p, 1, NONE), 5);
    CHECK_EQUAL(play_next(&p, 1, NONE), 11);
    CHECK_EQUAL(play_next(&p, 0, NONE), 12);
    CHECK_EQUAL(play_next(&p, 1, NONE), 2);
    CHECK_EQUAL(play_next(&p, 1, NONE), TELAR_NEXT_PARK);
    for (uint32_t i = 3; i < 6; i++) {
      CHECK_STATUS(sched_submit_to(p.sched, recovered[i], 1, TELAR_LANE_FORCED), TELAR_OK);
    }
    CHECK_EQUAL(cancel(&p, 11, 1), TELAR_CANCEL_RUNNING);
    CHECK_EQUAL(cancel(&p, 3, NONE), TELAR_CANCEL_QUEUED);
    telar_sched_worker_set_ready(p.sched, 1);
    CHECK_EQUAL(telar_sched_outstanding(p.sched), 7);
    retires(&p, 1, max, recovered, 3, 3);
    CHECK_EQUAL(telar_sched_outstanding(p.sched), 1);
    CHECK_EQUAL(telar_sched_worker_usage(p.sched, 1), 0);
    CHECK(!telar_sched_worker_is_ready(p.sched, 1));
    play_drains_nothing(&p);
    /* All slots are OWNED again, and the index is free. */
    uint32_t out, claimed = 77;
    CHECK_EQUAL(telar_sched_worker_retire(p.sched, 1, &out, 1, &claimed), 0);
    CHECK_EQUAL(claimed, 0);
    for (uint32_t i = 0; i < 6; i++) {
      CHECK_EQUAL(cancel(&p, recovered[i], NONE), TELAR_CANCEL_INVALID);
    }
    CHECK_STATUS(sched_submit_to(p.sched, 2, 1, TELAR_LANE_FORCED), TELAR_INVALID);
    CHECK_STATUS(telar_sched_worker_attach(p.sched, 1), TELAR_INVALID);
    CHECK_EQUAL(play_hire(&p), 1);
    CHECK_EQUAL(telar_sched_worker_completed(p.sched, 1), 0);
    CHECK_STATUS(sched_submit_to(p.sched, 2, 1, TELAR_LANE_EXCLUSIVE), TELAR_OK);
    CHECK_EQUAL(play_next(&p, 1, NONE), 2);
    CHECK(play_is_asleep(play_next(&p, 1, 2)));
    CHECK(play_is_asleep(play_next(&p, 0, 12)));
    PLAY_DRAINS(&p, 2, 12);
    for (uint32_t i = 0; i < 6; i++) {
      play_submit(&p, recovered[i]);
      CHECK_EQUAL(play_next(&p, 0, NONE), recovered[i]);
      CHECK_STATUS(telar_sched_complete(p.sched, 0, recovered[i]), TELAR_OK);
      PLAY_DRAINS(&p, recovered[i]);
    }
    play_park(&p, 1);
  }
  play_close(&p);
}

static void retire_takes_nothing_of_others(void) {
  play p;
  play_open(&p, play_config(8, 4, 1));
  play_hire_many(&p, 3);
  for (uint32_t i = 0; i < 4; i++) play_submit(&p, i);
  for (uint32_t i = 0; i < 3; i++) CHECK_EQUAL(play_next(&p, i, NONE), i);
  CHECK_STATUS(telar_sched_complete(p.sched, 1, 1),
               TELAR_OK); /* finished before it died, so it is not lost */
  uint32_t out[8], claimed;
  CHECK_EQUAL(telar_sched_worker_retire(p.sched, 3, out, 8, &claimed), 0);
  CHECK_EQUAL(telar_sched_worker_retire(p.sched, 4, out, 8, &claimed), 0);
  CHECK_EQUAL(telar_sched_worker_retire(p.sched, NONE, out, 8, &claimed), 0);
  CHECK_EQUAL(telar_sched_worker_retire(p.sched, 1, out, 8, &claimed), 0);
  CHECK_EQUAL(claimed, 0);
  PLAY_DRAINS(&p, 1);
  CHECK_EQUAL(play_next(&p, 0, 0), 3);
  CHECK_STATUS(telar_sched_complete(p.sched, 2, 2), TELAR_OK);
  PLAY_DRAINS(&p, 0, 2);
  play_close(&p);
}

static void says_which_worker_runs_a_slot_and_since_when(void) {
  play p;
  play_open(&p, play_config(8, 2, 1));
  play_hire_many(&p, 2);
  play_submit(&p, 3);
  CHECK_EQUAL(telar_sched_claimed_by(p.sched, 3), NONE);
  uint64_t before = telar_os_now_ns();
  CHECK_EQUAL(play_next(&p, 1, NONE), 3);
  uint64_t after = telar_os_now_ns();
  CHECK_EQUAL(telar_sched_claimed_by(p.sched, 3), 1);
  uint64_t started = telar_sched_started_ns(p.sched, 3);
  CHECK(started >= before && started <= after);
  CHECK_EQUAL(telar_sched_claimed_by(p.sched, 2), NONE);
  CHECK_EQUAL(telar_sched_claimed_by(p.sched, 8), NONE);
  CHECK_EQUAL(telar_sched_claimed_by(p.sched, NONE), NONE);
  CHECK_EQUAL(telar_sched_started_ns(p.sched, 8), 0);
  uint32_t out[8], claimed;
  CHECK_EQUAL(telar_sched_worker_retire(p.sched, 1, out, 8, &claimed), 1);
  CHECK_EQUAL(telar_sched_claimed_by(p.sched, 3), NONE);
  CHECK_EQUAL(telar_sched_started_ns(p.sched, 3), started); /* for the error of its task */

  CHECK_STATUS(sched_submit_to(p.sched, 4, 0, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 4);
  CHECK_EQUAL(cancel(&p, 4, 0), TELAR_CANCEL_RUNNING);
  CHECK_EQUAL(telar_sched_claimed_by(p.sched, 4), 0); /* condemned, and still running */
  play_close(&p);
}

/* Whatever state a worker dies in, its index starts afresh. */
static void a_retired_index_starts_anew(void) {
  play p;
  play_open(&p, play_config(8, 1, 2));
  uint32_t out[8], claimed;
  for (int death = 0; death < 5; death++) {
    if (death == 4) { /* its thread never got as far as to attach */
      uint32_t worker;
      CHECK_STATUS(telar_sched_worker_add(p.sched, &worker), TELAR_OK);
      CHECK_STATUS(sched_submit_to(p.sched, 1, 0, TELAR_LANE_SHARED), TELAR_OK);
      CHECK_EQUAL(telar_sched_worker_retire(p.sched, 0, out, 8, &claimed), 1);
      CHECK_EQUAL(claimed, 0);
      CHECK_EQUAL(out[0], 1);
      break;
    }
    play_hire(&p);
    if (death == 0) CHECK(telar_sched_worker_close_idle(p.sched, 0));
    if (death == 1) telar_sched_worker_close(p.sched, 0);
    if (death == 2) {
      play_submit(&p, 0);
      CHECK_EQUAL(play_next(&p, 0, NONE), 0);
      CHECK_EQUAL(cancel(&p, 0, 0), TELAR_CANCEL_RUNNING);
      CHECK_EQUAL(play_next(&p, 0, 0), TELAR_NEXT_CLOSED);
      PLAY_DRAINS(&p, 0);
    }
    if (death == 3) play_park(&p, 0);
    CHECK_EQUAL(telar_sched_worker_retire(p.sched, 0, out, 8, &claimed), 0);
    play_hire(&p);
    play_park(&p, 0);
    play_rung(&p);
    CHECK_STATUS(sched_submit_to(p.sched, 2, 0, TELAR_LANE_EXCLUSIVE), TELAR_OK);
    CHECK_EQUAL(play_rung(&p), 1);
    CHECK_EQUAL(play_next(&p, 0, NONE), 2);
    CHECK(play_is_asleep(play_next(&p, 0, 2)));
    PLAY_DRAINS(&p, 2);
    CHECK_EQUAL(telar_sched_worker_retire(p.sched, 0, out, 8, &claimed), 0);
  }
  play_close(&p);
}

/* --- withdraw, watch -------------------------------------------------------------------- */

static void withdraws_what_is_in_the_ready_queue(void) {
  play p;
  play_open(&p, play_config(8, 1, 2));
  play_hire(&p);
  uint32_t out[8];
  CHECK_EQUAL(telar_sched_withdraw(p.sched, out, 8), 0);
  for (uint32_t i = 0; i < 6; i++) play_submit(&p, i);
  CHECK_STATUS(sched_submit_to(p.sched, 6, 0, TELAR_LANE_SHARED), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 6);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(cancel(&p, 2, NONE), TELAR_CANCEL_QUEUED);
  CHECK_EQUAL(telar_sched_withdraw(p.sched, out, 0), 0);
  CHECK_EQUAL(telar_sched_withdraw(p.sched, out, 3), 3);
  for (uint32_t i = 0; i < 3; i++) CHECK_EQUAL(out[i], 1 + i);
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 4);
  CHECK_EQUAL(telar_sched_withdraw(p.sched, out, 8), 2);
  CHECK_EQUAL(out[0], 4);
  CHECK_EQUAL(out[1], 5);
  CHECK_EQUAL(telar_sched_ready_length(p.sched), 0);
  for (uint32_t i = 1; i < 6; i++) CHECK_EQUAL(cancel(&p, i, NONE), TELAR_CANCEL_INVALID);
  CHECK_EQUAL(play_next(&p, 0, 6), TELAR_NEXT_STANDBY);
  play_submit(&p, 2);
  CHECK_EQUAL(play_next(&p, 0, NONE), 2);
  PLAY_DRAINS(&p, 6);
  CHECK_EQUAL(telar_sched_outstanding(p.sched), 2);
  play_close(&p);
}

/* For an owner that found no place: it is rung when a place that a worker kept for its next task
 * becomes free. */
static void rings_when_a_worker_runs_out_of_work(void) {
  play p;
  play_open(&p, play_config(8, 1, 1));
  play_hire(&p);
  CHECK_STATUS(telar_sched_submit(p.sched, 0, false, 0), TELAR_OK);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  telar_sched_watch_claims(p.sched);
  CHECK_EQUAL(p.owner_rings, 0);
  CHECK(play_is_asleep(play_next(&p, 0, 0)));
  CHECK_EQUAL(p.owner_rings, 1);
  CHECK_EQUAL(telar_sched_worker_usage(p.sched, 0), 0);
  play_close(&p);
}

static void rings_for_the_next_claim_once(void) {
  play p;
  play_open(&p, play_config(8, 2, 1));
  play_hire_many(&p, 2);
  for (uint32_t i = 0; i < 4; i++) play_submit(&p, i);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(p.owner_rings, 0);
  telar_sched_watch_claims(p.sched);
  CHECK_EQUAL(p.owner_rings, 0);
  CHECK_EQUAL(play_next(&p, 0, 0), 1);
  CHECK_EQUAL(p.owner_rings, 1);
  CHECK_EQUAL(play_next(&p, 1, NONE), 2);
  CHECK_EQUAL(p.owner_rings, 1);
  telar_sched_watch_claims(p.sched);
  CHECK_EQUAL(play_next(&p, 1, 2), 3);
  CHECK_EQUAL(p.owner_rings, 2);
  play_close(&p);
}

/* --- the owner's sleep ------------------------------------------------------------------- */

static void rings_the_owner_only_while_it_sleeps(void) {
  play p;
  play_open(&p, play_config(8, 1, 1));
  play_hire(&p);
  for (uint32_t i = 0; i < 6; i++) play_submit(&p, i);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(play_next(&p, 0, 0), 1);
  CHECK_EQUAL(p.owner_rings, 0); /* awake: it will poll */
  CHECK(!telar_sched_owner_sleep(p.sched));
  PLAY_DRAINS(&p, 0);
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK_EQUAL(p.owner_rings, 0);
  CHECK_EQUAL(play_next(&p, 0, 1), 2);
  CHECK_EQUAL(play_next(&p, 0, 2), 3);
  CHECK_EQUAL(p.owner_rings, 1); /* once for both */
  telar_sched_owner_awake(p.sched);
  telar_sched_owner_awake(p.sched);
  PLAY_DRAINS(&p, 1, 2);
  CHECK_EQUAL(play_next(&p, 0, 3), 4);
  CHECK_EQUAL(p.owner_rings, 1);
  CHECK(!telar_sched_owner_sleep(p.sched));
  CHECK_EQUAL(play_next(&p, 0, 4), 5); /* a sleep that was cancelled causes no ring */
  CHECK_EQUAL(p.owner_rings, 1);
  PLAY_DRAINS(&p, 3, 4);
  /* A bell that rang for another reason: the owner sleeps on, and is rung later. */
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK(telar_sched_owner_sleep(p.sched));
  CHECK(play_is_asleep(play_next(&p, 0, 5)));
  CHECK_EQUAL(p.owner_rings, 2);
  PLAY_DRAINS(&p, 5);
  /* Cancelled slots also ring. */
  telar_sched_owner_awake(p.sched);
  play_submit(&p, 0);
  CHECK_EQUAL(cancel(&p, 0, NONE), TELAR_CANCEL_QUEUED);
  CHECK(telar_sched_owner_sleep(p.sched));
  play_park(&p, 0);
  CHECK_EQUAL(p.owner_rings, 3);
  PLAY_DRAINS(&p, 0);
  play_close(&p);
}

/* One worker. With more than one CPU, calls may spin. */
static void open_with_cpus(play *p, uint32_t cpus) {
  telar_sched_config config = play_config(8, 1, 1);
  config.cpus = cpus;
  play_open(p, config);
  play_hire(p);
}

static void poll_takes_what_is_there(uint32_t cpus) {
  play p;
  open_with_cpus(&p, cpus);
  uint32_t out[8];
  CHECK_EQUAL(telar_sched_poll(p.sched, out, 8, UINT64_MAX), 0); /* nothing outstanding: no spin */
  for (uint32_t i = 0; i < 4; i++) play_submit(&p, i);
  CHECK_EQUAL(telar_sched_poll(p.sched, out, 8, 1000), 0);
  uint32_t done = NONE;
  for (uint32_t i = 0; i < 4; i++) {
    CHECK_EQUAL(play_next(&p, 0, done), i);
    done = i;
  }
  CHECK_EQUAL(telar_sched_poll(p.sched, out, 2, UINT64_MAX), 2);
  CHECK(out[0] == 0 && out[1] == 1);
  CHECK_EQUAL(telar_sched_poll(p.sched, out, 8, UINT64_MAX), 1);
  CHECK_EQUAL(out[0], 2);
  CHECK_EQUAL(telar_sched_poll(p.sched, out, 8, 0), 0);
  CHECK(play_is_asleep(play_next(&p, 0, 3)));
  CHECK_EQUAL(telar_sched_poll(p.sched, out, 8, 0), 1);
  play_close(&p);
}

/* An owner that blocks its event loop has a credit of its own: what it learns says nothing about an
 * owner that polls between turns of its loop. */
static void await_takes_what_is_there(uint32_t cpus) {
  play p;
  open_with_cpus(&p, cpus);
  uint32_t out[8];
  CHECK_EQUAL(telar_sched_await(p.sched, out, 8), 0);
  CHECK_EQUAL(p.sched->await_spin.waits, 0); /* nothing outstanding: no spin */
  for (uint32_t i = 0; i < 2; i++) play_submit(&p, i);
  for (uint32_t i = 0; i < 2 * TELAR_SPIN_ONE_IN; i++) {
    CHECK_EQUAL(telar_sched_await(p.sched, out, 8), 0);
  }
  CHECK_EQUAL(p.sched->await_spin.waits, 2 * TELAR_SPIN_ONE_IN);
  CHECK_EQUAL(p.sched->await_spin.credit, 0); /* each spin has failed */
  CHECK_EQUAL(p.sched->spin.waits, 0);
  CHECK_EQUAL(play_next(&p, 0, NONE), 0);
  CHECK_EQUAL(play_next(&p, 0, 0), 1);
  CHECK_EQUAL(telar_sched_await(p.sched, out, 8), 1);
  CHECK_EQUAL(out[0], 0);
  CHECK(play_is_asleep(play_next(&p, 0, 1)));
  CHECK_EQUAL(telar_sched_await(p.sched, out, 8), 1);
  CHECK_EQUAL(out[0], 1);
  CHECK_EQUAL(p.sched->await_spin.waits, 2 * TELAR_SPIN_ONE_IN); /* without a spin */
  play_close(&p);
}

int main(void) {
  check_deadline(60);
  refuses_bad_configurations();
  the_worker_table_has_an_end();
  a_worker_says_that_it_is_ready();
  takes_back_only_what_was_submitted();
  a_slot_that_cannot_be_cancelled_goes_round();
  only_the_holder_of_a_slot_may_complete_it();
  next_completes_and_claims_in_one_call();
  static const uint32_t starts[] = {0, 1, 0x7ffffffe, UINT32_MAX - 3, UINT32_MAX};
  for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
    the_ready_queue_keeps_its_order(2, starts[i]);
    the_ready_queue_keeps_its_order(8, starts[i]);
    the_ready_queue_keeps_its_order(256, starts[i]);
  }
  claims_no_more_than_its_places();
  a_lane_belongs_to_one_worker();
  a_place_is_free_when_its_task_is_seen_to_be_done();
  a_claim_takes_the_place_of_a_lane_task();
  a_lane_task_does_not_cost_two_places();
  a_worker_that_ends_with_a_task_of_its_lane_claims_nothing_in_its_place();
  an_exclusive_task_has_the_worker_to_itself();
  a_lane_holds_as_many_tasks_as_there_are_slots();
  a_place_can_be_reserved_before_its_task_comes();
  a_reserved_place_can_be_given_back();
  a_forced_task_leaves_no_place_behind();
  cancels_what_no_worker_has_claimed();
  a_worker_whose_task_was_cancelled_claims_nothing_more(1);
  a_worker_whose_task_was_cancelled_claims_nothing_more(2);
  cancel_comes_too_late_for_a_finished_task();
  closes_a_worker_only_when_it_is_idle();
  a_closed_worker_finishes_what_it_has();
  for (uint32_t max = 1; max <= 8; max++) retire_gives_back_what_a_dead_worker_had(max);
  retire_takes_nothing_of_others();
  says_which_worker_runs_a_slot_and_since_when();
  a_retired_index_starts_anew();
  withdraws_what_is_in_the_ready_queue();
  rings_for_the_next_claim_once();
  rings_when_a_worker_runs_out_of_work();
  rings_the_owner_only_while_it_sleeps();
  poll_takes_what_is_there(1);
  await_takes_what_is_there(1);
  poll_takes_what_is_there(2);
  await_takes_what_is_there(2);
  return 0;
}
