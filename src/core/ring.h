/*
 * ring: a bounded lock-free queue of byte records in memory that threads share.
 *
 * FOR     handing values from any thread to any other through a SharedArrayBuffer.
 *         Records have any length up to half the ring. Those of one producer keep
 *         their order, and each arrives once. JavaScript can write to the memory as
 *         well, so it may hold anything: a call then answers with a status, and
 *         never leaves the memory's bounds.
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
 *         after any of these   telar_ring_notify (ring_wait.h), which wakes an end that waits
 *
 *         at the end  telar_ring_detach(end); telar_ring_notify(end, ...);
 *
 * THREADS An end belongs to one thread at a time; it is private memory. Any number
 *         of ends, in any threads, at most TELAR_RING_ENDPOINTS attached at once.
 *         Without TELAR_RING_SINGLE_PRODUCER any of them sends, without
 *         TELAR_RING_SINGLE_CONSUMER any of them receives. With the flag, the
 *         first end that sends (receives) is the only one until it is detached;
 *         others get BUSY. init: before the memory is shared.
 *
 * STATUS  FULL, EMPTY  nothing to do until another end acts
 *                      (no record, or the next one is reserved and not committed)
 *         AGAIN        to a sender: another one is giving room back; to a receiver of a
 *                      closed ring: the next record is reserved and not committed. One may
 *                      sleep on it as on EMPTY and FULL (ring_wait.h).
 *         CLOSED       no more sends; to a receiver: and nothing is left, nor will be
 *         ABORTED      both sides, at once
 *         BUSY         another end is the single producer or consumer
 *         TOO_LARGE    a record longer than telar_ring_max_record, or a buffer that
 *                      is shorter than the record
 *         CORRUPT      the shared memory holds what no call writes. Records may be lost:
 *                      abort the ring
 *         LIMIT        too many endpoints, or too many reservations or claims open
 *         INVALID      an argument, or an end that is not attached
 *         A call that does not answer OK has sent and received nothing. The room of records
 *         that were received or released comes free with the next notify at the latest. (A
 *         single consumer gives it back earlier when a quarter of the ring, or 2 KiB, has
 *         come together.)
 *
 * PROGRESS Sending and receiving are wait-free for a single producer or consumer,
 *         else lock-free: a compare-and-swap fails only because another one
 *         succeeded. Nobody waits for another thread: a producer that stops between
 *         reserve and commit, or within a send, holds up the receivers of later records
 *         (EMPTY), and other producers only once the ring is full. So does a receiver
 *         that stops within a call that takes a part of a run. Threads end between two
 *         calls only; then detach, or abandon, gives back what the end held.
 *
 * SOURCE  Aeron's and Agrona's ring buffers for the commit of each record by its own
 *         word and for padding at the end of the ring; DPDK's rte_ring for moving the
 *         position once for many; Vyukov's bounded queue for consumers that read the
 *         record's word and never the producers' position. Unlike all of them records
 *         are released in any order, and a tag lies apart from the bytes it describes,
 *         so that old bytes are never taken for a tag and nothing has to be zeroed but
 *         one word for each record, or for all that are sent together and equally long.
 *
 * OWNERSHIP  The shared memory and the memory of the end are the caller's. There is
 *         nothing to free: after detach both may go.
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
#define TELAR_RING_ENDPOINTS 256u /* attached at once */
#define TELAR_RING_OPEN_MAX 16u   /* reservations open at once for each end; as many claims */
#define TELAR_RING_GRANULE 8u     /* records start at multiples of this */

/* Flags of a ring. */
enum {
  TELAR_RING_SINGLE_PRODUCER = 1u, /* one end sends at a time */
  TELAR_RING_SINGLE_CONSUMER = 2u  /* one end receives at a time */
};

typedef struct telar_ring_config {
  uint32_t capacity; /* bytes for records: a power of two, 4 KiB to 1 GiB */
  uint32_t flags;    /* TELAR_RING_SINGLE_*, or 0 */
  uint64_t start;    /* first position, in granules; 0 in use, tests start near wrap-around */
} telar_ring_config;

