/* thread_registry: numbers are alive from enter to leave, and never again; places are reused. */
#include "check.h"

#include "core/atomic.h"
#include "core/thread_registry.h"

static telar_thread_registry *make(uint32_t places) {
  telar_thread_registry *registry = NULL;
  CHECK_STATUS(telar_thread_registry_init(check_memory(telar_thread_registry_size(places)), places,
                                          &registry),
               TELAR_OK);
  return registry;
}

static void refuses_bad_arguments(void) {
  telar_thread_registry *registry = NULL;
  char *memory = check_memory(telar_thread_registry_size(4) + TELAR_CACHELINE);
  CHECK_EQUAL(telar_thread_registry_size(0), 0);
  CHECK_EQUAL(telar_thread_registry_size(TELAR_THREAD_REGISTRY_PLACES_MAX + 1), 0);
  CHECK(telar_thread_registry_size(TELAR_THREAD_REGISTRY_PLACES_MAX) != 0);
  CHECK_STATUS(telar_thread_registry_init(NULL, 4, &registry), TELAR_INVALID);
  CHECK_STATUS(telar_thread_registry_init(memory, 4, NULL), TELAR_INVALID);
  CHECK_STATUS(telar_thread_registry_init(memory, 0, &registry), TELAR_INVALID);
  CHECK_STATUS(telar_thread_registry_init(memory + 64, 4, &registry), TELAR_INVALID);
  CHECK(registry == NULL);
  check_free(memory);
}

static void numbers_live_from_enter_to_leave(void) {
  telar_thread_registry *registry = make(2);
  uint32_t first, second, third;
  CHECK_STATUS(telar_thread_registry_enter(registry, &first), TELAR_OK);
  CHECK_STATUS(telar_thread_registry_enter(registry, &second), TELAR_OK);
  CHECK(first != 0 && second != 0 && first != second);
  CHECK_STATUS(telar_thread_registry_enter(registry, &third), TELAR_FULL);
  CHECK_EQUAL(third, 0);
  CHECK_STATUS(telar_thread_registry_check(registry, first), TELAR_OK);
  CHECK_STATUS(telar_thread_registry_leave(registry, first), TELAR_OK);
  CHECK_STATUS(telar_thread_registry_check(registry, first), TELAR_STALE);
  CHECK_STATUS(telar_thread_registry_leave(registry, first), TELAR_STALE);
  CHECK_STATUS(telar_thread_registry_check(registry, second), TELAR_OK);
  CHECK_STATUS(telar_thread_registry_enter(registry, &third), TELAR_OK);
  CHECK(third != first && third != second);
  CHECK_STATUS(telar_thread_registry_check(registry, first), TELAR_STALE);
  CHECK_STATUS(telar_thread_registry_leave(registry, first), TELAR_STALE);
  CHECK_EQUAL(telar_thread_registry_left(registry), 1);
  CHECK_STATUS(telar_thread_registry_check(registry, third), TELAR_OK);
  check_free(registry);
}

static void any_number_gets_an_answer(void) {
  telar_thread_registry *registry = make(3);
  uint32_t number;
  CHECK_STATUS(telar_thread_registry_enter(registry, &number), TELAR_OK);
  check_random random = check_random_from(check_seed(), 1);
  for (uint32_t i = 0; i < 100000; i++) {
    uint32_t any = (uint32_t)check_random_next(&random);
    telar_status status = telar_thread_registry_check(registry, any);
    CHECK(status == (any == number ? TELAR_OK : TELAR_INVALID));
    if (any != number) CHECK(telar_thread_registry_leave(registry, any) != TELAR_OK);
  }
  CHECK_STATUS(telar_thread_registry_check(registry, 0), TELAR_INVALID);
  CHECK(telar_thread_registry_leave(registry, 0) != TELAR_OK);
  CHECK_STATUS(telar_thread_registry_check(registry, UINT32_MAX), TELAR_INVALID);
  CHECK_STATUS(telar_thread_registry_check(registry, number), TELAR_OK);
  check_free(registry);
}

