/* ring_send_many.c - producers: the records of a batch, published together. */
#include "prefetch.h"
#include "ring_send.h"

/* How much is prefetched after a batch at most, in granules. */
#define PREFETCH_GRANULES_MAX 64u

/* As prefetch_ahead in ring_send.c: the lines of the next batch, if it has the same length. */
static inline void prefetch_after(const telar_ring_end *end, uint64_t position, uint32_t granules) {
  if (granules > PREFETCH_GRANULES_MAX) granules = PREFETCH_GRANULES_MAX;
  for (uint32_t i = 0; i < granules; i += 8) telar_prefetch_write(ring_data(end, position + i));
  telar_prefetch_write(ring_tag(end, position));
}

/* Records of a batch that are contiguous in the ring. */
typedef struct piece {
  const telar_ring_run *runs; /* of the first record */
  uint32_t before;            /* records of that run that belong to the previous piece */
  uint32_t records;
  uint32_t granules;
  uint32_t last; /* bytes of the last record */
  uint64_t bytes;
} piece;

/* How a batch lies in the ring: first up to the end of the ring, then the rest from its start. */
typedef struct batch {
  piece first, second;
  uint32_t pad; /* unused granules between them */
} batch;

static inline void add_records(piece *p, uint32_t records, uint32_t bytes) {
  p->records += records;
  p->granules += records * ring_granules(bytes);
  p->last = bytes;
  p->bytes += (uint64_t)records * bytes;
}

/* The common case: all records fit into contiguous room as far as is known. False: use plan(). */
static inline bool plan_whole(const telar_ring_end *end, uint64_t tail, const telar_ring_run *runs,
                              uint32_t count, piece *p) {
  uint32_t room = ring_room_after(end, tail, end->released_seen),
           left = ring_left_to_end(end, tail);
  if (room == UINT32_MAX) return false;
  if (room > left) room = left;
  *p = (piece){.runs = runs};
  for (uint32_t i = 0; i < count; i++) {
    uint32_t records = runs[i].records, bytes = runs[i].bytes;
    if (records == 0 || bytes > end->max_record ||
        (uint64_t)records * ring_granules(bytes) > room - p->granules) {
      return false;
    }
    add_records(p, records, bytes);
  }
  return true;
}

/* Places as many of the records as fit after tail, given the last known value of released. Returns
 * the granules that these and one record more would take; 0: there is no other record that could be
 * sent. */
static uint32_t plan(const telar_ring_end *end, uint64_t tail, const telar_ring_run *runs,
                     uint32_t count, batch *b) {
  uint32_t room = ring_room_after(end, tail, end->released_seen),
           left = ring_left_to_end(end, tail);
  if (room == UINT32_MAX) room = 0;
  *b = (batch){.first.runs = runs};
  piece *p = &b->first;
  uint32_t limit = room < left ? room : left;
  for (uint32_t i = 0; i < count && runs[i].bytes <= end->max_record; i++) {
    uint32_t granules = ring_granules(runs[i].bytes), todo = runs[i].records;
    for (;;) {
      uint32_t fits = (limit - p->granules) / granules;
      if (fits > todo) fits = todo;
      if (fits != 0) add_records(p, fits, runs[i].bytes);
      todo -= fits;
      if (todo == 0) break;
      if (p == &b->second) return b->first.granules + b->pad + p->granules + granules;
      uint32_t pad = p->granules + granules > left ? left - p->granules : 0,
               wanted = p->granules + pad + granules;
      if (wanted > room) return wanted;
      limit = room - p->granules - pad;
      b->pad = pad;
      p = &b->second;
      p->runs = &runs[i];
      p->before = runs[i].records - todo;
    }
  }
  return 0;
}

/* Copies a piece into the ring and publishes it. */
static void fill(telar_ring_end *end, uint64_t position, const unsigned char *data,
                 const piece *p) {
  uint32_t left = p->records;
  if (left == 0) return;
  prefetch_after(end, position + p->granules, p->granules);
  /* Not beyond the last byte: the memory after it may not belong to the caller. */
  ring_copy(ring_data(end, position), data, ring_bytes_to_end(p->granules, p->last));
  const telar_ring_run *run = p->runs;
  uint32_t here = run->records - p->before;
  do {
    uint32_t records = here < left ? here : left, bytes = run->bytes;
    if (records > RING_RUN_RECORDS_MAX) records = RING_RUN_RECORDS_MAX;
    if (bytes > RING_RUN_BYTES_MAX) records = 1;
    ring_publish(end, position, ring_tag_of(records, bytes));
    position += records * ring_granules(bytes);
    left -= records;
    here -= records;
    if (here == 0 && left != 0) here = (++run)->records;
  } while (left != 0);
}

/* Sends as many records as there is room for, on both sides of the end of the ring if needed. */
static RING_NOINLINE telar_status send_some(telar_ring_end *end, const void *data,
                                            const telar_ring_run *runs, uint32_t count,
                                            uint32_t *sent) {
  for (uint32_t i = 0; i < count; i++) {
    if (runs[i].records == 0) return TELAR_INVALID;
  }
  if (runs[0].bytes > end->max_record) return TELAR_TOO_LARGE;
  uint64_t tail = ring_read_tail(end);
  batch b;
  for (;;) {
    uint32_t wanted = plan(end, tail, runs, count, &b);
    if (wanted != 0) {
      /* Fewer than requested: room may have been released since. */
      telar_status status = telar_ring_refresh_room(
          end, tail, (uint64_t)wanted + b.first.granules + b.second.granules);
      plan(end, tail, runs, count, &b);
      if (b.first.records + b.second.records == 0) {
        status = telar_ring_no_room(end, &tail, status);
        if (status != TELAR_OK) status = telar_ring_overflow(end, status);
        if (status != TELAR_OK) return status;
        continue;
      }
    }
    if (ring_move_tail(end, &tail, (uint64_t)b.first.granules + b.pad + b.second.granules)) break;
  }
  const unsigned char *from = data;
  uint64_t position = tail + b.first.granules;
  fill(end, tail, from, &b.first);
  if (b.pad != 0) ring_publish(end, position, RING_TAG_SKIP | b.pad);
  fill(end, position + b.pad, from + (size_t)b.first.granules * TELAR_RING_GRANULE, &b.second);
  *sent = b.first.records + b.second.records;
  ring_note_sent(end, tail, *sent, b.first.bytes + b.second.bytes);
  return TELAR_OK;
}

telar_status telar_ring_send_many(telar_ring_end *end, const void *data, const telar_ring_run *runs,
                                  uint32_t count, uint32_t *sent) {
  *sent = 0;
  telar_status status = ring_may_send(end);
  if (status != TELAR_OK || count == 0) return status;
  uint64_t tail = ring_read_tail(end);
  piece p;
  if (!plan_whole(end, tail, runs, count, &p) || !ring_move_tail(end, &tail, p.granules)) {
    status = send_some(end, data, runs, count, sent);
    bool may_drop = status == TELAR_OK || status == TELAR_FULL || status == TELAR_AGAIN;
    if (!may_drop || !ring_has(end, TELAR_RING_DROP_OLDEST | TELAR_RING_DROP_NEWEST)) return status;
    return telar_ring_send_each(end, data, runs, count, sent);
  }
  fill(end, tail, data, &p);
  ring_note_sent(end, tail, p.records, p.bytes);
  *sent = p.records;
  return TELAR_OK;
}
