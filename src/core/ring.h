/*
 * ring: a bounded lock-free queue of byte records in memory that threads share.
 *
 * FOR     handing values from any thread to any other through a SharedArrayBuffer. A record has
 *         any length up to half the ring. The records of one producer keep their order, and
 *         each arrives once. JavaScript can write to the memory too, so it may hold anything:
 *         then a call returns a status, and never accesses memory outside the ring.
 *
 * USE     once        telar_ring_config config = {.capacity = 65536};
 *                     telar_ring_init(memory, telar_ring_size(&config), &config);
 *
 *         each thread telar_ring_end *end;
 *                     telar_ring_open(aligned(telar_ring_end_size()), memory, bytes, &end);
 *                     telar_ring_attach(end, thread_number);
 *
 *         sender      telar_ring_send(end, "hello", 5);           copies
 *         receiver    telar_ring_receive(end, buffer, sizeof buffer, &length);
 *
 *         in place    telar_ring_reserve(end, 1000, &place);      write place.data
 *                     telar_ring_commit(end, place.ticket, 990);  or discard
 *                     telar_ring_claim(end, &place);              read place.data
 *                     telar_ring_release(end, place.ticket);
 *
 *         after any of these   telar_ring_notify (ring_wait.h), which wakes a waiting end
 *
 *         finally     telar_ring_detach(end); telar_ring_notify(end, ...);
 *
 * THREADS An end is private memory and belongs to one thread at a time. Any number of ends may
 *         be open, in any threads; at most TELAR_RING_ENDPOINTS are attached at once. Without
 *         TELAR_RING_SINGLE_PRODUCER any of them may send, without TELAR_RING_SINGLE_CONSUMER
 *         any of them may receive. With the flag, the first end that sends (receives) is the
 *         only one until it is detached; other ends get BUSY. init: before the memory is shared.
 *
 * STATUS  FULL, EMPTY  nothing can be done until another end acts
 *                      (no record, or the next one is reserved and not committed)
 *         AGAIN        to a sender: another end is giving room back. To a receiver of a closed
 *                      ring: the next record is reserved and not committed. A thread may sleep
 *                      on it as on EMPTY and FULL (ring_wait.h).
 *         CLOSED       no more sends; to a receiver also: no record is left, and none will come
 *         ABORTED      the ring was aborted, for both sides, effective at once
 *         BUSY         another end is the single producer or consumer
 *         TOO_LARGE    the record is longer than telar_ring_max_record, or the buffer is shorter
 *                      than the record
 *         CORRUPT      the shared memory holds values that no call writes. Records may be lost:
 *                      abort the ring
 *         DROPPED      to a sender: there is no room, and the ring drops what it has no room for
 *         LIMIT        too many endpoints, or too many open reservations or claims
 *         INVALID      a bad argument, or an end that is not attached
 *         A call that does not return OK has sent and received nothing. The room of received or
 *         released records becomes free with the next notify at the latest. (A single consumer
 *         frees it earlier, when a quarter of the ring or 2 KiB has accumulated.)
 *
 * PROGRESS Sending and receiving are wait-free for a single producer or consumer, otherwise
 *         lock-free: a compare-and-swap fails only because another one succeeded. No call waits
 *         for another thread. A producer that stops between reserve and commit, or inside a
 *         send, delays the receivers of later records (EMPTY), and delays other producers only
 *         once the ring is full. The same is true of a receiver that stops inside a call that
 *         takes a part of a run. A sender that drops the oldest records polls at most a hundred
 * times for threads that are reading them. A thread ends only between two calls; then detach or
 * abandon gives back what its end held.
 *
 * SOURCE  Aeron's and Agrona's ring buffers, for committing each record by its own word and for
 *         padding at the end of the ring; DPDK's rte_ring, for moving the position once for many
 *         records; Vyukov's bounded queue, for consumers that read the record's word and never
 *         the producers' position. Two things differ from all of them. Records are released in
 *         any order. And a tag lies apart from the bytes it describes, so old bytes are never
 *         taken for a tag, and only one word has to be zeroed for each record, or for all records
 *         of one length that are sent together.
 *
 * OWNERSHIP  The caller owns the shared memory and the memory of the end. There is nothing to
 *         free: after detach the caller may free both.
 *
 * Usable from C++.
 */
#ifndef TELAR_CORE_RING_H
#define TELAR_CORE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TELAR_RING_CAPACITY_MIN 4096u
#define TELAR_RING_CAPACITY_MAX (1u << 30)
#define TELAR_RING_ENDPOINTS 256u /* ends attached at once */
#define TELAR_RING_OPEN_MAX \
  16u                         /* reservations that each end may have open at once; as many claims */
#define TELAR_RING_GRANULE 8u /* records start at multiples of this many bytes */

