/* sched.c - set-up of the scheduler, and the owner's side of it. */
#include "sched_internal.h"

#include <string.h>

/* A task this short is not worth waking a second worker for, as long as the
 * backlog is short too. */
#define SHORT_TASK_NS UINT64_C(5000)
#define SHORT_BACKLOG_NS UINT64_C(100000)
/* A block up to this size stays with its slot, for the next value. */
#define KEEP_BLOCK_BYTES 4096u
/* One preempted task among short ones is not a long task. */
#define RAN_COUNTED_AT_MOST_NS UINT64_C(200000)
/* With so many tasks outstanding, and tasks this short, the owner naps. */
#define NAP_OUTSTANDING 32u
#define NAP_RAN_NS UINT64_C(150000)
/* Results of tasks shorter than this are worth a moment's wait for the next. */
#define GATHER_RAN_NS UINT64_C(1000)
#define GATHER_LOOKS 6u
/* With fewer tasks outstanding workers hear of each at once, with more of so many together. */
#define TELL_AT_ONCE 48u
#define TELL_EVERY 16u
/* A lane holds tasks that have a place already; only forced ones queue. */
#define LANE_AT_LEAST 64u

/* ---- memory ---- */

/* Parts of the one block of memory, in this order. */
typedef struct layout {
  size_t slots, workers, ready, done, idle, lanes, lane_stride, metrics, metric_stride, snapshots, total;
} layout;

static uint32_t lane_capacity(const telar_sched_config *c)
{
  uint32_t capacity = LANE_AT_LEAST;
  while (capacity < c->concurrency) {
    capacity *= 2;
  }
  return capacity;
}

static bool is_valid(const telar_sched_config *c)
{
  return c != NULL && c->slots >= 2 && c->slots <= 65536 && (c->slots & (c->slots - 1)) == 0 && c->workers >= 1 &&
         c->workers <= 32768 && c->concurrency >= 1 && c->concurrency <= 65535 && c->cpus >= 1 &&
         c->wake != NULL;
}

static layout lay_out(const telar_sched_config *c)
{
  layout l;
  size_t at = TELAR_CACHELINE_ROUND_UP(sizeof(telar_sched));
  l.slots = at;
  at += TELAR_CACHELINE_ROUND_UP(sizeof(sched_slot) * c->slots);
  l.workers = at;
  at += TELAR_CACHELINE_ROUND_UP(sizeof(sched_worker) * c->workers);
  l.ready = at;
  at += TELAR_CACHELINE_ROUND_UP(telar_index_queue_size(c->slots));
  l.done = at;
  at += TELAR_CACHELINE_ROUND_UP(telar_index_queue_size(c->slots));
  l.idle = at;
  at += TELAR_CACHELINE_ROUND_UP(sizeof(uint32_t) * ((c->workers + IDLE_BITS - 1) / IDLE_BITS));
  l.lane_stride = TELAR_CACHELINE_ROUND_UP(telar_index_queue_size(lane_capacity(c)));
  l.lanes = at;
  at += l.lane_stride * c->workers;
  l.metric_stride = c->timing ? TELAR_CACHELINE_ROUND_UP(telar_histogram_size()) : 0;
  l.metrics = at;
  at += l.metric_stride * 2 * c->workers;
  l.snapshots = at;
  at += TELAR_CACHELINE_ROUND_UP(2 * sizeof(sched_metrics));
  l.total = at;
  return l;
}

size_t telar_sched_align(void)
{
  return TELAR_CACHELINE;
}

size_t telar_sched_size(const telar_sched_config *config)
{
  return is_valid(config) ? lay_out(config).total : 0;
}

