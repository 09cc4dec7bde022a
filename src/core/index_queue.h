/*
 * index_queue: a bounded lock-free queue of 32-bit indices.
 *
 * FOR     handing small integers (slots, blocks, workers) from thread to thread. What an index
 *         stands for belongs to the thread that holds the index: everything written before a
 *         push is visible after the pop.
 *
 * USE     void *memory = aligned(TELAR_CACHELINE, telar_index_queue_size(1024));
 *         telar_index_queue *queue;
 *         telar_index_queue_init(memory, 1024, 0, &queue);
 *         telar_index_queue_push_mp(queue, 7);          // any thread
 *         uint32_t slot;
 *         telar_index_queue_pop_mc(queue, &slot);       // any thread
 *
 * THREADS The user chooses one kind of producer and one kind of consumer for each queue:
 *         push_sp if at most one thread pushes at a time, otherwise push_mp (never both,
 *         because a single producer keeps a counter of its own); pop_sc and pop_sc_many if at
 *         most one thread pops at a time, otherwise pop_mc. length, is_empty, has_next, peek and
 *         capacity: any thread. Passing the role of single producer or single consumer to
 *         another thread needs a happens-before edge between the two threads.
 *
 * STATUS  push: OK, FULL, AGAIN. pop: OK, EMPTY, AGAIN. AGAIN: the next cell was claimed by
 *         another thread that has not finished with it. The call did nothing. Try again after
 *         telar_os_relax, and after some tries telar_os_yield, because the other thread may
 *         have been preempted (backoff.h does both).
 *
 * PROGRESS _sp and _sc are wait-free. _mp and _mc are lock-free: a CAS fails only because that
 *         of another thread succeeded. A producer that stops between its CAS and its
 *         publication delays the consumers of its cell and of later cells (AGAIN); it does not
 *         delay other producers before the queue is full. A thread is never terminated inside
 *         a call into the core, so a stopped producer always continues.
 *
 * SOURCE  Dmitry Vyukov's bounded MPMC queue, with two changes. A cell is one 64-bit word
 *         {sequence, value}, so one load gives its whole state. Head and tail have 64 bits,
 *         while the cell stores the low 32: a claim compares all 64, so a thread that slept
 *         through 2^32 operations cannot mistake the new lap for the old one.
 *
 * CELL    Position p lies in cell p mod capacity. The sequence of the cell, mod 2^32, means:
 *           p              free, waits for the push of position p
 *           p + 1          holds the value of position p, waits for its pop
 *           p + capacity   popped: free for the next lap
 *         The three values differ if capacity >= 2.
 */
#ifndef TELAR_CORE_INDEX_QUEUE_H
#define TELAR_CORE_INDEX_QUEUE_H

#include "atomic.h"
#include "cacheline.h"
#include "status.h"

#define TELAR_INDEX_QUEUE_CAPACITY_MIN 2u
/* Half of the signed distance that a 32-bit sequence can express. */
#define TELAR_INDEX_QUEUE_CAPACITY_MAX (1u << 30)

/*
 * head and tail run freely; they are never reduced modulo the capacity. When no call is in
 * progress, head <= tail <= head + capacity. A single producer (consumer) writes the cell before
 * tail (head). Between these stores tail (head) lags by the positions in progress, and readers of
 * both allow for that.
 */
typedef struct telar_index_queue {
  TELAR_CACHELINE_ALIGNED _Atomic uint64_t head; /* next position to pop */
  TELAR_CACHELINE_ALIGNED _Atomic uint64_t tail; /* next position to push */
  TELAR_CACHELINE_ALIGNED uint64_t pushed;       /* the single producer's private tail */
  TELAR_CACHELINE_ALIGNED uint32_t mask; /* capacity - 1; constant; the cells follow the struct */
} telar_index_queue;

static inline bool telar_index_queue_capacity_ok_(uint32_t capacity) {
  return capacity >= TELAR_INDEX_QUEUE_CAPACITY_MIN && capacity <= TELAR_INDEX_QUEUE_CAPACITY_MAX &&
         (capacity & (capacity - 1)) == 0;
}

