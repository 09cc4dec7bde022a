/* roster: numbers are alive from enter to leave and then never again; places come back. */
#include "check.h"

#include "core/atomic.h"
#include "core/roster.h"

static telar_roster *make(uint32_t places) {
  telar_roster *roster = NULL;
  CHECK_STATUS(telar_roster_init(check_memory(telar_roster_size(places)), places, &roster),
               TELAR_OK);
  return roster;
}

static void refuses_bad_arguments(void) {
  telar_roster *roster = NULL;
  char *memory = check_memory(telar_roster_size(4) + TELAR_CACHELINE);
  CHECK_EQUAL(telar_roster_size(0), 0);
  CHECK_EQUAL(telar_roster_size(TELAR_ROSTER_PLACES_MAX + 1), 0);
  CHECK(telar_roster_size(TELAR_ROSTER_PLACES_MAX) != 0);
  CHECK_STATUS(telar_roster_init(NULL, 4, &roster), TELAR_INVALID);
  CHECK_STATUS(telar_roster_init(memory, 4, NULL), TELAR_INVALID);
  CHECK_STATUS(telar_roster_init(memory, 0, &roster), TELAR_INVALID);
  CHECK_STATUS(telar_roster_init(memory + 64, 4, &roster), TELAR_INVALID);
  CHECK(roster == NULL);
  free(memory);
}

static void numbers_live_from_enter_to_leave(void) {
  telar_roster *roster = make(2);
  uint32_t first, second, third;
  CHECK_STATUS(telar_roster_enter(roster, &first), TELAR_OK);
  CHECK_STATUS(telar_roster_enter(roster, &second), TELAR_OK);
  CHECK(first != 0 && second != 0 && first != second);
  CHECK_STATUS(telar_roster_enter(roster, &third), TELAR_FULL);
  CHECK_EQUAL(third, 0);
  CHECK_STATUS(telar_roster_look(roster, first), TELAR_OK);
  CHECK_STATUS(telar_roster_leave(roster, first), TELAR_OK);
  CHECK_STATUS(telar_roster_look(roster, first), TELAR_STALE);
  CHECK_STATUS(telar_roster_leave(roster, first), TELAR_STALE);
  CHECK_STATUS(telar_roster_look(roster, second), TELAR_OK);
  CHECK_STATUS(telar_roster_enter(roster, &third), TELAR_OK);
  CHECK(third != first && third != second);
  CHECK_STATUS(telar_roster_look(roster, first), TELAR_STALE);
  CHECK_STATUS(telar_roster_leave(roster, first), TELAR_STALE);
  CHECK_EQUAL(telar_roster_left(roster), 1);
  CHECK_STATUS(telar_roster_look(roster, third), TELAR_OK);
  free(roster);
}

static void any_number_gets_an_answer(void) {
  telar_roster *roster = make(3);
  uint32_t number;
  CHECK_STATUS(telar_roster_enter(roster, &number), TELAR_OK);
  check_random random = check_random_from(check_seed(), 1);
  for (uint32_t i = 0; i < 100000; i++) {
    uint32_t any = (uint32_t)check_random_next(&random);
    telar_status status = telar_roster_look(roster, any);
    CHECK(status == (any == number ? TELAR_OK : TELAR_INVALID));
    if (any != number) CHECK(telar_roster_leave(roster, any) != TELAR_OK);
  }
  CHECK_STATUS(telar_roster_look(roster, 0), TELAR_INVALID);
  CHECK(telar_roster_leave(roster, 0) != TELAR_OK);
  CHECK_STATUS(telar_roster_look(roster, UINT32_MAX), TELAR_INVALID);
  CHECK_STATUS(telar_roster_look(roster, number), TELAR_OK);
  free(roster);
}

/* Past the wrap-around of the generation; each number is stale for 2^15 more. */
static void generations_wrap(void) {
  enum { PAST = 1 << 15, TURNS = 3 * (1 << 16) };
  static uint32_t numbers[TURNS];
  telar_roster *roster = make(1);
  for (uint32_t i = 0; i < TURNS; i++) {
    CHECK_STATUS(telar_roster_enter(roster, &numbers[i]), TELAR_OK);
    CHECK(numbers[i] != 0 && numbers[i] >> TELAR_ROSTER_NUMBER_BITS == 0);
    CHECK_STATUS(telar_roster_look(roster, numbers[i]), TELAR_OK);
    if (i >= PAST - 1) {
      CHECK_STATUS(telar_roster_look(roster, numbers[i - (PAST - 1)]), TELAR_STALE);
    }
    if (i >= 1) CHECK_STATUS(telar_roster_look(roster, numbers[i - 1]), TELAR_STALE);
    CHECK_STATUS(telar_roster_leave(roster, numbers[i]), TELAR_OK);
    CHECK_STATUS(telar_roster_look(roster, numbers[i]), TELAR_STALE);
  }
  free(roster);
}

