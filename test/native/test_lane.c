/*
 * lane: what is pushed comes out once, in order and undamaged, however the calls of both sides
 * interleave. Lanes that share links do not affect each other.
 */
#include "check.h"

#include "core/lane.h"

enum { INDICES = 64, LANES = 4, STRESS_INDICES = 256 };

/* --- one thread --------------------------------------------------------------- */

static void zeroes_are_an_empty_lane(void) {
  telar_lane lane = {0};
  uint32_t links[1] = {0}, index = 77;
  CHECK(!telar_lane_has_next(&lane));
  CHECK(!telar_lane_pop(&lane, links, &index));
  CHECK_EQUAL(index, 77);
}

static void pops(telar_lane *lane, uint32_t *links, uint32_t wanted) {
  uint32_t index = 77;
  CHECK(telar_lane_has_next(lane));
  CHECK(telar_lane_pop(lane, links, &index));
  CHECK_EQUAL(index, wanted);
}

static void keeps_its_order(void) {
  for (uint32_t together = 1; together <= INDICES; together++) {
    telar_lane lane = {0};
    uint32_t links[INDICES];
    memset(links, 0xa5, sizeof links); /* no code relies on zeroes */
    /* Some are still in the lane when others are pushed. */
    for (uint32_t lap = 0; lap < 3; lap++) {
      uint32_t pushed = 0, popped = 0;
      while (popped < INDICES) {
        for (uint32_t i = 0; i < together && pushed < INDICES; i++, pushed++) {
          telar_lane_push(&lane, links, (pushed * 5 + lap) % INDICES); /* a permutation */
        }
        for (uint32_t i = 0; i < (together + 1) / 2 && popped < pushed; i++, popped++) {
          pops(&lane, links, (popped * 5 + lap) % INDICES);
        }
      }
      CHECK(!telar_lane_has_next(&lane));
    }
  }
}

static void takes_the_first_and_the_last_index(void) {
  telar_lane lane = {0};
  static uint32_t links[65536];
  telar_lane_push(&lane, links, 65535);
  telar_lane_push(&lane, links, 0);
  pops(&lane, links, 65535);
  pops(&lane, links, 0);
  CHECK(!telar_lane_has_next(&lane));
}

/* Each index moves from lane to lane. */
static void shares_its_links_with_other_lanes(uint64_t seed) {
  check_random random = check_random_from(seed, 1);
  telar_lane lanes[LANES] = {{0}};
  uint32_t links[INDICES], queues[LANES][INDICES], lengths[LANES] = {0}, home[INDICES];
  uint32_t at_home = 0;
  for (uint32_t i = 0; i < INDICES; i++) home[at_home++] = i;
  for (uint32_t turn = 0; turn < 100000; turn++) {
    uint32_t at = check_random_below(&random, LANES);
    if (at_home > 0 && check_random_below(&random, 2) == 0) {
      uint32_t index = home[--at_home];
      queues[at][lengths[at]++] = index;
      telar_lane_push(&lanes[at], links, index);
    } else if (lengths[at] > 0) {
      pops(&lanes[at], links, queues[at][0]);
      home[at_home++] = queues[at][0];
      memmove(&queues[at][0], &queues[at][1], --lengths[at] * sizeof queues[at][0]);
    } else {
      CHECK(!telar_lane_has_next(&lanes[at]));
    }
  }
}

/* --- two threads -------------------------------------------------------------- */

/* An index comes back through a word of its own. Plain fields travel with it in both directions:
 * TSan checks that they are ordered. */
typedef struct stress {
  telar_lane lane;
  uint32_t links[STRESS_INDICES];
  uint32_t serial[STRESS_INDICES];
  uint32_t answer[STRESS_INDICES];
  _Atomic uint32_t is_out[STRESS_INDICES];
  uint32_t turns;
} stress;

static void *consume(void *argument) {
  stress *s = argument;
  for (uint32_t wanted = 0; wanted < s->turns;) {
    uint32_t index, tries = 0;
    while (!telar_lane_pop(&s->lane, s->links, &index)) check_pause(&tries);
    CHECK_EQUAL(s->serial[index], wanted);
    s->answer[index] = ~wanted;
    wanted++;
    atomic_store_explicit(&s->is_out[index], 0, memory_order_release);
  }
  return NULL;
}

static void goes_from_thread_to_thread(uint64_t seed, uint32_t indices) {
  static stress s;
  memset(&s, 0, sizeof s);
  s.turns = CHECK_TURNS(400000);
  check_random random = check_random_from(seed, indices);
  pthread_t consumer = check_thread(consume, &s);
  for (uint32_t turn = 0; turn < s.turns; turn++) {
    uint32_t index = turn % indices, tries = 0;
    while (atomic_load_explicit(&s.is_out[index], memory_order_acquire) != 0) check_pause(&tries);
    if (turn >= indices) CHECK_EQUAL(s.answer[index], ~s.serial[index]);
    s.serial[index] = turn;
    atomic_store_explicit(&s.is_out[index], 1, memory_order_relaxed);
    telar_lane_push(&s.lane, s.links, index);
    if (check_random_below(&random, 64) == 0) telar_os_yield();
  }
  check_join(consumer);
  CHECK(!telar_lane_has_next(&s.lane));
}

int main(void) {
  uint64_t seed = check_seed();
  check_deadline(120);
  zeroes_are_an_empty_lane();
  keeps_its_order();
  takes_the_first_and_the_last_index();
  shares_its_links_with_other_lanes(seed);
  static const uint32_t indices[] = {1, 2, 3, 16, STRESS_INDICES};
  for (size_t i = 0; i < sizeof indices / sizeof indices[0]; i++) {
    goes_from_thread_to_thread(seed, indices[i]);
  }
  return 0;
}
