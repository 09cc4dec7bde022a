/*
 * sched under load: one owner, several workers that die and are replaced, cancels, lanes,
 * priorities, keys, withdrawals. Every task settles exactly once, no worker runs more tasks than it
 * has places, and tasks of one key run one after the other in their order.
 * What one thread wrote before it passed a slot on is what the next one reads (tasks and payload
 * are plain memory: TSan checks that the queues order them).
 */
#include "sched_bells.h"

enum {
  SLOTS_MOST = 256,
  WORKERS_MOST = BELLS_MOST,
  HOLDING_MOST = 64 + SLOTS_MOST,
  REGION = 4 << 20,
  BLOCK_MOST = 3000,
  KEYS = 7
};

/* Through the ready queue; a lane; an agenda. */
typedef enum route { READY, SHARED, EXCLUSIVE, FORCED, KEYED, BOUND } route;

/* Belongs to the thread that holds the slot. */
typedef struct task {
  uint64_t serial;
  route way;
  bool takes_all;  /* places */
  uint32_t target; /* of a lane, or bound to it */
  uint32_t key;
  bool cancellable;
  uint64_t input;
  uint64_t output; /* 0 until it was run */
  uint32_t ran_by;
  uint64_t offset; /* of its payload, if bytes is not 0 */
  uint32_t bytes;
} task;

/* What the owner knows about a slot. */
typedef enum fate {
  HOME,
  FLYING,
  CANCELLED, /* before it was claimed: no worker may run it */
  TOLD,      /* while it ran; its worker lives on */
  CONDEMNED, /* while it ran */
  FINISHED   /* too late to be cancelled */
} fate;

typedef struct shop shop;

typedef struct hand {
  shop *shop;
  uint32_t index;
  uint64_t seed;
  pthread_t thread;
  _Atomic bool kill; /* die between two calls, as terminate() does */
  _Atomic bool gone;
  /* Private to the worker; to the owner once its thread has ended. */
  uint32_t held[HOLDING_MOST];
  uint32_t holding;
  bool reached_the_end; /* closed, and has finished its tasks */
} hand;

typedef struct scenario {
  uint32_t slots, workers, concurrency, cpus, tasks;
  bool payload;
} scenario;

struct shop {
  tower tower;
  scenario scenario;
  uint64_t seed;
  check_random random;
  telar_slab *slab;
  void *slab_memory;
  uint8_t *region;
  task tasks[SLOTS_MOST];
  hand hands[WORKERS_MOST];
  /* Of each key: the serial of the task that was started last, and how many run. Relaxed: the
   * scheduler has to order them. */
  _Atomic uint64_t last_serial[KEYS];
  _Atomic uint32_t running[KEYS];
  /* private to the owner */
  fate fates[SLOTS_MOST];
  uint32_t home[SLOTS_MOST]; /* free slots, a stack */
  uint32_t at_home;
  uint32_t submitted, completed, cancelled, recovered, withdrawn, deaths;
};

static uint64_t answer_to(uint64_t input) {
  uint64_t answer = (input ^ (input >> 29)) * UINT64_C(0x9e3779b97f4a7c15);
  return answer == 0 ? 1 : answer;
}

/* --- payload ------------------------------------------------------------------------ */

static void write_payload(shop *s, uint32_t slot, uint32_t party, check_random *random,
                          uint64_t value) {
  task *t = &s->tasks[slot];
  t->bytes = 0;
  if (!s->scenario.payload || check_random_below(random, 4) != 0) return;
  uint32_t calls = 1 + (uint32_t)(check_random_below(random, 8) == 0); /* two calls: it grows */
  uint64_t before = 0, capacity;
  for (uint32_t call = 0; call < calls; call++) {
    uint32_t bytes = 16 + check_random_below(random, BLOCK_MOST);
    before = t->offset;
    CHECK_STATUS(telar_sched_block_alloc(s->tower.sched, slot, party, bytes, &t->offset, &capacity),
                 TELAR_OK);
    CHECK(capacity >= bytes && t->offset + capacity <= REGION);
    /* While it grows, what was written before can still be copied. */
    CHECK(call == 0 || memcmp(s->region + before, &value, 8) == 0);
    t->bytes = bytes;
    memcpy(s->region + t->offset, &value, 8);
    memcpy(s->region + t->offset + bytes - 8, &value, 8);
  }
}