/* Numbers are unique among the living, and the dead have left their work behind. */
enum { THREADS = 4, PLACES = 6, TURNS = 20000 };

typedef struct crowd {
  telar_roster *roster;
  _Atomic uint32_t inside[PLACES]; /* the number that holds a place, or 0 */
  _Atomic uint32_t shown[THREADS]; /* the number that a thread has at present */
  uint64_t seed;
  _Atomic uint32_t ids;
} crowd;

static void *come_and_go(void *argument) {
  crowd *self = argument;
  uint32_t id = atomic_fetch_add(&self->ids, 1);
  check_random random = check_random_from(self->seed, id);
  for (uint32_t i = 0; i < CHECK_TURNS(TURNS); i++) {
    uint32_t number, none = 0;
    CHECK_STATUS(telar_roster_enter(self->roster, &number), TELAR_OK);
    uint32_t place = number & (TELAR_ROSTER_PLACES_MAX - 1);
    CHECK(place < PLACES);
    CHECK(atomic_compare_exchange_strong(&self->inside[place], &none, number));
    CHECK_STATUS(telar_roster_look(self->roster, number), TELAR_OK);
    atomic_store_explicit(&self->shown[id], number, memory_order_relaxed);
    uint32_t other = atomic_load_explicit(&self->shown[check_random_below(&random, THREADS)],
                                          memory_order_relaxed);
    if (other != 0) CHECK(telar_roster_look(self->roster, other) != TELAR_INVALID);
    atomic_store(&self->inside[place], 0);
    CHECK_STATUS(telar_roster_leave(self->roster, number), TELAR_OK);
    CHECK_STATUS(telar_roster_look(self->roster, number), TELAR_STALE);
  }
  return NULL;
}

static void threads_come_and_go(void) {
  static crowd self;
  self.roster = make(PLACES);
  self.seed = check_seed();
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = check_thread(come_and_go, &self);
  for (int i = 0; i < THREADS; i++) check_join(threads[i]);
  free(self.roster);
}

/* R1 and A1, by way of R2 and A2 as well: plain memory of a thread that has left may be read.
 * TSan is the judge. */
typedef struct will {
  telar_roster *roster;
  _Atomic uint32_t number;
  uint32_t legacy;
} will;

static void *leave_something(void *argument) {
  will *self = argument;
  uint32_t number;
  CHECK_STATUS(telar_roster_enter(self->roster, &number), TELAR_OK);
  atomic_store_explicit(&self->number, number, memory_order_relaxed);
  self->legacy = 42;
  CHECK_STATUS(telar_roster_leave(self->roster, number), TELAR_OK);
  return NULL;
}

static void the_dead_have_left_their_work(void) {
  for (uint32_t i = 0; i < CHECK_TURNS(400); i++) {
    will self = {.roster = make(2)};
    pthread_t thread = check_thread(leave_something, &self);
    uint32_t number, tries = 0;
    while ((number = atomic_load_explicit(&self.number, memory_order_relaxed)) == 0) {
      check_pause(&tries);
    }
    if (i % 2 == 0) {
      while (telar_roster_look(self.roster, number) == TELAR_OK) check_pause(&tries);
    } else { /* R2 and A2: who is counted is seen dead */
      while (telar_roster_left(self.roster) == 0) check_pause(&tries);
      CHECK_STATUS(telar_roster_look(self.roster, number), TELAR_STALE);
    }
    CHECK_EQUAL(self.legacy, 42);
    check_join(thread);
    free(self.roster);
  }
}

int main(void) {
  check_deadline(120);
  refuses_bad_arguments();
  numbers_live_from_enter_to_leave();
  any_number_gets_an_answer();
  generations_wrap();
  threads_come_and_go();
  the_dead_have_left_their_work();
  return 0;
}