static inline _Atomic uint64_t *telar_index_queue_cell_(telar_index_queue *queue,
                                                        uint64_t position) {
  return (_Atomic uint64_t *)(queue + 1) + ((uint32_t)position & queue->mask);
}

static inline uint64_t telar_index_queue_pack_(uint64_t sequence, uint32_t value) {
  return (uint64_t)(uint32_t)sequence << 32 | value;
}

/* By how much the sequence of the cell exceeds the wanted one. */
static inline int32_t telar_index_queue_ahead_(uint64_t cell, uint64_t wanted) {
  return (int32_t)((uint32_t)(cell >> 32) - (uint32_t)wanted);
}

/* Bytes to allocate for init; a multiple of TELAR_CACHELINE. 0 if capacity is not a power of two
 * from 2 to 2^30. */
static inline size_t telar_index_queue_size(uint32_t capacity) {
  if (!telar_index_queue_capacity_ok_(capacity)) return 0;
  return sizeof(telar_index_queue) +
         TELAR_CACHELINE_ROUND_UP((size_t)capacity * sizeof(_Atomic uint64_t));
}

/*
 * Makes an empty queue in memory; its first position is start (0 in production; tests start near
 * 2^32). INVALID: capacity out of range, or memory is NULL or not aligned to TELAR_CACHELINE. Call
 * it before the queue is shared. There is no matching destroy: the caller frees the memory.
 */
static inline telar_status telar_index_queue_init(void *memory, uint32_t capacity, uint32_t start,
                                                  telar_index_queue **out) {
  if (memory == NULL || out == NULL || (uintptr_t)memory % TELAR_CACHELINE != 0 ||
      !telar_index_queue_capacity_ok_(capacity)) {
    return TELAR_INVALID;
  }
  telar_index_queue *queue = (telar_index_queue *)memory;
  atomic_init(&queue->head, start);
  atomic_init(&queue->tail, start);
  queue->pushed = start;
  queue->mask = capacity - 1;
  for (uint32_t i = 0; i < capacity; i++) {
    uint64_t position = (uint64_t)start + i;
    atomic_init(telar_index_queue_cell_(queue, position), telar_index_queue_pack_(position, 0));
  }
  *out = queue;
  return TELAR_OK;
}

static inline uint32_t telar_index_queue_capacity(const telar_index_queue *queue) {
  return queue->mask + 1;
}

/* Why a push found the cell of position taken. Relaxed: the load only chooses between two refusals;
 * an outdated head gives FULL for a moment longer. */
static inline telar_status telar_index_queue_no_room_(telar_index_queue *queue, uint64_t position) {
  uint64_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);
  return (int64_t)(position - head) > (int64_t)queue->mask ? TELAR_FULL : TELAR_AGAIN;
}

/* Why a pop found the cell of position without a value. Relaxed: as above. A thread that may sleep
 * on EMPTY has a full fence before this check (eventcount.h). */
static inline telar_status telar_index_queue_no_value_(telar_index_queue *queue,
                                                       uint64_t position) {
  uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
  return (int64_t)(tail - position) <= 0 ? TELAR_EMPTY : TELAR_AGAIN;
}

/*
 * Adds value at the end without moving the shared tail. The value can be popped and has_next sees
 * it, but length and is_empty count it only after publish_sp. So consumers that poll is_empty do
 * not read the cache line that the producer is writing. At most one thread pushes at a time. OK,
 * FULL or AGAIN.
 */
static inline telar_status telar_index_queue_push_sp_deferred(telar_index_queue *queue,
                                                              uint32_t value) {
  uint64_t position = queue->pushed;
  _Atomic uint64_t *cell = telar_index_queue_cell_(queue, position);
  /* A2: acquires R2, any pop. What the consumer did before it popped is visible. */
  uint64_t seen = atomic_load_explicit(cell, memory_order_acquire);
  if (telar_index_queue_ahead_(seen, position) != 0) {
    return telar_index_queue_no_room_(queue, position);
  }
  /* R1: released to A1, any pop. */
  atomic_store_explicit(cell, telar_index_queue_pack_(position + 1, value), memory_order_release);
  queue->pushed = position + 1;
  return TELAR_OK;
}