/* Flags of a ring. */
enum {
  TELAR_RING_SINGLE_PRODUCER = 1u, /* one end sends at a time */
  TELAR_RING_SINGLE_CONSUMER = 2u, /* one end receives at a time */
  /* A sender that finds no room drops the oldest records until there is enough. It moves head like
   * one of many consumers, so not with SINGLE_CONSUMER. FULL: nothing can be dropped now, because
   * the oldest record is read in place (an open claim) or written in place (a reservation). */
  TELAR_RING_DROP_OLDEST = 4u,
  /* A sender that finds no room drops its record: DROPPED. Not with DROP_OLDEST. */
  TELAR_RING_DROP_NEWEST = 8u
};

typedef struct telar_ring_config {
  uint32_t capacity; /* bytes for records: a power of two, 4 KiB to 1 GiB */
  uint32_t flags;    /* TELAR_RING_*, or 0 */
  uint64_t start; /* first position, in granules; 0 in production, tests start near wrap-around */
} telar_ring_config;

/* One thread's end of a ring, in private memory; see telar_ring_end_size. */
typedef struct telar_ring_end telar_ring_end;

/* A record that is written or read in place. */
typedef struct telar_ring_place {
  void *data;      /* aligned to 8 bytes if the ring is */
  uint64_t offset; /* offset of data from the start of the ring's memory, in bytes */
  uint32_t length; /* in bytes */
  uint32_t ticket; /* for commit, discard or release, by the same end */
} telar_ring_place;

/* Records of one length, each at the next multiple of 8 bytes after the previous one. A batch is a
 * list of runs, one after another. */
typedef struct telar_ring_run {
  uint32_t records; /* number of records, from 1 */
  uint32_t bytes;   /* length of each record, in bytes */
} telar_ring_run;

/* Statistics of a ring. Each number is recent, but they are not a consistent instant: each end
 * publishes its own numbers in telar_ring_notify. */
typedef struct telar_ring_stats {
  uint64_t sent;           /* records committed since init */
  uint64_t sent_bytes;     /* their bytes */
  uint64_t received;       /* records received or claimed since init */
  uint64_t received_bytes; /* their bytes */
  uint64_t dropped;        /* records dropped since init; with DROP_OLDEST they had been sent */
  uint64_t dropped_bytes;  /* their bytes */
  uint64_t size;           /* records in the ring now */
  uint64_t size_bytes;     /* their bytes */
  uint64_t used; /* bytes not available to producers now, including padding and reservations */
} telar_ring_stats;

typedef enum telar_ring_state {
  TELAR_RING_OPEN = 0,
  TELAR_RING_CLOSED = 1, /* no more sends; records left in the ring can be received */
  TELAR_RING_ABORTED = 2
} telar_ring_state;

/* ---- set-up ---- */

/* Bytes of shared memory to allocate for init: about 33 KiB plus 1.5 times the capacity. 0 if the
 * configuration is invalid. */
uint64_t telar_ring_size(const telar_ring_config *config);

/*
 * Makes an empty ring. pre: the memory is all zeroes, as a new SharedArrayBuffer is (so the pages
 * of a large ring stay untouched). It must be aligned to 8 bytes; alignment to TELAR_CACHELINE is
 * faster. INVALID: a bad configuration, or memory that is NULL, not aligned, or smaller than
 * telar_ring_size.
 */
telar_status telar_ring_init(void *memory, uint64_t bytes, const telar_ring_config *config);

/* Size and alignment of the private memory of an end, in bytes. */
size_t telar_ring_end_size(void);
size_t telar_ring_end_align(void);

/*
 * Opens an end of the ring in memory (bytes long), which some thread has initialized. The layout is
 * checked here, once, and copied into the end, so later writes to the shared memory cannot change
 * it. CORRUPT: not a ring, a ring of another version, or a ring larger than bytes. INVALID: a
 * pointer is NULL, or memory is not aligned. There is no matching close.
 */
telar_status telar_ring_open(void *end_memory, void *memory, uint64_t bytes, telar_ring_end **out);

/* Enters the end into the ring's table, under the number of its thread (not 0). From now on other
 * ends expect it to send or receive (ring_wait.h, telar_ring_is_deserted). An end that is not
 * attached can read statistics and state, and can close and abort. LIMIT: the table is full.
 * INVALID: already attached, or thread is 0. */
telar_status telar_ring_attach(telar_ring_end *end, uint32_t thread);

/*
 * Removes the end from the table: abandons what it holds, gives up its role as single producer or
 * consumer, and ends its waits. Call telar_ring_notify after it, because other ends may be able to
 * continue. Does nothing if the end is not attached. The end may be attached again.
 */
void telar_ring_detach(telar_ring_end *end);

/*
 * Declares that the thread of this end now hears announcements of the buffers that records name,
 * and can be asked for them. Valid until the end is detached. Does nothing if the end is not
 * attached.
 */
void telar_ring_listen(telar_ring_end *end);

/* The thread number of the end at that index of the table, if it listens; otherwise 0. */
uint32_t telar_ring_listener(const telar_ring_end *end, uint32_t endpoint);

