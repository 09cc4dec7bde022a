/*
 * ring_internal.h - the layout of a ring, and what its files share. Not for the binding.
 *
 * POSITIONS count granules of 8 bytes and run freely, modulo 2^62; position p lies at granule
 * p mod 2^n. The shared memory holds three:
 *
 *     released <= head <= tail <= released + granules - 1
 *
 *     tail      next to be reserved. Producers move it by compare-and-swap; a single one stores it.
 *     head      next to be claimed. Consumers likewise. Its two upper bits end a closed ring.
 *     released  everything before it may be written again.
 *
 * One granule always stays free, so the tag at tail lies in released room and is 0. Otherwise a
 * consumer that finds head = tail could read a record of the previous lap there.
 *
 * A TAG (ring_tags.h) is one word for each granule. It is not 0 only where something begins:
 *
 *     0            nothing, or reserved and not committed yet
 *     READY | n    a record of n bytes                        producer, R1
 *     m, n         a run: m records of n bytes each, sent together                 producer, R1
 *     SKIP | n     n granules without a record: the rest of the ring before a record that did not
 *                  fit, a discarded reservation, what a commit left over          producer, R1
 *     DONE | n     n granules that were claimed together and can be released       consumer, R2
 *
 * A run saves tags, whose cache lines have to travel to the consumer and back: with records of 8
 * bytes there is one line of tags for every two lines of data. A consumer that claims only the
 * first records of a run writes a tag for the others (R10), after its claim has succeeded. Until
 * then other consumers read 0 there, as before a record that is not committed.
 *
 * A sender that drops the oldest records (ring_drop.c) claims them like a consumer, but only if
 * everything before head has been given back: otherwise dropping would give it no room. It counts
 * as no receiver in the table.
 *
 * GIVING ROOM BACK means: set the tags to 0, then advance released. A single consumer does this
 * itself, for several records at a time, up to the oldest open claim. With many consumers, each
 * marks a finished claim with DONE, in any order; that is one store. A thread that needs room (a
 * producer, or a thread that wants to wake one) sweeps consecutive DONE claims. The sweep takes a
 * lock, which is tried and never waited for (AGAIN). Its holder releases the lock, then checks for
 * further claims and for waiting senders. So the holder does the work of the threads that it kept
 * out.
 *
 * THE END OF A CLOSED RING. A receiver may return CLOSED only if no record can come any more. But a
 * sender checks the state before it sends, and the ring may be closed in between. Neither side pays
 * for this case while the ring is open.
 *
 *   - A sender checks the state again after it has published, in notify, which needs a fence
 *     anyway (C1).
 *   - A receiver that finds a closed ring empty checks once more after a fence (C2). Then it sets
 *     HEAD_FINAL by compare-and-swap (C4); after that, nothing is received.
 * One of the two fences comes first: either the receiver sees the tail that the sender moved, or
 * the sender sees the closed ring. In the second case the word head decides. If HEAD_FINAL is set
 * at or before the sender's record, the record was not received, and the sender returns CLOSED.
 * Otherwise the sender sets HEAD_LATE (C3), so the receiver's C4 fails and it checks again. A claim
 * moves head and clears HEAD_LATE; the next check of the claiming consumer comes after C2 and sees
 * the record.
 */
#ifndef TELAR_CORE_RING_INTERNAL_H
#define TELAR_CORE_RING_INTERNAL_H

#include <string.h>

#include "atomic.h"
#include "cacheline.h"
#include "ring.h"
#include "ring_tags.h"
#include "ring_wait.h"

#define RING_MAGIC 0x72617433u /* of this layout: each new layout gets a new number */

/* For code outside the common case: if it were inlined, the common case would have to save
 * registers that it does not need. */
#if defined(_MSC_VER)
#define RING_NOINLINE __declspec(noinline)
#else
#define RING_NOINLINE __attribute__((noinline))
#endif

#define RING_POSITION_MASK ((UINT64_C(1) << 62) - 1)
#define RING_HEAD_LATE (UINT64_C(1) << 62)
#define RING_HEAD_FINAL (UINT64_C(1) << 63)

enum {
  RING_SIDES = 2,
  RING_WAIT_WORDS = TELAR_RING_ENDPOINTS / 64,
  RING_PAD_WORDS = TELAR_CACHELINE / sizeof(uint64_t)
};

/* The ends that wait on one side. */
typedef struct ring_waiters {
  _Atomic uint64_t waiting[RING_WAIT_WORDS]; /* one bit for each waiting endpoint */
  _Atomic uint32_t next;                     /* the endpoint to try first */
  uint32_t unused;
  uint64_t pad[RING_PAD_WORDS - 1 - RING_WAIT_WORDS];
} ring_waiters;