telar_status telar_sched_init(void *memory, const telar_sched_config *config, telar_sched **out)
{
  if (!is_valid(config) || memory == NULL || out == NULL || (uintptr_t)memory % TELAR_CACHELINE != 0) {
    return TELAR_INVALID;
  }
  layout l = lay_out(config);
  char *base = memory;
  telar_sched *s = memory;
  s->config = *config;
  s->slots = (sched_slot *)(void *)(base + l.slots);
  s->workers = (sched_worker *)(void *)(base + l.workers);
  s->idle = (_Atomic uint32_t *)(void *)(base + l.idle);
  telar_index_queue_init(base + l.ready, config->slots, config->start, &s->ready);
  telar_index_queue_init(base + l.done, config->slots, config->start, &s->done);
  /* Slots, idle words and most of a worker begin as the zeroes that they are:
   * memory that no task needs stays untouched. */
  for (uint32_t i = 0; i < config->workers; i++) {
    sched_worker *w = &s->workers[i];
    telar_index_queue_init(base + l.lanes + l.lane_stride * i, lane_capacity(config), config->start, &w->lane);
    w->metric_memory = base + l.metrics + l.metric_stride * 2 * i;
  }
  sched_metrics *metrics = (sched_metrics *)(void *)(base + l.snapshots);
  for (int m = 0; m < 2; m++) {
    s->metrics[m] = &metrics[m];
    telar_histogram_snapshot_clear(&metrics[m].retired);
    telar_histogram_snapshot_clear(&metrics[m].baseline);
  }
  telar_eventcount_init(&s->owner_sleep);
  *out = s;
  return TELAR_OK;
}

/* ---- shared by both sides ---- */

static void wake_owner(telar_sched *s)
{
  if (telar_eventcount_notify(&s->owner_sleep)) {
    sched_ring(s, TELAR_SCHED_NONE);
  }
}

/* Puts a finished or cancelled slot on its way back to the owner. Any thread. */
void telar_sched_give_back(telar_sched *s, uint32_t slot)
{
  /* Never full: as many cells as slots, and a slot is there once at most. */
  for (uint32_t turns = 0; telar_index_queue_push_mp(s->done, slot) != TELAR_OK;) { /* D1: publish, then look for the sleeper */
    sched_wait_turn(&turns); /* the popper of the cell's last value is about to free it */
  }
  /* A nap puts a ring off; its end is the owner's own timer. The look is relaxed: the
   * subtraction, or N2, follows. R1: released to A1, the end of the nap. Else the owner could
   * miss this push when the nap is over, and then sleep without a timer and without a ring. */
  if (atomic_load_explicit(&s->nap, memory_order_relaxed) > 0 &&
      atomic_fetch_sub_explicit(&s->nap, 1, memory_order_release) > 1) {
    return;
  }
  wake_owner(s);
}

/* A worker has nothing to do: what it gives back next may be long in coming. */
void telar_sched_end_nap(telar_sched *s)
{
  /* Relaxed: the exchange follows. A read-modify-write on both ends, so that R1 reaches A1 through it. */
  if (atomic_load_explicit(&s->nap, memory_order_relaxed) > 0) {
    atomic_exchange_explicit(&s->nap, 0, memory_order_acq_rel); /* A1, R1 */
    if (!telar_index_queue_is_empty(s->done)) {
      wake_owner(s);
    }
  }
}

/* ---- owner: hand over ---- */

telar_status telar_sched_worker_add(telar_sched *s, uint32_t *worker)
{
  for (uint32_t i = 0; i < s->config.workers; i++) {
    sched_worker *w = &s->workers[i];
    if (w->phase == WORKER_FREE) {
      w->phase = WORKER_PRESENT;
      if (s->config.timing) {
        /* Only now, so that most of a large table stays untouched. */
        for (int m = 0; m < 2; m++) {
          telar_histogram_init(w->metric_memory + (size_t)m * TELAR_CACHELINE_ROUND_UP(telar_histogram_size()), &w->metric[m]);
        }
      }
      if (s->table_end <= i) {
        s->table_end = i + 1;
      }
      *worker = i;
      return TELAR_OK;
    }
  }
  return TELAR_FULL;
}

static void make_ready(telar_sched *s, sched_slot *slot, uint32_t places, bool cancellable, uint64_t created_ns)
{
  slot->places = places;
  slot->cancellable = cancellable;
  slot->created_ns = created_ns != 0 ? created_ns : telar_os_now_ns();
  slot->block_used = false;
  /* Relaxed: the push that follows publishes it. */
  atomic_store_explicit(&slot->state, SLOT_WORD(SLOT_QUEUED, 0u), memory_order_relaxed);
  s->outstanding++;
  /* Relaxed: a sign of life for parked workers, nothing is read by it. */
  atomic_store_explicit(&s->submits, atomic_load_explicit(&s->submits, memory_order_relaxed) + 1,
                        memory_order_relaxed);
}