static void check_payload(const shop *s, uint32_t slot, uint64_t value) {
  const task *t = &s->tasks[slot];
  if (t->bytes == 0) return;
  CHECK(memcmp(s->region + t->offset, &value, 8) == 0);
  CHECK(memcmp(s->region + t->offset + t->bytes - 8, &value, 8) == 0);
}

/* --- workers ---------------------------------------------------------------------------- */

static void forget(hand *h, uint32_t slot) {
  uint32_t i = 0;
  while (i < h->holding && h->held[i] != slot) i++;
  CHECK(i < h->holding); /* a slot that it holds */
  h->held[i] = h->held[--h->holding];
  const task *t = &h->shop->tasks[slot];
  if (t->way == KEYED) {
    atomic_fetch_sub_explicit(&h->shop->running[t->key], 1, memory_order_relaxed);
  }
}

static void take_up(hand *h, uint32_t slot) {
  shop *s = h->shop;
  const task *t = &s->tasks[slot];
  CHECK(slot < s->scenario.slots && h->holding < HOLDING_MOST);
  CHECK_EQUAL(t->input, answer_to(s->seed ^ t->serial));
  CHECK_EQUAL(t->output, 0);
  CHECK(t->way == READY || t->way == KEYED || t->target == h->index);
  if (t->way == KEYED) {
    CHECK_EQUAL(atomic_fetch_add_explicit(&s->running[t->key], 1, memory_order_relaxed), 0);
    uint64_t before =
        atomic_exchange_explicit(&s->last_serial[t->key], t->serial + 1, memory_order_relaxed);
    CHECK(before <= t->serial);
  }
  check_payload(s, slot, t->input);
  h->held[h->holding++] = slot;
  uint32_t places = 0;
  for (uint32_t i = 0; i < h->holding; i++) {
    route way = s->tasks[h->held[i]].way;
    bool takes_all = s->tasks[h->held[i]].takes_all;
    places += way == FORCED ? 0 : takes_all ? s->scenario.concurrency : 1;
  }
  CHECK(places <= s->scenario.concurrency);
}

static void run(hand *h, uint32_t slot, check_random *random) {
  task *t = &h->shop->tasks[slot];
  uint64_t output = answer_to(t->input);
  write_payload(h->shop, slot, h->index, random, output);
  t->ran_by = h->index;
  t->output = output;
}

static bool is_to_die(hand *h, check_random *random) {
  return atomic_load_explicit(&h->kill, memory_order_relaxed) ||
         check_random_below(random, 6000) == 0;
}

static bool complete_one(hand *h, check_random *random) {
  uint32_t slot = h->held[check_random_below(random, h->holding)];
  run(h, slot, random);
  if (is_to_die(h, random)) return false;
  forget(h, slot);
  CHECK_STATUS(telar_sched_complete(h->shop->tower.sched, h->index, slot), TELAR_OK);
  return true;
}