/* Beyond the wrap-around of the generation; each number stays stale for 2^15 more. */
static void generations_wrap(void) {
  enum { PAST = 1 << 15, TURNS = 3 * (1 << 16) };
  static uint32_t numbers[TURNS];
  telar_thread_registry *registry = make(1);
  for (uint32_t i = 0; i < TURNS; i++) {
    CHECK_STATUS(telar_thread_registry_enter(registry, &numbers[i]), TELAR_OK);
    CHECK(numbers[i] != 0 && numbers[i] >> TELAR_THREAD_REGISTRY_NUMBER_BITS == 0);
    CHECK_STATUS(telar_thread_registry_check(registry, numbers[i]), TELAR_OK);
    if (i >= PAST - 1) {
      CHECK_STATUS(telar_thread_registry_check(registry, numbers[i - (PAST - 1)]), TELAR_STALE);
    }
    if (i >= 1) CHECK_STATUS(telar_thread_registry_check(registry, numbers[i - 1]), TELAR_STALE);
    CHECK_STATUS(telar_thread_registry_leave(registry, numbers[i]), TELAR_OK);
    CHECK_STATUS(telar_thread_registry_check(registry, numbers[i]), TELAR_STALE);
  }
  check_free(registry);
}

/* Numbers of live threads are unique, and what dead threads did is visible. */
enum { THREADS = 4, PLACES = 6, TURNS = 20000 };

typedef struct crowd {
  telar_thread_registry *registry;
  _Atomic uint32_t inside[PLACES]; /* the number that holds a place, or 0 */
  _Atomic uint32_t shown[THREADS]; /* the current number of each thread */
  uint64_t seed;
  _Atomic uint32_t ids;
} crowd;

static void *come_and_go(void *argument) {
  crowd *self = argument;
  uint32_t id = atomic_fetch_add(&self->ids, 1);
  check_random random = check_random_from(self->seed, id);
  for (uint32_t i = 0; i < CHECK_TURNS(TURNS); i++) {
    uint32_t number, none = 0;
    CHECK_STATUS(telar_thread_registry_enter(self->registry, &number), TELAR_OK);
    uint32_t place = number & (TELAR_THREAD_REGISTRY_PLACES_MAX - 1);
    CHECK(place < PLACES);
    CHECK(atomic_compare_exchange_strong(&self->inside[place], &none, number));
    CHECK_STATUS(telar_thread_registry_check(self->registry, number), TELAR_OK);
    atomic_store_explicit(&self->shown[id], number, memory_order_relaxed);
    uint32_t other = atomic_load_explicit(&self->shown[check_random_below(&random, THREADS)],
                                          memory_order_relaxed);
    if (other != 0) CHECK(telar_thread_registry_check(self->registry, other) != TELAR_INVALID);
    atomic_store(&self->inside[place], 0);
    CHECK_STATUS(telar_thread_registry_leave(self->registry, number), TELAR_OK);
    CHECK_STATUS(telar_thread_registry_check(self->registry, number), TELAR_STALE);
  }
  return NULL;
}

static void threads_come_and_go(void) {
  static crowd self;
  self.registry = make(PLACES);
  self.seed = check_seed();
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = check_thread(come_and_go, &self);
  for (int i = 0; i < THREADS; i++) check_join(threads[i]);
  check_free(self.registry);
}

/* R1 and A1, also by way of R2 and A2: plain memory of a thread that has left may be read. TSan
 * checks this. */
typedef struct will {
  telar_thread_registry *registry;
  _Atomic uint32_t number;
  uint32_t legacy;
} will;

static void *leave_something(void *argument) {
  will *self = argument;
  uint32_t number;
  CHECK_STATUS(telar_thread_registry_enter(self->registry, &number), TELAR_OK);
  atomic_store_explicit(&self->number, number, memory_order_relaxed);
  self->legacy = 42;
  CHECK_STATUS(telar_thread_registry_leave(self->registry, number), TELAR_OK);
  return NULL;
}

static void the_dead_have_left_their_work(void) {
  for (uint32_t i = 0; i < CHECK_TURNS(400); i++) {
    will self = {.registry = make(2)};
    pthread_t thread = check_thread(leave_something, &self);
    uint32_t number, tries = 0;
    while ((number = atomic_load_explicit(&self.number, memory_order_relaxed)) == 0) {
      check_pause(&tries);
    }
    if (i % 2 == 0) {
      while (telar_thread_registry_check(self.registry, number) == TELAR_OK) check_pause(&tries);
    } else { /* R2 and A2: a thread that is counted is seen dead */
      while (telar_thread_registry_left(self.registry) == 0) check_pause(&tries);
      CHECK_STATUS(telar_thread_registry_check(self.registry, number), TELAR_STALE);
    }
    CHECK_EQUAL(self.legacy, 42);
    check_join(thread);
    check_free(self.registry);
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