/* Moves the shared tail over all deferred pushes. Only the pushing thread may call it. */
static inline void telar_index_queue_publish_sp(telar_index_queue *queue) {
  if (atomic_load_explicit(&queue->tail, memory_order_relaxed) != queue->pushed) {
    /* R3: released to A3, length. */
    atomic_store_explicit(&queue->tail, queue->pushed, memory_order_release);
  }
}

/* Adds value at the end. At most one thread pushes at a time. OK, FULL or AGAIN. */
static inline telar_status telar_index_queue_push_sp(telar_index_queue *queue, uint32_t value) {
  telar_status status = telar_index_queue_push_sp_deferred(queue, value);
  telar_index_queue_publish_sp(queue);
  return status;
}

/* Adds value at the end. Any number of threads may push. OK, FULL or AGAIN. */
static inline telar_status telar_index_queue_push_mp(telar_index_queue *queue, uint32_t value) {
  /* Relaxed: a guess, which the CAS verifies. */
  uint64_t position = atomic_load_explicit(&queue->tail, memory_order_relaxed);
  for (;;) {
    _Atomic uint64_t *cell = telar_index_queue_cell_(queue, position);
    /* A2: acquires R2, any pop. If another producer was faster, A2 also acquires its R1: that
     * producer moved tail before its R1, so the reload below sees the new tail. */
    uint64_t seen = atomic_load_explicit(cell, memory_order_acquire);
    int32_t ahead = telar_index_queue_ahead_(seen, position);
    if (ahead == 0) {
      /* Relaxed: the claim orders nothing; the cell does (A2, R1). */
      if (atomic_compare_exchange_weak_explicit(&queue->tail, &position, position + 1,
                                                memory_order_relaxed, memory_order_relaxed)) {
        /* R1: released to A1, any pop. */
        atomic_store_explicit(cell, telar_index_queue_pack_(position + 1, value),
                              memory_order_release);
        return TELAR_OK;
      }
    } else if (ahead < 0) {
      return telar_index_queue_no_room_(queue, position);
    } else {
      position = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    }
  }
}

/* Takes the oldest value. At most one thread pops at a time. OK, EMPTY or AGAIN. */
static inline telar_status telar_index_queue_pop_sc(telar_index_queue *queue, uint32_t *value) {
  /* Relaxed: only this thread writes head. */
  uint64_t position = atomic_load_explicit(&queue->head, memory_order_relaxed);
  _Atomic uint64_t *cell = telar_index_queue_cell_(queue, position);
  /* A1: acquires R1, any push. */
  uint64_t seen = atomic_load_explicit(cell, memory_order_acquire);
  if (telar_index_queue_ahead_(seen, position + 1) != 0) {
    return telar_index_queue_no_value_(queue, position);
  }
  *value = (uint32_t)seen;
  /* R2: released to A2, the push of the next lap. */
  atomic_store_explicit(cell, telar_index_queue_pack_(position + queue->mask + 1, 0),
                        memory_order_release);
  /* Relaxed: other threads read head only to tell FULL from AGAIN, and for length. */
  atomic_store_explicit(&queue->head, position + 1, memory_order_relaxed);
  return TELAR_OK;
}

/*
 * Takes up to max of the oldest values, in order, and returns how many. At most one thread pops at
 * a time. 0 means EMPTY or AGAIN: is_empty tells which.
 */