/* False: it died. */
static bool work_until_closed(hand *h) {
  telar_sched *sched = h->shop->tower.sched;
  check_random random = check_random_from(h->seed, h->index);
  for (;;) {
    telar_sched_worker_resume(sched, h->index);
    uint32_t done = NONE;
    int32_t got;
    for (;;) {
      if (is_to_die(h, &random)) return false;
      if (done != NONE) forget(h, done);
      got = telar_sched_next(sched, h->index, done);
      done = NONE;
      if (got < 0) break;
      take_up(h, (uint32_t)got);
      /* As in a loop, or as asynchronous tasks end: some, later, in any order. */
      if (h->holding >= h->shop->scenario.concurrency || check_random_below(&random, 2) == 0) {
        done = h->held[check_random_below(&random, h->holding)];
        run(h, done, &random);
        if (check_random_below(&random, 8) == 0) {
          if (is_to_die(h, &random)) return false;
          forget(h, done);
          CHECK_STATUS(telar_sched_complete(sched, h->index, done), TELAR_OK);
          done = NONE;
        }
      }
    }
    if (got == TELAR_NEXT_CLOSED) {
      while (h->holding > 0) {
        if (!complete_one(h, &random)) return false;
      }
      return true;
    }
    if (h->holding > 0) {
      if (check_random_below(&random, 4) == 0) {
        bell_wait_for(&h->shop->tower.bells[h->index], check_random_below(&random, 200));
      }
      if (!complete_one(h, &random)) return false;
    } else {
      tower_worker_sleeps(&h->shop->tower, h->index, got);
    }
  }
}

static void *work(void *argument) {
  hand *h = argument;
  CHECK_STATUS(telar_sched_worker_attach(h->shop->tower.sched, h->index), TELAR_OK);
  telar_sched_worker_set_ready(h->shop->tower.sched, h->index);
  h->reached_the_end = work_until_closed(h);
  atomic_store(&h->gone, true);
  bell_ring(&h->shop->tower.owner);
  return NULL;
}

static void hire(shop *s, uint32_t index) {
  hand *h = &s->hands[index];
  uint32_t worker;
  CHECK_STATUS(telar_sched_worker_add(s->tower.sched, &worker), TELAR_OK);
  CHECK_EQUAL(worker, index);
  CHECK(!telar_sched_worker_is_ready(s->tower.sched, worker));
  memset(h, 0, sizeof *h);
  h->shop = s;
  h->index = index;
  h->seed = check_random_next(&s->random);
  h->thread = check_thread(work, h);
}

/* --- the owner ------------------------------------------------------------------------------ */

static bool chance(shop *s, uint32_t one_in) {
  return check_random_below(&s->random, one_in) == 0;
}

static void come_home(shop *s, uint32_t slot) {
  CHECK(slot < s->scenario.slots && s->fates[slot] != HOME);
  s->fates[slot] = HOME;
  s->home[s->at_home++] = slot;
}

static uint32_t settled(const shop *s) {
  return s->completed + s->cancelled + s->recovered + s->withdrawn;
}

static void limit_some(shop *s, uint32_t slot, const task *t) {
  if (t->cancellable && chance(s, 4)) {
    uint64_t queue_ns = check_random_below(&s->random, 1000000);
    uint64_t run_ns = check_random_below(&s->random, 1000000);
    CHECK_STATUS(telar_sched_limit(s->tower.sched, slot, queue_ns, run_ns), TELAR_OK);
  }
}

/* With a priority, with a key, or for one worker. */
static void submit_routed(shop *s, uint32_t slot, task *t) {
  t->way = chance(s, 3) ? READY : chance(s, 3) ? BOUND : KEYED;
  t->key = check_random_below(&s->random, KEYS);
  t->takes_all = t->way != READY && chance(s, 5);
  t->cancellable = t->way != READY || chance(s, 2);
  telar_sched_route to = {.priority = (int32_t)check_random_below(&s->random, 7) * 30 - 90,
                          .key = NONE,
                          .worker = NONE,
                          .mode = t->takes_all ? TELAR_LANE_EXCLUSIVE : TELAR_LANE_SHARED};
  if (t->way == BOUND) to.worker = t->target;
  if (t->way == KEYED) {
    to.key = t->key;
    if (chance(s, 16) && telar_sched_hold_key(s->tower.sched, t->key) != NONE) {
      telar_sched_release_key(s->tower.sched, t->key);
    }
  }
  limit_some(s, slot, t);
  uint64_t created = chance(s, 8) ? telar_os_now_ns() - 2 * TELAR_SCHED_AGED_NS : 0;
  telar_status status =
      telar_sched_submit_routed(s->tower.sched, slot, &to, t->cancellable, created);
  if (t->way == BOUND && status == TELAR_INVALID) { /* its worker is closed */
    t->way = READY;
    t->takes_all = false;
    to.worker = NONE;
    to.mode = TELAR_LANE_SHARED;
    status = telar_sched_submit_routed(s->tower.sched, slot, &to, t->cancellable, created);
  }
  CHECK_STATUS(status, TELAR_OK);
}