static bool is_owned(const telar_sched *s, uint32_t slot)
{
  return slot < s->config.slots &&
         atomic_load_explicit(&s->slots[slot].state, memory_order_relaxed) == SLOT_WORD(SLOT_OWNED, 0u);
}

static bool is_present(const telar_sched *s, uint32_t worker)
{
  return worker < s->config.workers && s->workers[worker].phase == WORKER_PRESENT;
}

telar_status telar_sched_submit(telar_sched *s, uint32_t slot, bool cancellable, uint64_t created_ns)
{
  if (!is_owned(s, slot)) {
    return TELAR_INVALID;
  }
  make_ready(s, &s->slots[slot], 1, cancellable, created_ns);
  /* Never full: as many cells as slots. */
  for (uint32_t turns = 0; telar_index_queue_push_sp_quiet(s->ready, slot) != TELAR_OK;) {
    sched_wait_turn(&turns); /* as in telar_sched_give_back */
  }
  /* While workers have enough to do they are told of new tasks a cache line's
   * worth at a time: else they would read each line as it is being written. A
   * worker that runs dry looks for itself. */
  if (s->outstanding < TELL_AT_ONCE || s->outstanding % TELL_EVERY == 0) {
    telar_index_queue_publish_sp(s->ready);
  }
  telar_sched_wake_for_ready(s);
  return TELAR_OK;
}

static uint32_t reserve(telar_sched *s, sched_worker *w, telar_lane_mode mode)
{
  uint32_t limit = s->config.concurrency;
  uint32_t taken = atomic_load_explicit(&w->usage, memory_order_relaxed);
  uint32_t places = mode == TELAR_LANE_EXCLUSIVE ? limit : 1;
  do {
    if (mode != TELAR_LANE_FORCED && taken + places > limit) {
      return 0;
    }
  } while (!atomic_compare_exchange_weak_explicit(&w->usage, &taken, taken + places, memory_order_relaxed,
                                                  memory_order_relaxed)); /* relaxed: a count only */
  return places;
}

telar_status telar_sched_submit_to(telar_sched *s, uint32_t slot, uint32_t worker, telar_lane_mode mode,
                                   uint64_t created_ns)
{
  if (!is_owned(s, slot) || !is_present(s, worker)) {
    return TELAR_INVALID;
  }
  sched_worker *w = &s->workers[worker];
  if (telar_index_queue_length(w->lane) >= lane_capacity(&s->config)) {
    return TELAR_FULL;
  }
  uint32_t places = reserve(s, w, mode);
  if (places == 0) {
    return TELAR_BUSY;
  }
  make_ready(s, &s->slots[slot], places, true, created_ns);
  for (uint32_t turns = 0; telar_index_queue_push_sp(w->lane, slot) != TELAR_OK;) {
    sched_wait_turn(&turns); /* as in telar_sched_give_back */
  }
  telar_sched_wake_worker(s, worker);
  return TELAR_OK;
}

/* ---- owner: take back ---- */

static void note_ran(telar_sched *s, uint64_t ran)
{
  if (ran > RAN_COUNTED_AT_MOST_NS) {
    ran = RAN_COUNTED_AT_MOST_NS;
  }
  s->ran_ns = s->ran_ns == 0 ? ran : s->ran_ns - (s->ran_ns >> 4) + (ran >> 4);
}

static void judge_laziness(telar_sched *s)
{
  uint32_t lazy = s->ran_ns != 0 && s->ran_ns < SHORT_TASK_NS && s->outstanding * s->ran_ns < SHORT_BACKLOG_NS;
  if (atomic_load_explicit(&s->lazy, memory_order_relaxed) != lazy) {
    atomic_store_explicit(&s->lazy, lazy, memory_order_relaxed); /* relaxed: advice only */
  }
}

static void own(telar_sched *s, sched_slot *slot)
{
  slot->block_used = false;
  atomic_store_explicit(&slot->state, SLOT_WORD(SLOT_OWNED, 0u), memory_order_relaxed);
  s->outstanding--;
}

uint32_t telar_sched_drain(telar_sched *s, uint32_t *out, uint32_t max)
{
  telar_index_queue_publish_sp(s->ready);
  uint32_t n = telar_index_queue_pop_sc_many(s->done, out, max);
  for (uint32_t i = 0; i < n; i++) {
    sched_slot *slot = &s->slots[out[i]];
    if (atomic_load_explicit(&slot->state, memory_order_relaxed) == SLOT_WORD(SLOT_DONE, 0u)) {
      note_ran(s, slot->ran_ns);
    }
    own(s, slot);
  }
  if (n != 0) {
    judge_laziness(s);
  }
  return n;
}