/* Only the owner writes it, except for event. The next owner continues the statistics. */
typedef struct ring_endpoint {
  _Atomic uint32_t thread;  /* 0: free */
  _Atomic uint32_t roles;   /* 1 << side for each side that the end has acted on; 0: none yet */
  _Atomic uint32_t need;    /* granules that the waiting sender needs */
  _Atomic uint32_t blocks;  /* 1 << side for each side that it waits on by blocking */
  _Atomic int32_t event;    /* changes when the blocked end is woken; Atomics.wait compares it */
  _Atomic uint32_t listens; /* 1: its thread hears announcements of the buffers that records name */
  _Atomic uint64_t sent, sent_bytes, received, received_bytes, dropped, dropped_bytes;
  uint64_t pad[RING_PAD_WORDS - 9];
} ring_endpoint;

/*
 * Data that different threads write lies TELAR_CACHELINE apart. This is done by padding, not by
 * alignment: the memory of a SharedArrayBuffer is aligned to 16 bytes only.
 */
typedef struct ring_shared {
  uint32_t magic;
  uint32_t log2_granules;
  uint32_t flags;
  _Atomic uint32_t state;              /* telar_ring_state */
  _Atomic uint32_t holder[RING_SIDES]; /* endpoint + 1 of the single consumer, producer; 0: none */
  _Atomic uint32_t gone;      /* 1 << side: an end that acted on that side has been detached */
  _Atomic uint32_t table_end; /* all endpoints in use are below it */
  uint64_t pad0[RING_PAD_WORDS - 4];
  _Atomic uint64_t tail;
  uint64_t pad1[RING_PAD_WORDS - 1];
  _Atomic uint64_t head;
  uint64_t pad2[RING_PAD_WORDS - 1];
  _Atomic uint64_t released;
  _Atomic uint32_t sweeping; /* lock for advancing released, with many consumers */
  uint32_t unused;
  uint64_t pad3[RING_PAD_WORDS - 2];
  ring_waiters waiters[RING_SIDES];
  ring_endpoint endpoints[TELAR_RING_ENDPOINTS];
  /* uint32_t tags[granules]; uint64_t data[granules]; */
} ring_shared;

_Static_assert(sizeof(ring_waiters) == TELAR_CACHELINE,
               "the waiters of a side have lines of their own");
_Static_assert(sizeof(ring_endpoint) == TELAR_CACHELINE, "an endpoint has lines of its own");
_Static_assert(sizeof(ring_shared) % TELAR_CACHELINE == 0, "the tags begin a line");
_Static_assert(sizeof(_Atomic uint64_t) == 8 && sizeof(_Atomic uint32_t) == 4,
               "atomics are as large as what they hold");

/* A reservation or claim that is open. */
typedef struct ring_open {
  uint64_t position; /* where it begins; for a claim, with the granules skipped before it */
  uint32_t granules; /* 0: not open */
  uint32_t bytes;    /* of a reservation: the requested length */
  uint32_t serial;
} ring_open;

/* What notify has to do. */
enum {
  RING_PENDING_MOVED = 1u, /* something was published, released, or passed on */
  RING_PENDING_SENT = 2u,  /* records were published, the last ones at `unsettled` */
  RING_PENDING_ALL = 4u    /* << side: wake all ends of that side */
};

enum { RING_STAGED_RECORDS = 32, RING_STAGED_BYTES = 256 };

/*
 * Short records that a single consumer has read ahead and not returned yet. The cache lines of one
 * record also hold the next ones, and the producer is writing to them. So they are read once, not
 * again for each record. Staged records are not claimed: head moves when they are returned, and any
 * other move of head invalidates them.
 */
typedef struct ring_staged {
  uint32_t next, count;
  uint32_t at; /* offset of the next record's bytes */
  uint32_t lengths[RING_STAGED_RECORDS];
  unsigned char bytes[RING_STAGED_BYTES];
} ring_staged;

/* The last run that was received as a whole; the next one probably has the same length. */
typedef struct ring_likely {
  telar_ring_run run; /* records is 0: none yet */
  uint32_t tag;
  uint32_t granules;
} ring_likely;

struct telar_ring_end {
  ring_shared *shared;
  _Atomic uint32_t *tags;
  unsigned char *data;
  uint32_t mask; /* granules - 1 */
  uint32_t max_record;
  uint32_t release_group; /* granules that a single consumer releases at once, except in notify */
  uint32_t flags;
  uint32_t endpoint;
  bool attached;
  bool has_role[RING_SIDES]; /* may receive, may send; set at the first attempt */
  bool waits[RING_SIDES];    /* has announced a wait */
  uint32_t pending;
  uint64_t unsettled;
  /* Statistics at the last notify. They are restored if the ring refuses what was sent since. */
  uint64_t settled_sent, settled_bytes;
  uint64_t tail;          /* of the single producer */
  uint64_t released_seen; /* private to a producer: the value of released when last read */
  uint64_t head;          /* of the single consumer */
  uint64_t released;      /* of the single consumer */
  uint64_t sent, sent_bytes, received, received_bytes, dropped, dropped_bytes;
  telar_ring_drop_fn on_drop; /* may be NULL */
  void *drop_context;
  uint32_t serial;
  ring_likely likely;
  ring_staged staged;
  ring_open reservations[TELAR_RING_OPEN_MAX];
  uint32_t claims_open;
  ring_open claims[TELAR_RING_OPEN_MAX];
};

/* ---- ring.c ---- */