static void submit_one(shop *s) {
  uint32_t slot = s->home[--s->at_home];
  task *t = &s->tasks[slot];
  t->serial = s->submitted;
  t->input = answer_to(s->seed ^ t->serial);
  t->output = 0;
  t->ran_by = NONE;
  t->target = check_random_below(&s->random, s->scenario.workers);
  t->way = READY;
  t->takes_all = false;
  t->cancellable = true;
  write_payload(s, slot, NONE, &s->random, t->input);
  telar_status status = TELAR_BUSY;
  uint32_t places;
  if (chance(s, 16) &&
      telar_sched_reserve(s->tower.sched, t->target, TELAR_LANE_SHARED, &places) == TELAR_OK) {
    CHECK_STATUS(telar_sched_unreserve(s->tower.sched, t->target, places), TELAR_OK);
  }
  if (chance(s, 4)) {
    static const telar_lane_mode modes[] = {[SHARED] = TELAR_LANE_SHARED,
                                            [EXCLUSIVE] = TELAR_LANE_EXCLUSIVE,
                                            [FORCED] = TELAR_LANE_FORCED};
    t->way = chance(s, 8) ? FORCED : chance(s, 3) ? EXCLUSIVE : SHARED;
    t->takes_all = t->way == EXCLUSIVE;
    status = sched_submit_to(s->tower.sched, slot, t->target, modes[t->way]);
    CHECK(status == TELAR_OK || (status == TELAR_BUSY && t->way != FORCED));
  }
  if (status != TELAR_OK && chance(s, 3)) {
    submit_routed(s, slot, t);
  } else if (status != TELAR_OK) {
    t->way = READY;
    t->takes_all = false;
    t->cancellable = chance(s, 2);
    limit_some(s, slot, t);
    CHECK_STATUS(telar_sched_submit(s->tower.sched, slot, t->cancellable, 0), TELAR_OK);
  }
  s->fates[slot] = FLYING;
  s->submitted++;
}

static void take_back(shop *s, uint32_t slot) {
  const task *t = &s->tasks[slot];
  CHECK(slot < s->scenario.slots);
  if (s->fates[slot] == CANCELLED) {
    CHECK_EQUAL(t->output, 0);
    s->cancelled++;
  } else {
    CHECK_EQUAL(t->output, answer_to(t->input));
    bool has_target = t->way != READY && t->way != KEYED;
    CHECK(has_target ? t->ran_by == t->target : t->ran_by < s->scenario.workers);
    check_payload(s, slot, t->output);
    bool was_cancelled = s->fates[slot] == TOLD || s->fates[slot] == CONDEMNED;
    *(was_cancelled ? &s->cancelled : &s->completed) += 1;
  }
  come_home(s, slot);
}

static uint32_t drain(shop *s) {
  uint32_t out[SLOTS_MOST], max = 1 + check_random_below(&s->random, s->scenario.slots);
  uint32_t count = chance(s, 2)   ? telar_sched_drain(s->tower.sched, out, max)
                   : chance(s, 2) ? telar_sched_poll(s->tower.sched, out, max, 3000)
                                  : telar_sched_await(s->tower.sched, out, max);
  CHECK(count <= max);
  for (uint32_t i = 0; i < count; i++) take_back(s, out[i]);
  return count;
}