/* Takes what else is about to come, so that results of short tasks are settled
 * together: until none came for a moment. */
static uint32_t gather(telar_sched *s, uint32_t *out, uint32_t n, uint32_t max)
{
  for (uint32_t quiet = 0; quiet < GATHER_LOOKS && s->outstanding != 0 && n < max;) {
    telar_os_relax();
    uint32_t more = telar_index_queue_is_empty(s->done) ? 0 : telar_sched_drain(s, out + n, max - n);
    n += more;
    quiet = more == 0 ? quiet + 1 : 0;
  }
  return n;
}

uint32_t telar_sched_poll(telar_sched *s, uint32_t *out, uint32_t max, uint64_t spin_ns)
{
  uint32_t n = telar_sched_drain(s, out, max);
  if (spin_ns == 0 || s->ran_ns > spin_ns || s->config.cpus < 2) {
    return n;
  }
  if (n == 0 && s->outstanding != 0) {
    uint64_t deadline = telar_os_now_ns() + spin_ns;
    do {
      for (int i = 0; i < 4 && telar_index_queue_is_empty(s->done); i++) {
        telar_os_relax();
      }
      n = telar_index_queue_is_empty(s->done) ? 0 : telar_sched_drain(s, out, max);
    } while (n == 0 && telar_os_now_ns() < deadline);
  }
  return n != 0 && s->ran_ns < GATHER_RAN_NS ? gather(s, out, n, max) : n;
}

bool telar_sched_owner_sleep(telar_sched *s)
{
  telar_eventcount_prepare(&s->owner_sleep); /* D2: announce, then look once more */
  if (telar_index_queue_is_empty(s->done)) {
    telar_sched_wake_unanswered(s);
    return true;
  }
  telar_eventcount_cancel(&s->owner_sleep);
  return false;
}

bool telar_sched_owner_nap(telar_sched *s, bool *naps)
{
  *naps = s->outstanding >= NAP_OUTSTANDING && s->ran_ns != 0 && s->ran_ns < NAP_RAN_NS;
  if (*naps) {
    atomic_store_explicit(&s->nap, (int32_t)(s->outstanding / 4), memory_order_relaxed);
  }
  return telar_sched_owner_sleep(s);
}

void telar_sched_owner_awake(telar_sched *s)
{
  /* A1: acquires R1, whoever left its push to this. */
  if (atomic_load_explicit(&s->nap, memory_order_acquire) != 0) {
    atomic_exchange_explicit(&s->nap, 0, memory_order_acquire);
  }
  /* Relaxed: only this thread leaves AWAKE, and the look spares a write to a
   * line that every worker reads. */
  if (atomic_load_explicit(&s->owner_sleep.state, memory_order_relaxed) != TELAR_EVENTCOUNT_AWAKE) {
    telar_eventcount_cancel(&s->owner_sleep);
  }
}

/* ---- owner: cancel and recover ---- */

telar_cancel_result telar_sched_cancel(telar_sched *s, uint32_t index, uint32_t *worker)
{
  *worker = TELAR_SCHED_NONE;
  if (index >= s->config.slots) {
    return TELAR_CANCEL_INVALID;
  }
  if (!s->slots[index].cancellable) {
    return TELAR_CANCEL_INVALID;
  }
  _Atomic uint32_t *state = &s->slots[index].state;
  uint32_t seen = atomic_load_explicit(state, memory_order_relaxed);
  for (;;) {
    switch (SLOT_STATE(seen)) {
      case SLOT_QUEUED:
        if (atomic_compare_exchange_weak(state, &seen, SLOT_WORD(SLOT_CANCELLED, 0u))) {
          return TELAR_CANCEL_QUEUED;
        }
        break;
      case SLOT_CLAIMED:
        if (atomic_compare_exchange_weak(state, &seen, SLOT_WORD(SLOT_CONDEMNED, SLOT_WORKER(seen)))) {
          *worker = SLOT_WORKER(seen);
          telar_sched_worker_close(s, *worker);
          return TELAR_CANCEL_RUNNING;
        }
        break;
      case SLOT_DONE:
        return TELAR_CANCEL_DONE;
      default:
        return TELAR_CANCEL_INVALID;
    }
  }
}