/* One thread's end of a ring: private memory, see telar_ring_end_size. */
typedef struct telar_ring_end telar_ring_end;

/* A record in place. */
typedef struct telar_ring_place {
  void *data;      /* aligned to 8 when the ring is */
  uint64_t offset; /* of data from the start of the ring's memory */
  uint32_t length; /* in bytes */
  uint32_t ticket; /* for commit, discard or release by the same end */
} telar_ring_place;

/* Records of one length, each at the next multiple of 8 bytes behind the last one. A batch is a
 * list of runs, one behind the other. */
typedef struct telar_ring_run {
  uint32_t records; /* from 1 */
  uint32_t bytes;   /* of each */
} telar_ring_run;

/* Figures of a ring. Each is recent, but they are not all of one instant: each end publishes
 * its own in telar_ring_notify. */
typedef struct telar_ring_stats {
  uint64_t sent;           /* records committed, ever */
  uint64_t sent_bytes;     /* their bytes */
  uint64_t received;       /* records received or claimed, ever */
  uint64_t received_bytes; /* their bytes */
  uint64_t size;           /* records there now */
  uint64_t size_bytes;     /* their bytes */
  uint64_t used;           /* bytes that producers cannot use now, with padding and reservations */
} telar_ring_stats;

typedef enum telar_ring_state {
  TELAR_RING_OPEN = 0,
  TELAR_RING_CLOSED = 1, /* no more sends; what is there can be received */
  TELAR_RING_ABORTED = 2
} telar_ring_state;

/* ---- set-up ---- */

/* Bytes of shared memory to give to init: about 33 KiB and 1.5 times the capacity. 0 when
 * the configuration is not valid. */
uint64_t telar_ring_size(const telar_ring_config *config);

/*
 * Makes an empty ring in memory that is all zeroes, as a new SharedArrayBuffer is (so the pages of
 * a large ring stay untouched), and aligned to 8 (to TELAR_CACHELINE is faster). INVALID: a bad
 * configuration, memory that is NULL, not aligned, or smaller than size.
 */
telar_status telar_ring_init(void *memory, uint64_t bytes, const telar_ring_config *config);

/* Bytes and alignment of the private memory of an end. */
size_t telar_ring_end_size(void);
size_t telar_ring_end_align(void);

/*
 * Makes an end of the ring in memory (bytes long), which some thread has initialised. The
 * layout is checked here, once, and kept in the end: what is written to the shared memory
 * later cannot change it. CORRUPT: not a ring, of another version, or larger than bytes.
 * INVALID: NULL or not aligned. There is nothing to undo.
 */
telar_status telar_ring_open(void *end_memory, void *memory, uint64_t bytes, telar_ring_end **out);

/* Enters the end into the ring's table, under its thread's number (not 0): from now on others count
 * on it to send or receive (ring_wait.h, telar_ring_is_deserted). An end that is not attached can
 * read figures and state, close and abort. LIMIT: the table is full. INVALID: attached already, or
 * thread is 0. */
telar_status telar_ring_attach(telar_ring_end *end, uint32_t thread);

/*
 * Takes the end out of the table: abandons what it holds, gives up its part as single
 * producer or consumer, ends its waits. Call telar_ring_notify after it: others may go on
 * now. Nothing when not attached. The end may be attached again.
 */
void telar_ring_detach(telar_ring_end *end);

/*
 * Says that the thread of this end, which is attached, is told of what records name from now on,
 * and can be asked for it; until the end is detached.
 */
void telar_ring_listen(telar_ring_end *end);

/* The thread of the end in that place of the table, if it listens; 0: there is none. */
uint32_t telar_ring_listener(const telar_ring_end *end, uint32_t endpoint);

bool telar_ring_is_attached(const telar_ring_end *end);
uint32_t telar_ring_endpoint(const telar_ring_end *end); /* its number in the table, 0 to 255 */
uint32_t telar_ring_capacity(const telar_ring_end *end); /* in bytes */
uint32_t telar_ring_flags(const telar_ring_end *end);
uint32_t telar_ring_max_record(const telar_ring_end *end); /* in bytes: half the capacity */