static inline uint32_t telar_index_queue_pop_sc_many(telar_index_queue *queue, uint32_t *values,
                                                     uint32_t max) {
  /* Relaxed: only this thread writes head. */
  uint64_t position = atomic_load_explicit(&queue->head, memory_order_relaxed);
  uint32_t count = 0;
  while (count < max) {
    _Atomic uint64_t *cell = telar_index_queue_cell_(queue, position);
    /* A1: acquires R1, any push. */
    uint64_t seen = atomic_load_explicit(cell, memory_order_acquire);
    if (telar_index_queue_ahead_(seen, position + 1) != 0) break;
    values[count++] = (uint32_t)seen;
    /* R2: released to A2, the push of the next lap. */
    atomic_store_explicit(cell, telar_index_queue_pack_(position + queue->mask + 1, 0),
                          memory_order_release);
    position++;
  }
  /* Relaxed: as in pop_sc. One store for all values: each store would cost the readers a cache
   * miss. */
  if (count > 0) atomic_store_explicit(&queue->head, position, memory_order_relaxed);
  return count;
}

/* Takes the oldest value. Any number of threads may pop. OK, EMPTY or AGAIN. */
static inline telar_status telar_index_queue_pop_mc(telar_index_queue *queue, uint32_t *value) {
  /* Relaxed: a guess, which the CAS verifies. */
  uint64_t position = atomic_load_explicit(&queue->head, memory_order_relaxed);
  for (;;) {
    _Atomic uint64_t *cell = telar_index_queue_cell_(queue, position);
    /* A1: acquires R1, any push. If another consumer was faster, A1 also acquires its R2: that
     * consumer moved head before its R2, so the reload below sees the new head. */
    uint64_t seen = atomic_load_explicit(cell, memory_order_acquire);
    int32_t ahead = telar_index_queue_ahead_(seen, position + 1);
    if (ahead == 0) {
      /* Relaxed: the claim orders nothing; the cell does (A1, R2). */
      if (atomic_compare_exchange_weak_explicit(&queue->head, &position, position + 1,
                                                memory_order_relaxed, memory_order_relaxed)) {
        *value = (uint32_t)seen;
        /* R2: released to A2, the push of the next lap. */
        atomic_store_explicit(cell, telar_index_queue_pack_(position + queue->mask + 1, 0),
                              memory_order_release);
        return TELAR_OK;
      }
    } else if (ahead < 0) {
      return telar_index_queue_no_value_(queue, position);
    } else {
      position = atomic_load_explicit(&queue->head, memory_order_relaxed);
    }
  }
}

/* How many positions are taken, 0 to capacity. May be outdated when it returns. Any thread. */
static inline uint32_t telar_index_queue_length(telar_index_queue *queue) {
  /* Relaxed: no order would make the two loads one consistent picture; see the struct. */
  uint64_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);
  /* A3: acquires R3, publish_sp. What the producer did before it pushed is visible. */
  uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_acquire);
  int64_t length = (int64_t)(tail - head);
  if (length <= 0) return 0;
  return length > (int64_t)queue->mask ? queue->mask + 1 : (uint32_t)length;
}

/*
 * The value that the next pop would take, published by publish_sp or not; false: there is none. Any
 * thread. A push that ended before the sleeper's fence (eventcount.h) is seen until it is popped.
 */
static inline bool telar_index_queue_peek(telar_index_queue *queue, uint32_t *value) {
  for (;;) {
    /* Relaxed: the answer may be outdated when it returns; a pop checks again. */
    uint64_t position = atomic_load_explicit(&queue->head, memory_order_relaxed);
    /* A1: acquires R1, any push. */
    uint64_t cell =
        atomic_load_explicit(telar_index_queue_cell_(queue, position), memory_order_acquire);
    int32_t ahead = telar_index_queue_ahead_(cell, position + 1);
    *value = (uint32_t)cell;
    if (ahead == 0) return true;
    if (ahead < 0) return false;
    /* The value was popped after head was read: read again. */
  }
}

/* True if the next pop would find a value: as peek. */
static inline bool telar_index_queue_has_next(telar_index_queue *queue) {
  uint32_t value;
  return telar_index_queue_peek(queue, &value);
}

/*
 * True if no position is taken. Any thread. A push in progress may or may not count. A push that
 * ended before the sleeper's fence (eventcount.h) counts until it is popped.
 */
static inline bool telar_index_queue_is_empty(telar_index_queue *queue) {
  return telar_index_queue_length(queue) == 0;
}

#endif
