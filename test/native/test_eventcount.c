/*
 * eventcount: no wake-up is lost, and no bell rings without need. A lost wake-up would leave the
 * sleeper asleep for good; the deadline turns that into a failure.
 */
#include "check.h"

#include "core/eventcount.h"
#include "core/index_queue.h"

/* --- one thread ------------------------------------------------------------------ */

static void rings_only_for_a_sleeper(void) {
  telar_eventcount events;
  telar_eventcount_init(&events);
  CHECK(!telar_eventcount_notify(&events));
  telar_eventcount_prepare(&events);
  CHECK(telar_eventcount_notify(&events));
  CHECK(!telar_eventcount_notify(&events));
  CHECK(telar_eventcount_cancel(&events));
  CHECK(!telar_eventcount_notify(&events));
  CHECK(!telar_eventcount_cancel(&events));
}

static void cancel_takes_the_announcement_back(void) {
  telar_eventcount events;
  telar_eventcount_init(&events);
  for (int i = 0; i < 3; i++) {
    telar_eventcount_prepare(&events);
    CHECK(!telar_eventcount_cancel(&events));
    CHECK(!telar_eventcount_notify(&events));
  }
}

/* --- exactly one notifier of a sleep -------------------------------------------------- */

enum { NOTIFIERS = 3 };

typedef struct race {
  telar_eventcount events;
  uint32_t rounds;
  _Atomic uint32_t round;
  _Atomic uint32_t arrived;
  _Atomic uint32_t rings;
} race;

static void *notify_each_round(void *argument) {
  race *self = argument;
  for (uint32_t round = 1; round <= self->rounds; round++) {
    for (uint32_t tries = 0; atomic_load(&self->round) < round;) check_pause(&tries);
    if (telar_eventcount_notify(&self->events)) atomic_fetch_add(&self->rings, 1);
    atomic_fetch_add(&self->arrived, 1);
  }
  return NULL;
}

static void one_notifier_rings(uint32_t rounds) {
  race self = {.rounds = rounds};
  telar_eventcount_init(&self.events);
  pthread_t threads[NOTIFIERS];
  for (int i = 0; i < NOTIFIERS; i++) threads[i] = check_thread(notify_each_round, &self);
  for (uint32_t round = 1; round <= rounds; round++) {
    telar_eventcount_prepare(&self.events);
    atomic_store(&self.round, round);
    for (uint32_t tries = 0; atomic_load(&self.arrived) < round * NOTIFIERS;) check_pause(&tries);
    CHECK_EQUAL(atomic_load(&self.rings), round);
    CHECK(telar_eventcount_cancel(&self.events));
  }
  for (int i = 0; i < NOTIFIERS; i++) check_join(threads[i]);
}

/* --- work that arrives while the sleeper falls asleep --------------------------------------- */

/* A bell that remembers, like uv_async: a ring before the wait ends the wait. */
typedef struct bell {
  pthread_mutex_t mutex;
  pthread_cond_t rung;
  bool pending;
} bell;

static void bell_ring(bell *b) {
  pthread_mutex_lock(&b->mutex);
  b->pending = true;
  pthread_cond_signal(&b->rung);
  pthread_mutex_unlock(&b->mutex);
}

static void bell_wait(bell *b) {
  pthread_mutex_lock(&b->mutex);
  while (!b->pending) pthread_cond_wait(&b->rung, &b->mutex);
  b->pending = false;
  pthread_mutex_unlock(&b->mutex);
}

typedef struct office {
  telar_eventcount events;
  telar_index_queue *queue;
  bell bell;
  telar_status (*push)(telar_index_queue *, uint32_t);
  uint32_t items;     /* of each notifier */
  bool one_at_a_time; /* wait until the item is taken, so that the sleeper falls asleep */
  _Atomic uint32_t taken;
  _Atomic uint32_t rings;
} office;

static void *send_work(void *argument) {
  office *self = argument;
  for (uint32_t i = 0; i < self->items; i++) {
    for (uint32_t tries = 0; self->push(self->queue, i) != TELAR_OK;) check_pause(&tries);
    if (telar_eventcount_notify(&self->events)) {
      atomic_fetch_add_explicit(&self->rings, 1, memory_order_relaxed);
      bell_ring(&self->bell);
    }
    if (self->one_at_a_time) {
      /* Spins a little: the critical moment is just after the sleeper has taken the item. */
      for (uint32_t tries = 0; atomic_load_explicit(&self->taken, memory_order_relaxed) <= i;) {
        check_pause(&tries);
      }
    }
  }
  return NULL;
}

static void loses_nothing(uint32_t notifiers, uint32_t items, bool one_at_a_time) {
  office self = {.items = items, .one_at_a_time = one_at_a_time};
  /* push_sp has no locked instruction that would act as the fence by chance. */
  self.push = notifiers == 1 ? telar_index_queue_push_sp : telar_index_queue_push_mp;
  CHECK(notifiers <= NOTIFIERS);
  telar_eventcount_init(&self.events);
  CHECK_STATUS(telar_index_queue_init(check_memory(telar_index_queue_size(8)), 8,
                                      UINT32_MAX - items / 2, &self.queue),
               TELAR_OK);
  pthread_mutex_init(&self.bell.mutex, NULL);
  pthread_cond_init(&self.bell.rung, NULL);
  pthread_t threads[NOTIFIERS];
  for (uint32_t i = 0; i < notifiers; i++) threads[i] = check_thread(send_work, &self);
  uint32_t taken = 0, consumed = 0, item;
  while (taken < items * notifiers) {
    while (telar_index_queue_pop_sc(self.queue, &item) == TELAR_OK) {
      atomic_store_explicit(&self.taken, ++taken, memory_order_relaxed);
    }
    if (taken == items * notifiers) break;
    telar_eventcount_prepare(&self.events);
    if (telar_index_queue_is_empty(self.queue)) {
      bell_wait(&self.bell);
    }
    if (telar_eventcount_cancel(&self.events)) consumed++;
  }
  for (uint32_t i = 0; i < notifiers; i++) check_join(threads[i]);
  /* Each ring was one notification, and all were seen. */
  CHECK_EQUAL(self.rings, consumed);
  CHECK(self.rings <= items * notifiers);
  pthread_cond_destroy(&self.bell.rung);
  pthread_mutex_destroy(&self.bell.mutex);
  check_free(self.queue);
}

int main(void) {
  check_deadline(120);
  rings_only_for_a_sleeper();
  cancel_takes_the_announcement_back();
  one_notifier_rings(CHECK_TURNS(8000));
  loses_nothing(1, CHECK_TURNS(80000), true);
  loses_nothing(1, CHECK_TURNS(80000), false);
  loses_nothing(NOTIFIERS, CHECK_TURNS(40000), false);
  return 0;
}