telar_cancel_result telar_sched_cancel_closing(telar_sched *s, uint32_t index, uint32_t closes, uint32_t *worker)
{
  /* Before the slot is taken out: the worker that finds it cancelled, by a compare-and-swap
   * on the state, finds itself closed as well (claim). */
  bool was_open = is_present(s, closes) && atomic_exchange(&s->workers[closes].closing, 1) == 0;
  telar_cancel_result result = telar_sched_cancel(s, index, worker);
  if (result == TELAR_CANCEL_QUEUED) {
    telar_sched_worker_close(s, closes);
  } else if (result != TELAR_CANCEL_RUNNING && was_open) {
    atomic_store(&s->workers[closes].closing, 0);
    sched_ring(s, closes); /* it may have been told so meanwhile */
  }
  return result;
}

void telar_sched_worker_close(telar_sched *s, uint32_t worker)
{
  if (is_present(s, worker)) {
    atomic_store(&s->workers[worker].closing, 1);
    telar_sched_wake_worker(s, worker);
  }
}

bool telar_sched_worker_close_idle(telar_sched *s, uint32_t worker)
{
  if (!is_present(s, worker)) {
    return false;
  }
  uint32_t none = 0;
  /* All places at once, so that nothing can be claimed between look and close. */
  if (!atomic_compare_exchange_strong(&s->workers[worker].usage, &none, s->config.concurrency)) {
    return false;
  }
  telar_sched_worker_close(s, worker);
  return true;
}

uint32_t telar_sched_worker_retire(telar_sched *s, uint32_t worker, uint32_t *out, uint32_t max, uint32_t *claimed)
{
  *claimed = 0;
  if (!is_present(s, worker)) {
    return 0;
  }
  sched_worker *w = &s->workers[worker];
  uint32_t n = 0;
  for (uint32_t i = 0; i < s->config.slots && n < max; i++) {
    uint32_t state = atomic_load_explicit(&s->slots[i].state, memory_order_relaxed);
    if (state == SLOT_WORD(SLOT_CLAIMED, worker) || state == SLOT_WORD(SLOT_CONDEMNED, worker)) {
      own(s, &s->slots[i]);
      out[n++] = i;
    }
  }
  *claimed = n;
  while (n < max && telar_index_queue_pop_sc(w->lane, &out[n]) == TELAR_OK) {
    own(s, &s->slots[out[n]]);
    n++;
  }
  if (n == max) {
    return n;
  }
  telar_sched_forget_sleep(s, worker);
  if (s->config.timing) {
    for (int m = 0; m < 2; m++) {
      telar_histogram_merge(w->metric[m], &s->metrics[m]->retired);
    }
  }
  atomic_store_explicit(&w->usage, 0, memory_order_relaxed);
  atomic_store_explicit(&w->closing, 0, memory_order_relaxed);
  atomic_store_explicit(&w->completed, 0, memory_order_relaxed);
  atomic_store_explicit(&w->ready, 0, memory_order_relaxed);
  w->dry_since_ns = 0;
  w->holds_place = false;
  w->phase = WORKER_FREE;
  return n;
}

uint32_t telar_sched_withdraw(telar_sched *s, uint32_t *out, uint32_t max)
{
  uint32_t n = 0;
  uint32_t turns = 0;
  while (n < max) {
    telar_status status = telar_index_queue_pop_mc(s->ready, &out[n]);
    if (status == TELAR_EMPTY) {
      break;
    }
    if (status == TELAR_OK) {
      own(s, &s->slots[out[n]]);
      n++;
    } else {
      sched_wait_turn(&turns);
    }
  }
  return n;
}

void telar_sched_watch_claims(telar_sched *s)
{
  atomic_store(&s->watch_claims, 1);
  atomic_thread_fence(memory_order_seq_cst); /* before the caller looks at ready_length */
}

/* ---- figures ---- */

uint32_t telar_sched_ready_length(telar_sched *s)
{
  telar_index_queue_publish_sp(s->ready);
  return telar_index_queue_length(s->ready);
}

uint32_t telar_sched_outstanding(const telar_sched *s)
{
  return s->outstanding;
}

