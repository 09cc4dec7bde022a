/*
 * sched_ready: what is pushed is claimed once, in order, also near the wrap-around. Covers
 * published and unpublished slots.
 */
#include "check.h"

#include "core/sched_ready.h"

enum { SLOTS = 128 };

static sched_ready *open_ready(void **memory, uint32_t start) {
  telar_sched_config config = {.slots = SLOTS, .start = start};
  *memory = check_memory(telar_sched_ready_size(&config));
  memset(*memory, 0, telar_sched_ready_size(&config));
  return telar_sched_ready_init(*memory, &config);
}

static void submit(sched_ready *ready, uint32_t slot, uint32_t outstanding) {
  sched_ready_push(ready, slot, SCHED_LEVEL_NORMAL);
  sched_ready_publish_if_due(ready, outstanding);
}

static void claims(sched_ready *ready, uint32_t wanted) {
  uint32_t slot = 77;
  CHECK(sched_ready_has_next(ready));
  CHECK(sched_ready_claim(ready, &slot));
  CHECK_EQUAL(slot, wanted);
}

static void claims_nothing(sched_ready *ready) {
  uint32_t slot = 77;
  CHECK(!sched_ready_has_next(ready));
  CHECK(!sched_ready_has_published(ready));
  CHECK(!sched_ready_claim(ready, &slot));
  CHECK_EQUAL(sched_ready_length(ready), 0);
}

/* As many pushes as there are slots; some slots are still there when others are pushed. */
static void keeps_its_order(uint32_t start) {
  void *memory;
  sched_ready *ready = open_ready(&memory, start);
  claims_nothing(ready);
  uint32_t pushed = 0, claimed = 0;
  for (uint32_t lap = 0; lap < 5; lap++) {
    for (; pushed - claimed < SLOTS; pushed++) submit(ready, pushed % SLOTS, pushed - claimed + 1);
    for (; pushed - claimed > lap * 7; claimed++) claims(ready, claimed % SLOTS);
  }
  for (; claimed != pushed; claimed++) claims(ready, claimed % SLOTS);
  claims_nothing(ready);
  check_free(memory);
}

static void publishes_many_together(void) {
  void *memory;
  sched_ready *ready = open_ready(&memory, 0);
  uint32_t outstanding = 1;
  for (; outstanding < SCHED_READY_PUBLISH_AT_ONCE; outstanding++) {
    submit(ready, outstanding, outstanding);
    CHECK_EQUAL(sched_ready_length(ready), outstanding);
  }
  for (uint32_t told = outstanding - 1; outstanding < SLOTS; outstanding++) {
    submit(ready, outstanding, outstanding);
    if (outstanding % SCHED_READY_PUBLISH_EVERY == 0) told = outstanding;
    CHECK_EQUAL(sched_ready_length(ready), told);
  }
  sched_ready_publish(ready);
  CHECK_EQUAL(sched_ready_length(ready), outstanding - 1);
  check_free(memory);
}

static void has_unpublished_slots(void) {
  void *memory;
  sched_ready *ready = open_ready(&memory, 0);
  submit(ready, 3, SCHED_READY_PUBLISH_AT_ONCE + 1);
  CHECK(!sched_ready_has_published(ready));
  CHECK(sched_ready_has_next(ready));
  sched_ready_publish(ready);
  CHECK(sched_ready_has_published(ready));
  claims(ready, 3);
  submit(ready, 4, SCHED_READY_PUBLISH_AT_ONCE + 1);
  claims(ready, 4);
  claims_nothing(ready);
  check_free(memory);
}

int main(void) {
  keeps_its_order(0);
  keeps_its_order(UINT32_MAX - SLOTS - 3);
  publishes_many_together();
  has_unpublished_slots();
  return 0;
}