/* Until no slot is left. drain() may also return 0 because a thread is just giving a slot back. */
static void drain_all(shop *s) {
  do {
    while (drain(s) > 0) {
    }
  } while (!telar_sched_owner_sleep(s->tower.sched));
  telar_sched_owner_awake(s->tower.sched);
}

static void cancel_one(shop *s) {
  uint32_t slot = check_random_below(&s->random, s->scenario.slots), worker;
  const task *t = &s->tasks[slot];
  fate was = s->fates[slot];
  bool tells = chance(s, 2);
  uint64_t grace_ns = chance(s, 2) ? 1 : UINT64_MAX;
  telar_cancel_result result = tells ? telar_sched_tell(s->tower.sched, slot, grace_ns, &worker)
                                     : telar_sched_cancel(s->tower.sched, slot, &worker);
  CHECK((result == TELAR_CANCEL_RUNNING) == (worker != NONE));
  if (was != HOME && !t->cancellable) {
    CHECK_EQUAL(result, TELAR_CANCEL_INVALID);
    return;
  }
  switch (result) {
    case TELAR_CANCEL_QUEUED:
      CHECK(was == FLYING);
      s->fates[slot] = CANCELLED;
      break;
    case TELAR_CANCEL_RUNNING:
      CHECK((was == FLYING || (was == TOLD && !tells)) && worker < s->scenario.workers &&
            (t->way == READY || t->way == KEYED || t->target == worker));
      s->fates[slot] = tells ? TOLD : CONDEMNED;
      if (!tells && chance(s, 2)) { /* otherwise it notices by itself that it must end */
        atomic_store(&s->hands[worker].kill, true);
        bell_ring(&s->tower.bells[worker]);
      }
      break;
    case TELAR_CANCEL_DONE:
      CHECK(was == FLYING || was == FINISHED);
      s->fates[slot] = FINISHED;
      break;
    default:
      CHECK_EQUAL(result, TELAR_CANCEL_INVALID);
      CHECK(was == HOME || was == CANCELLED || was == TOLD || was == CONDEMNED);
  }
}

static void check_limits(shop *s) {
  telar_sched_late late[4];
  uint64_t wait_ns;
  uint32_t count = telar_sched_overdue(s->tower.sched, late, 4, &wait_ns);
  CHECK(count <= 4);
  for (uint32_t i = 0; i < count; i++) {
    fate was = s->fates[late[i].slot];
    CHECK(was == (late[i].limit == TELAR_LIMIT_GRACE ? TOLD : FLYING));
    if (late[i].limit == TELAR_LIMIT_QUEUE &&
        telar_sched_cancel_queued(s->tower.sched, late[i].slot)) {
      s->fates[late[i].slot] = CANCELLED;
    }
  }
}

static void withdraw_some(shop *s) {
  uint32_t out[SLOTS_MOST], max = check_random_below(&s->random, 8);
  uint32_t count = telar_sched_withdraw(s->tower.sched, out, max);
  CHECK(count <= max);
  for (uint32_t i = 0; i < count; i++) {
    CHECK(s->fates[out[i]] == FLYING || s->fates[out[i]] == CANCELLED);
    CHECK(s->tasks[out[i]].way == READY || s->tasks[out[i]].way == KEYED);
    CHECK_EQUAL(s->tasks[out[i]].output, 0);
    s->withdrawn++;
    come_home(s, out[i]);
  }
}