uint32_t telar_sched_worker_usage(const telar_sched *s, uint32_t worker)
{
  return worker < s->config.workers ? atomic_load_explicit(&s->workers[worker].usage, memory_order_relaxed) : 0;
}

uint64_t telar_sched_worker_completed(const telar_sched *s, uint32_t worker)
{
  return worker < s->config.workers ? atomic_load_explicit(&s->workers[worker].completed, memory_order_relaxed) : 0;
}

bool telar_sched_worker_is_ready(const telar_sched *s, uint32_t worker)
{
  return worker < s->config.workers && atomic_load(&s->workers[worker].ready) != 0;
}

/* ---- payload blocks ---- */

static bool may_touch_block(const telar_sched *s, uint32_t slot, uint32_t worker)
{
  if (s->config.slab == NULL || slot >= s->config.slots) {
    return false;
  }
  uint32_t state = atomic_load_explicit(&s->slots[slot].state, memory_order_relaxed);
  return worker == TELAR_SCHED_NONE
             ? state == SLOT_WORD(SLOT_OWNED, 0u)
             : state == SLOT_WORD(SLOT_CLAIMED, worker) || state == SLOT_WORD(SLOT_CONDEMNED, worker);
}

static void free_block(telar_sched *s, uint64_t *block)
{
  if (*block != SLOT_NO_BLOCK) {
    telar_slab_free(s->config.slab, *block - 1);
    *block = SLOT_NO_BLOCK;
  }
}

void telar_sched_drop_large_block(telar_sched *s, sched_slot *slot)
{
  free_block(s, &slot->spare);
  if (slot->block != SLOT_NO_BLOCK && slot->block_capacity > KEEP_BLOCK_BYTES) {
    free_block(s, &slot->block);
  }
}

telar_status telar_sched_block_alloc(telar_sched *s, uint32_t index, uint32_t worker, uint64_t bytes,
                                     uint64_t *offset, uint64_t *capacity)
{
  if (!may_touch_block(s, index, worker)) {
    return TELAR_INVALID;
  }
  sched_slot *slot = &s->slots[index];
  free_block(s, &slot->spare);
  if (slot->block == SLOT_NO_BLOCK || slot->block_used || slot->block_capacity < bytes) {
    uint64_t fresh, fresh_capacity;
    if (!slot->block_used) {
      free_block(s, &slot->block); /* too small to keep, and nothing of it is wanted */
    }
    telar_status status = telar_slab_alloc(s->config.slab, bytes, &fresh, &fresh_capacity);
    if (status != TELAR_OK) {
      return status;
    }
    slot->spare = slot->block;
    slot->block = fresh + 1;
    slot->block_capacity = fresh_capacity;
  }
  slot->block_used = true;
  *offset = slot->block - 1;
  *capacity = slot->block_capacity;
  return TELAR_OK;
}

telar_status telar_sched_block_free(telar_sched *s, uint32_t index, uint32_t worker)
{
  if (!may_touch_block(s, index, worker)) {
    return TELAR_INVALID;
  }
  sched_slot *slot = &s->slots[index];
  free_block(s, &slot->block);
  free_block(s, &slot->spare);
  slot->block_used = false;
  return TELAR_OK;
}

/* ---- metrics ---- */

static void sum_up(telar_sched *s, telar_sched_metric metric, telar_histogram_snapshot *out)
{
  telar_histogram_snapshot_add(out, &s->metrics[metric]->retired);
  for (uint32_t i = 0; i < s->table_end; i++) {
    if (is_present(s, i)) {
      telar_histogram_merge(s->workers[i].metric[metric], out);
    }
  }
}

void telar_sched_histogram(telar_sched *s, telar_sched_metric metric, uint32_t worker, telar_histogram_snapshot *out)
{
  telar_histogram_snapshot_clear(out);
  if (!s->config.timing) {
    return;
  }
  if (worker == TELAR_SCHED_NONE) {
    sum_up(s, metric, out);
    telar_histogram_snapshot_subtract(out, &s->metrics[metric]->baseline);
  } else if (is_present(s, worker)) {
    telar_histogram_merge(s->workers[worker].metric[metric], out);
  }
}

void telar_sched_histogram_reset(telar_sched *s, telar_sched_metric metric)
{
  if (s->config.timing) {
    telar_histogram_snapshot_clear(&s->metrics[metric]->baseline);
    sum_up(s, metric, &s->metrics[metric]->baseline);
  }
}