/* ---- sending ---- */

/* Copies one record in. OK, FULL, AGAIN, CLOSED, ABORTED, BUSY, TOO_LARGE, CORRUPT. */
telar_status telar_ring_send(telar_ring_end *end, const void *data, uint32_t length);

/* The same for a record of two parts, one behind the other: a header and a body. */
telar_status telar_ring_send_parts(telar_ring_end *end, const void *first, uint32_t first_length,
                                   const void *second, uint32_t second_length);

/*
 * Copies records in, as many as fit, with one move of the position. There are `count` runs; data is
 * where the first record begins. *sent says how many records went in. Receivers get a run as one,
 * so neighbours of one length should be one run. OK: at least one record, unless there is none.
 * TOO_LARGE: the first record can never fit; a later one that cannot ends the batch before it.
 * INVALID: a run of no records.
 */
telar_status telar_ring_send_many(telar_ring_end *end, const void *data, const telar_ring_run *runs,
                                  uint32_t count, uint32_t *sent);

/*
 * Takes room for a record of up to length bytes, to be written in place. The room still holds
 * old bytes. The record has its place in the order from now on: other producers go on behind
 * it, receivers wait for it. LIMIT: too many are open.
 */
telar_status telar_ring_reserve(telar_ring_end *end, uint32_t length, telar_ring_place *out);

/* Hands the record over, with its first used bytes. INVALID: no such reservation is open,
 * or used is more than was reserved (it stays open). Works after close, too. ABORTED: the
 * ring was aborted, and the reservation is gone. */
telar_status telar_ring_commit(telar_ring_end *end, uint32_t ticket, uint32_t used);

/* Gives the room back: there is no record. INVALID: no such reservation is open. */
telar_status telar_ring_discard(telar_ring_end *end, uint32_t ticket);

/* ---- receiving ---- */

/* Copies the next record out. *length: its bytes, also for TOO_LARGE, where it is longer than
 * capacity and stays. OK, EMPTY, AGAIN, CLOSED, ABORTED, BUSY, TOO_LARGE, CORRUPT. */
telar_status telar_ring_receive(telar_ring_end *end, void *buffer, uint32_t capacity,
                                uint32_t *length);

/*
 * Copies up to max records out, with one move of the position: as many as there are, fit the buffer
 * and lie in one piece (the end of the ring ends a batch). They lie in buffer as runs do; the bytes
 * between records are undefined. runs has room for max entries; *count says how many there are
 * (neighbours may be of one length). TOO_LARGE: runs[0].bytes is the length of the first record,
 * which does not fit.
 */
telar_status telar_ring_receive_many(telar_ring_end *end, void *buffer, uint32_t capacity,
                                     telar_ring_run *runs, uint32_t max, uint32_t *count);

/* Takes the next record, to be read in place. Its room is given back by release, in any order.
 * LIMIT: too many are open. */
telar_status telar_ring_claim(telar_ring_end *end, telar_ring_place *out);

/* INVALID: no such claim is open. */
telar_status telar_ring_release(telar_ring_end *end, uint32_t ticket);

/* ---- ends ---- */

/* Discards the reservations and releases the claims that are open. For a thread that ends,
 * from its cleanup; detach does the same. The claimed records count as received. */
void telar_ring_abandon(telar_ring_end *end);

/* Refuses further sends. Receivers get what is left, reservations that are open included, then
 * CLOSED. Any end. Call telar_ring_notify after it. */
void telar_ring_close(telar_ring_end *end);

/* Refuses sends and receives. Any end. Call telar_ring_notify after it. */
void telar_ring_abort(telar_ring_end *end);

telar_ring_state telar_ring_state_read(const telar_ring_end *end);

void telar_ring_stats_read(const telar_ring_end *end, telar_ring_stats *out);

#ifdef __cplusplus
}
#endif

#endif