static void bury(shop *s, hand *h) {
  uint32_t out[SLOTS_MOST], count, claimed, max;
  check_join(h->thread);
  drain_all(s);
  CHECK(!h->reached_the_end || h->holding == 0);
  do {
    max = 1 + check_random_below(&s->random, s->scenario.slots);
    count = telar_sched_worker_retire(s->tower.sched, h->index, out, max, &claimed);
    CHECK(count <= max && claimed <= count);
    for (uint32_t i = 0; i < count; i++) {
      const task *t = &s->tasks[out[i]];
      if (i < claimed) {
        forget(h, out[i]); /* it was holding this slot */
      } else {
        CHECK(h->holding == 0 && t->way != READY && t->output == 0);
        CHECK(t->way == KEYED ? s->fates[out[i]] == CANCELLED : t->target == h->index);
        CHECK(s->fates[out[i]] == FLYING || s->fates[out[i]] == CANCELLED);
      }
      s->recovered++;
      come_home(s, out[i]);
    }
  } while (count == max);
  CHECK_EQUAL(h->holding, 0);
  /* Everything that waited in its lane, or was bound to it, is back. */
  for (uint32_t i = 0; i < s->scenario.slots; i++) {
    CHECK(s->fates[i] == HOME || s->tasks[i].way == READY || s->tasks[i].way == KEYED ||
          s->tasks[i].target != h->index);
  }
  s->deaths++;
}

static void disturb(shop *s) {
  if (chance(s, 12)) cancel_one(s);
  if (chance(s, 100)) check_limits(s);
  if (chance(s, 60)) withdraw_some(s);
  if (chance(s, 300)) telar_sched_watch_claims(s->tower.sched);
  if (chance(s, 600)) {
    telar_sched_worker_close(s->tower.sched, check_random_below(&s->random, s->scenario.workers));
  }
  if (chance(s, 300)) {
    telar_sched_worker_close_idle(s->tower.sched,
                                  check_random_below(&s->random, s->scenario.workers));
  }
  CHECK(telar_sched_ready_length(s->tower.sched) <= s->scenario.slots);
  CHECK_EQUAL(telar_sched_outstanding(s->tower.sched), s->scenario.slots - s->at_home);
}

static void open_shop(shop *s, const scenario *plan, uint64_t seed) {
  CHECK(plan->slots <= SLOTS_MOST && plan->workers <= WORKERS_MOST);
  memset(s, 0, sizeof *s);
  s->scenario = *plan;
  s->seed = seed;
  s->random = check_random_from(seed, plan->slots + plan->workers);
  telar_slab_config slab = {.region_bytes = REGION};
  s->slab_memory = check_memory(telar_slab_size(&slab));
  CHECK_STATUS(telar_slab_init(s->slab_memory, &slab, &s->slab), TELAR_OK);
  s->region = check_memory(REGION);
  telar_sched_config config = {.slots = plan->slots,
                               .workers = plan->workers,
                               .concurrency = plan->concurrency,
                               .cpus = plan->cpus,
                               .start = UINT32_MAX -
                                        plan->tasks / 3, /* they wrap in the middle of the run */
                               .timing = plan->payload,
                               .slab = s->slab};
  tower_open(&s->tower, config);
  for (uint32_t i = 0; i < plan->slots; i++) s->home[s->at_home++] = i;
  for (uint32_t i = 0; i < plan->workers; i++) hire(s, i);
}

static void close_shop(shop *s) {
  for (uint32_t i = 0; i < s->scenario.workers; i++) {
    hand *h = &s->hands[i];
    telar_sched_worker_close(s->tower.sched, i);
    check_join(h->thread);
    /* All places are free, or close_idle has taken all at once. */
    uint32_t usage = telar_sched_worker_usage(s->tower.sched, i), claimed, out;
    CHECK(usage == 0 || usage == s->scenario.concurrency);
    CHECK_EQUAL(telar_sched_worker_retire(s->tower.sched, i, &out, 1, &claimed), 0);
  }
  for (uint32_t key = 0; key < KEYS; key++) {
    CHECK_EQUAL(s->tower.sched->keys[key].outstanding, 0);
    CHECK_EQUAL(s->tower.sched->last_of_key[key], 0);
  }
  CHECK_EQUAL(s->tower.sched->keys_bound, 0);
  telar_slab_stats stats;
  for (uint32_t i = 0; i < s->scenario.slots; i++) {
    CHECK_STATUS(telar_sched_block_free(s->tower.sched, i, NONE), TELAR_OK);
  }
  telar_slab_stats_read(s->slab, &stats);
  CHECK_EQUAL(stats.bytes_in_use, 0);
  CHECK_EQUAL(stats.failures, 0);
  CHECK(!s->scenario.payload || stats.bytes_peak > 0);
  tower_close(&s->tower);
  check_free(s->slab_memory);
  check_free(s->region);
}

