/*
 * wake_cost, spin_credit: the estimate ends up at the lower quartile of what was noted, whatever it
 * was before, and within its bounds. Spins go on while most succeed, stop while most fail, and
 * resume.
 */
#include "check.h"

#include "core/spin_credit.h"
#include "core/wake_cost.h"

enum { MANY = 20000 };

static uint64_t seed = 88172645463325252u;

static uint32_t below(uint32_t limit) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (uint32_t)(seed % limit);
}

static uint32_t estimate_of(telar_wake_cost *cost, uint32_t least, uint32_t most) {
  for (int i = 0; i < MANY; i++) {
    telar_wake_cost_note(cost, least + below(most - least));
  }
  return telar_wake_cost_ns(cost);
}

static void the_estimate_is_the_lower_quartile(void) {
  telar_wake_cost cost;
  telar_wake_cost_init(&cost);
  CHECK_EQUAL(telar_wake_cost_ns(&cost), TELAR_WAKE_COST_FIRST_GUESS_NS);
  for (int round = 0; round < 2; round++) { /* up, down, and up again */
    uint32_t slow = estimate_of(&cost, 20000, 40000);
    CHECK(slow > 21500 && slow < 29500); /* 25000 */
    uint32_t fast = estimate_of(&cost, 5000, 13000);
    CHECK(fast > 5500 && fast < 9000); /* 7000 */
  }
}

static void the_estimate_stays_within_its_bounds(void) {
  telar_wake_cost cost;
  telar_wake_cost_init(&cost);
  CHECK_EQUAL(estimate_of(&cost, 0, 2), TELAR_WAKE_COST_MIN_NS);
  CHECK_EQUAL(estimate_of(&cost, 1000000, 2000000), TELAR_WAKE_COST_MAX_NS);
}

/* Of `waits` waits, how many spin, if `successes` of ten spins succeed. */
static int spins(telar_spin_credit *spin, int waits, uint32_t successes) {
  int count = 0;
  for (int i = 0; i < waits; i++) {
    if (telar_spin_pays(spin)) {
      count++;
      telar_spin_note(spin, below(10) < successes);
    }
  }
  return count;
}

static void spins_go_on_only_while_most_succeed(void) {
  telar_spin_credit spin = {0};
  for (int round = 0; round < 2; round++) {
    CHECK(spins(&spin, MANY, 10) > MANY - 20);
    CHECK(spins(&spin, MANY, 9) > MANY / 2);
    CHECK(spins(&spin, MANY, 2) < MANY / 8);
    CHECK(spins(&spin, MANY, 0) < MANY / 15);
  }
}

int main(void) {
  the_estimate_is_the_lower_quartile();
  the_estimate_stays_within_its_bounds();
  spins_go_on_only_while_most_succeed();
  return 0;
}