/* Before the first send or receive: becomes the single producer or consumer, if the ring has that
 * flag. OK, BUSY, INVALID, CLOSED (a receiver, after the closed ring has ended). */
telar_status telar_ring_take_role(telar_ring_end *end, telar_ring_side side);
/* Finds an open reservation or claim by its ticket; NULL if there is none. */
ring_open *telar_ring_find_open(ring_open *list, uint32_t ticket);
/* A free entry of a list; NULL if all are in use. */
ring_open *telar_ring_free_open(ring_open *list);

/* ---- ring_release.c ---- */

/* A single consumer releases what it has received and released, except the last `keep` granules.
 * pre: there are at least `keep` granules. */
void telar_ring_release_seen(telar_ring_end *end, uint32_t keep);
/* Releases room that consumers have finished with: `wanted` granules and some more, if that many
 * are done. AGAIN: another thread is sweeping. The caller's next notify checks for waiting
 * senders. */
telar_status telar_ring_sweep(telar_ring_end *end, uint64_t wanted);

/* ---- ring_send.c ---- */

/* Whether a record of that many granules could be reserved at tail, given released. */
bool telar_ring_fits(const telar_ring_end *end, uint64_t tail, uint64_t released,
                     uint32_t granules);

/* ---- ring_drop.c ---- */

/* Called by a sender that has found no room, with the status that says so. OK: something was
 * dropped or has changed, so it should try again. Otherwise the status to return. */
telar_status telar_ring_overflow(telar_ring_end *end, telar_status status);
/* The result of a send of so many bytes: DROPPED instead of FULL and AGAIN, if the ring drops what
 * it has no room for. */
telar_status telar_ring_drop_newest(telar_ring_end *end, uint32_t bytes, telar_status status);
/* Sends the records of a batch after the first *sent, one by one, in a ring that drops records.
 * Adds them to *sent. */
telar_status telar_ring_send_each(telar_ring_end *end, const void *data, const telar_ring_run *runs,
                                  uint32_t count, uint32_t *sent);

/* ---- ring_close.c ---- */

/* After the fence of notify (C1): checks whether the closed ring refused the records sent since the
 * last notify. OK or CLOSED. */
telar_status telar_ring_settle(telar_ring_end *end);

/* ---- helpers ---- */

static inline bool ring_has(const telar_ring_end *end, uint32_t flag) {
  return (end->flags & flag) != 0;
}

/* The pending flag that wakes all ends of a side. */
static inline uint32_t ring_pending_all(telar_ring_side side) {
  return (uint32_t)RING_PENDING_ALL << side;
}

static inline uint64_t ring_distance(uint64_t from, uint64_t to) {
  return (to - from) & RING_POSITION_MASK;
}

static inline _Atomic uint32_t *ring_tag(const telar_ring_end *end, uint64_t position) {
  return &end->tags[(uint32_t)position & end->mask];
}

static inline unsigned char *ring_data(const telar_ring_end *end, uint64_t position) {
  return end->data + (size_t)((uint32_t)position & end->mask) * TELAR_RING_GRANULE;
}

static inline uint32_t ring_ticket(const ring_open *list, const ring_open *open) {
  return open->serial * TELAR_RING_OPEN_MAX + (uint32_t)(open - list);
}

/* Whether ring_copy_word() can copy it: a small integer of the codec, or a pointer. That copy is
 * not a call, and a function without calls saves no registers, which would cost a quarter of the
 * time of a send or a receive. */
static inline bool ring_is_word(uint32_t bytes) {
  return bytes == 8 || bytes == 4;
}

static inline void ring_copy_word(void *to, const void *from, uint32_t bytes) {
  if (bytes == 8) {
    memcpy(to, from, 8);
  } else {
    memcpy(to, from, 4);
  }
}

/* memcpy, without the call if the call would cost more than the copy. */
static inline void ring_copy(void *to, const void *from, uint32_t bytes) {
  if (ring_is_word(bytes)) {
    ring_copy_word(to, from, bytes);
  } else if (bytes != 0) {
    memcpy(to, from, bytes);
  }
}

static inline void ring_count_sent(telar_ring_end *end, uint64_t records, uint64_t bytes) {
  end->sent += records;
  end->sent_bytes += bytes;
}

static inline void ring_count_received(telar_ring_end *end, uint64_t records, uint64_t bytes) {
  end->received += records;
  end->received_bytes += bytes;
}

/* Writes the end's counters where all threads can read them. Called once in notify, not for each
 * record: the next record would wait for these stores. */
static inline void ring_publish_counts(const telar_ring_end *end) {
  ring_endpoint *entry = &end->shared->endpoints[end->endpoint];
  /* Relaxed: statistics. There is one writer, so no read-modify-write is needed. */
  atomic_store_explicit(&entry->sent, end->sent, memory_order_relaxed);
  atomic_store_explicit(&entry->sent_bytes, end->sent_bytes, memory_order_relaxed);
  atomic_store_explicit(&entry->received, end->received, memory_order_relaxed);
  atomic_store_explicit(&entry->received_bytes, end->received_bytes, memory_order_relaxed);
}

#endif