bool telar_ring_is_attached(const telar_ring_end *end);
uint32_t telar_ring_endpoint(const telar_ring_end *end); /* its index in the table, 0 to 255 */
uint32_t telar_ring_capacity(const telar_ring_end *end); /* in bytes */
uint32_t telar_ring_flags(const telar_ring_end *end);
uint32_t telar_ring_max_record(const telar_ring_end *end); /* in bytes: half the capacity */

/* ---- sending ---- */

/* Copies one record into the ring; length is in bytes. OK, FULL, AGAIN, CLOSED, ABORTED, BUSY,
 * TOO_LARGE, CORRUPT, DROPPED. */
telar_status telar_ring_send(telar_ring_end *end, const void *data, uint32_t length);

/* The same for a record of two consecutive parts, such as a header and a body. */
telar_status telar_ring_send_parts(telar_ring_end *end, const void *first, uint32_t first_length,
                                   const void *second, uint32_t second_length);

/*
 * Copies records into the ring, as many as fit, and moves the position once. There are `count`
 * runs; data points to the first record. *sent receives the number of records sent. Receivers get a
 * run as a unit, so adjacent records of one length should be one run. OK: at least one record was
 * sent, unless count is 0. TOO_LARGE: the first record can never fit; a later one that can never
 * fit ends the batch before it. INVALID: a run has no records. A ring that drops records takes the
 * whole batch, record by record once there is no room: *sent includes the records that it dropped,
 * which are those of telar_ring_dropped if it drops the newest.
 */
telar_status telar_ring_send_many(telar_ring_end *end, const void *data, const telar_ring_run *runs,
                                  uint32_t count, uint32_t *sent);

/*
 * Reserves room for a record of up to length bytes, to be written in place. The room still holds
 * old bytes. The record has its place in the order from now on: other producers continue after it,
 * and receivers wait for it. LIMIT: too many reservations are open. Otherwise as telar_ring_send,
 * without DROPPED.
 */
telar_status telar_ring_reserve(telar_ring_end *end, uint32_t length, telar_ring_place *out);

/* Commits the record, with its first used bytes. Also works after close. INVALID: no such
 * reservation is open, or used exceeds the reserved length (then it stays open). ABORTED: the ring
 * was aborted, and the reservation is gone. */
telar_status telar_ring_commit(telar_ring_end *end, uint32_t ticket, uint32_t used);

/* Gives a reservation back without a record. INVALID: no such reservation is open. */
telar_status telar_ring_discard(telar_ring_end *end, uint32_t ticket);

/* ---- dropping ---- */

/* Called for each record that this end drops from the ring (DROP_OLDEST), within the call that
 * sends. It may read the record, but must not call into the ring. */
typedef void (*telar_ring_drop_fn)(void *context, const void *data, uint32_t length);
void telar_ring_on_drop(telar_ring_end *end, telar_ring_drop_fn on_drop, void *context);

/* How many records the ends at this place of the table have dropped so far. */
uint64_t telar_ring_dropped(const telar_ring_end *end);

/* ---- receiving ---- */

/* Copies the next record out. *length: its length in bytes; also set for TOO_LARGE, where the
 * record is longer than capacity and stays in the ring. OK, EMPTY, AGAIN, CLOSED, ABORTED, BUSY,
 * TOO_LARGE, CORRUPT. */
telar_status telar_ring_receive(telar_ring_end *end, void *buffer, uint32_t capacity,
                                uint32_t *length);

/*
 * Copies up to max records out and moves the position once: as many as are there, fit into capacity
 * bytes and are contiguous (the end of the ring ends a batch). In buffer they are laid out as runs;
 * bytes between records are undefined. runs has room for max entries; *count receives the number of
 * entries (adjacent runs may have the same length). TOO_LARGE: the first record does not fit, and
 * runs[0].bytes is its length.
 */
telar_status telar_ring_receive_many(telar_ring_end *end, void *buffer, uint32_t capacity,
                                     telar_ring_run *runs, uint32_t max, uint32_t *count);

/* Claims the next record, to be read in place. telar_ring_release gives its room back; claims may
 * be released in any order. LIMIT: too many claims are open. Otherwise as telar_ring_receive,
 * without TOO_LARGE. */
telar_status telar_ring_claim(telar_ring_end *end, telar_ring_place *out);

/* Ends a claim. INVALID: no such claim is open. */
telar_status telar_ring_release(telar_ring_end *end, uint32_t ticket);

/* ---- ends ---- */

/* Discards the open reservations and releases the open claims; claimed records count as received.
 * For the cleanup of a thread that ends. detach calls it. */
void telar_ring_abandon(telar_ring_end *end);

/* Refuses further sends. Receivers get the remaining records, including open reservations, then
 * CLOSED. Any end, attached or not. Call telar_ring_notify after it. */
void telar_ring_close(telar_ring_end *end);

/* Refuses sends and receives. Any end, attached or not. Call telar_ring_notify after it. */
void telar_ring_abort(telar_ring_end *end);

telar_ring_state telar_ring_state_read(const telar_ring_end *end);

void telar_ring_stats_read(const telar_ring_end *end, telar_ring_stats *out);

#ifdef __cplusplus
}
#endif

#endif