typedef struct tally {
  uint32_t cancelled, recovered, withdrawn, deaths;
} tally;

static void settles_each_once(const scenario *plan, uint64_t seed, tally *total) {
  static shop s;
  open_shop(&s, plan, seed);
  while (settled(&s) < plan->tasks) {
    /* Either bursts around the capacity, or a few at a time. */
    uint32_t burst = chance(&s, 2) ? plan->slots : 1 + check_random_below(&s.random, 4);
    while (burst-- > 0 && s.at_home > 0 && s.submitted < plan->tasks) submit_one(&s);
    disturb(&s);
    for (uint32_t i = 0; i < plan->workers; i++) {
      if (!atomic_load(&s.hands[i].gone)) continue;
      bury(&s, &s.hands[i]);
      hire(&s, i);
    }
    if (drain(&s) > 0 || s.at_home == plan->slots) continue;
    switch (check_random_below(&s.random, 4)) {
      case 0:
        tower_owner_sleeps(&s.tower);
        break;
      case 1:
        tower_owner_naps(&s.tower);
        break;
      default: /* stays awake */
        break;
    }
  }
  CHECK_EQUAL(settled(&s), plan->tasks);
  CHECK_EQUAL(s.submitted, plan->tasks);
  CHECK_EQUAL(s.at_home, plan->slots);
  close_shop(&s);
  CHECK(s.completed > plan->tasks / 2);
  total->cancelled += s.cancelled;
  total->recovered += s.recovered;
  total->withdrawn += s.withdrawn;
  total->deaths += s.deaths;
  printf("  %" PRIu32 " workers, %" PRIu32 " slots: %" PRIu32 " completed, %" PRIu32
         " cancelled, %" PRIu32 " recovered, %" PRIu32 " withdrawn, %" PRIu32 " deaths\n",
         plan->workers, plan->slots, s.completed, s.cancelled, s.recovered, s.withdrawn, s.deaths);
}

int main(void) {
  uint64_t seed = check_seed();
  check_deadline(120);
  tally total = {0};
  static const scenario scenarios[] = {
      {.slots = 64,
       .workers = 1,
       .concurrency = 1,
       .cpus = 2,
       .tasks = CHECK_TURNS(200000),
       .payload = true},
      {.slots = 4, .workers = 2, .concurrency = 1, .cpus = 2, .tasks = CHECK_TURNS(30000)},
      {.slots = 64,
       .workers = 2,
       .concurrency = 3,
       .cpus = 8,
       .tasks = CHECK_TURNS(120000),
       .payload = true},
      {.slots = 256,
       .workers = 4,
       .concurrency = 2,
       .cpus = 2,
       .tasks = CHECK_TURNS(120000),
       .payload = true},
      {.slots = 16, .workers = 4, .concurrency = 1, .cpus = 1, .tasks = CHECK_TURNS(120000)},
      {.slots = 2, .workers = 3, .concurrency = 2, .cpus = 8, .tasks = CHECK_TURNS(30000)},
  };
  for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
    settles_each_once(&scenarios[i], seed + i, &total);
  }
  /* A run in which nothing happened has tested nothing. */
  CHECK(total.cancelled > 0 && total.recovered > 0 && total.withdrawn > 0 && total.deaths > 0);
  return 0;
}
