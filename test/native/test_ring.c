/*
 * ring: the contracts of its calls, in one thread. Each contract holds for all four kinds of ring
 * and at all positions.
 */
#include "check.h"

#include "ring_play.h"

enum { SMALL = TELAR_RING_CAPACITY_MIN };

static unsigned char bytes[SMALL], back[SMALL];
static const uint64_t starts[] = {0, 1, 511, PLAY_NEAR_WRAP, PLAY_NEAR_WRAP_32, RING_POSITION_MASK};
enum { STARTS = sizeof starts / sizeof starts[0] };

static void refuses_bad_configurations_and_memory(void) {
  static const uint32_t bad[] = {0, 1, 2048, 4097, 12288, 1u << 31};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    CHECK_EQUAL(telar_ring_size(&(telar_ring_config){.capacity = bad[i]}), 0);
  }
  CHECK_EQUAL(telar_ring_size(NULL), 0);
  CHECK_EQUAL(telar_ring_size(&(telar_ring_config){.capacity = SMALL, .flags = 16}), 0);
  telar_ring_config config = {.capacity = SMALL};
  play_ring ring = play_make(SMALL, 0, 0);
  CHECK_STATUS(telar_ring_init(NULL, ring.bytes, &config), TELAR_INVALID);
  CHECK_STATUS(telar_ring_init((char *)ring.memory + 4, ring.bytes, &config), TELAR_INVALID);
  CHECK_STATUS(telar_ring_init(ring.memory, ring.bytes - 1, &config), TELAR_INVALID);
  void *memory = check_memory(telar_ring_end_size());
  telar_ring_end *end;
  CHECK_STATUS(telar_ring_open(NULL, ring.memory, ring.bytes, &end), TELAR_INVALID);
  CHECK_STATUS(telar_ring_open((char *)memory + 8, ring.memory, ring.bytes, &end), TELAR_INVALID);
  CHECK_STATUS(telar_ring_open(memory, NULL, ring.bytes, &end), TELAR_INVALID);
  CHECK_STATUS(telar_ring_open(memory, ring.memory, ring.bytes - 1, &end), TELAR_CORRUPT);
  CHECK_STATUS(telar_ring_open(memory, ring.memory, 64, &end), TELAR_CORRUPT);
  ring_shared *shared = ring.memory;
  shared->log2_granules++;
  CHECK_STATUS(telar_ring_open(memory, ring.memory, ring.bytes, &end), TELAR_CORRUPT);
  shared->log2_granules = 200;
  CHECK_STATUS(telar_ring_open(memory, ring.memory, ring.bytes, &end), TELAR_CORRUPT);
  shared->log2_granules = 9;
  shared->magic++;
  CHECK_STATUS(telar_ring_open(memory, ring.memory, ring.bytes, &end), TELAR_CORRUPT);
  check_free(memory);
  check_free(ring.memory);
}

static void works_in_memory_aligned_to_8(void) {
  telar_ring_config config = {.capacity = SMALL};
  uint64_t size = telar_ring_size(&config);
  char *memory = check_memory(TELAR_CACHELINE_ROUND_UP((size_t)size + 8));
  memset(memory, 0, (size_t)size + 8);
  CHECK_STATUS(telar_ring_init(memory + 8, size, &config), TELAR_OK);
  play_ring ring = {memory + 8, size};
  telar_ring_end *end = play_attach(&ring, 1);
  uint32_t length;
  CHECK_STATUS(telar_ring_send(end, "abc", 3), TELAR_OK);
  CHECK_STATUS(telar_ring_receive(end, back, sizeof back, &length), TELAR_OK);
  CHECK(length == 3 && memcmp(back, "abc", 3) == 0);
  play_drop(end);
  check_free(memory);
}

static void has_a_table_of_ends(void) {
  play_ring ring = play_make(SMALL, 0, 0);
  static telar_ring_end *ends[TELAR_RING_ENDPOINTS];
  telar_ring_end *one_more = play_open(&ring);
  uint32_t length;
  CHECK_STATUS(telar_ring_send(one_more, bytes, 1), TELAR_INVALID);
  CHECK_STATUS(telar_ring_receive(one_more, back, 1, &length), TELAR_INVALID);
  CHECK_STATUS(telar_ring_attach(one_more, 0), TELAR_INVALID);
  for (uint32_t i = 0; i < TELAR_RING_ENDPOINTS; i++) {
    ends[i] = play_attach(&ring, i + 1);
    CHECK_EQUAL(telar_ring_endpoint(ends[i]), i);
    CHECK_STATUS(telar_ring_attach(ends[i], i + 1), TELAR_INVALID);
  }
  CHECK_STATUS(telar_ring_attach(one_more, 1), TELAR_LIMIT);
  CHECK_STATUS(telar_ring_send(ends[200], bytes, 5), TELAR_OK);
  CHECK_EQUAL(telar_ring_listener(one_more, 200), 0);
  telar_ring_listen(one_more); /* not attached */
  telar_ring_listen(ends[200]);
  CHECK_EQUAL(telar_ring_listener(one_more, 200), 201);
  CHECK_EQUAL(telar_ring_listener(one_more, 199), 0);
  CHECK_EQUAL(telar_ring_listener(one_more, TELAR_RING_ENDPOINTS), 0);
  telar_ring_detach(ends[200]);
  CHECK_EQUAL(telar_ring_listener(one_more, 200), 0);
  CHECK(!telar_ring_is_attached(ends[200]));
  CHECK_STATUS(telar_ring_attach(one_more, 1), TELAR_OK);
  CHECK_EQUAL(telar_ring_endpoint(one_more), 200);
  CHECK_EQUAL(telar_ring_listener(one_more, 200), 0);
  CHECK_STATUS(telar_ring_send(one_more, bytes, 7), TELAR_OK);
  CHECK_STATUS(play_quiet(one_more), TELAR_OK);
  telar_ring_stats stats;
  telar_ring_stats_read(ends[0], &stats);
  CHECK(stats.sent == 2 && stats.sent_bytes == 12 && stats.size == 2 && stats.received == 0);
  for (uint32_t i = 0; i < TELAR_RING_ENDPOINTS; i++) play_drop(ends[i]);
  play_drop(one_more);
  check_free(ring.memory);
}

/* Every length, each starting at another granule, so that each one reaches the end of the ring. */
static void carries_every_length(uint32_t flags, uint64_t start) {
  play_ring ring = play_make(SMALL, flags, start);
  telar_ring_end *end = play_attach(&ring, 1);
  CHECK_EQUAL(telar_ring_max_record(end), SMALL / 2);
  uint32_t length;
  /* In one thread there is nothing for TSan to find, and it is slow. */
  for (uint32_t n = 0; n <= SMALL / 2; n += CHECK_TSAN ? 23 : 1) {
    play_fill(bytes, n, n);
    /* Alternately as a whole and in two parts. */
    uint32_t first = n % 7 < n ? n % 7 : 0;
    CHECK_STATUS(n % 2 == 0 ? telar_ring_send(end, bytes, n)
                            : telar_ring_send_parts(end, bytes, first, bytes + first, n - first),
                 TELAR_OK);
    CHECK_STATUS(play_quiet(end), TELAR_OK);
    memset(back, 0xee, n + 1);
    if (n != 0) {
      CHECK_STATUS(telar_ring_receive(end, back, n - 1, &length), TELAR_TOO_LARGE);
      CHECK_EQUAL(length, n);
    }
    CHECK_STATUS(telar_ring_receive(end, back, n, &length), TELAR_OK);
    CHECK_EQUAL(length, n);
    play_check(back, n, n);
    CHECK_EQUAL(back[n], 0xee);
    CHECK_STATUS(telar_ring_receive(end, back, n, &length), TELAR_EMPTY);
    CHECK_STATUS(play_quiet(end), TELAR_OK); /* a single consumer releases the last records here */
  }
  CHECK_STATUS(telar_ring_send(end, bytes, SMALL / 2 + 1), TELAR_TOO_LARGE);
  CHECK_STATUS(telar_ring_send_parts(end, bytes, 8, bytes, SMALL / 2 - 7), TELAR_TOO_LARGE);
  CHECK_STATUS(telar_ring_send_parts(end, bytes, UINT32_MAX, bytes, UINT32_MAX), TELAR_TOO_LARGE);
  telar_ring_place place;
  CHECK_STATUS(telar_ring_reserve(end, SMALL / 2 + 1, &place), TELAR_TOO_LARGE);
  play_drop(end);
  check_free(ring.memory);
}

/* Fills up and drains in order, starting at every granule. One granule of the ring stays free. */
static void fills_and_drains(uint32_t flags, uint64_t start, uint32_t length) {
  play_ring ring = play_make(SMALL, flags, start);
  telar_ring_end *end = play_attach(&ring, 1);
  uint32_t got, most = (SMALL / 8 - 1) / ring_granules(length);
  for (uint32_t lap = 0; lap < CHECK_TURNS(SMALL / 8); lap++) {
    uint32_t sent = 0;
    telar_status status;
    for (;; sent++) {
      play_fill(bytes, length, lap * 1000 + sent);
      if ((status = telar_ring_send(end, bytes, length)) != TELAR_OK) break;
    }
    CHECK_STATUS(status, TELAR_FULL);
    CHECK(sent <= most && sent + 1 >= most);
    for (uint32_t i = 0; i < sent; i++) {
      CHECK_STATUS(telar_ring_receive(end, back, sizeof back, &got), TELAR_OK);
      CHECK_EQUAL(got, length);
      play_check(back, got, lap * 1000 + i);
    }
    CHECK_STATUS(telar_ring_receive(end, back, sizeof back, &got), TELAR_EMPTY);
    CHECK_STATUS(play_quiet(end), TELAR_OK); /* a single consumer releases the last records here */
    /* Start one granule later. */
    CHECK_STATUS(telar_ring_send(end, bytes, 1), TELAR_OK);
    CHECK_STATUS(telar_ring_receive(end, back, 1, &got), TELAR_OK);
  }
  telar_ring_stats stats;
  telar_ring_stats_read(end, &stats);
  CHECK_EQUAL(stats.sent, stats.received);
  CHECK_EQUAL(stats.sent_bytes, stats.received_bytes);
  CHECK_EQUAL(stats.size, 0);
  play_drop(end);
  check_free(ring.memory);
}

static void moves_batches(uint32_t flags, uint64_t start, uint64_t seed) {
  play_ring ring = play_make(SMALL, flags, start);
  telar_ring_end *end = play_attach(&ring, 1);
  check_random random = check_random_from(seed, flags);
  uint64_t next_sent = 0, next_received = 0;
  uint32_t lengths[64], sent, received;
  for (uint32_t turn = 0; turn < CHECK_TURNS(8000); turn++) {
    uint32_t count = 1 + check_random_below(&random, 64), at = 0;
    uint32_t longest = check_random_below(&random, 3) == 0 ? 60 : 9;
    for (uint32_t i = 0; i < count; i++) {
      lengths[i] = check_random_below(&random, longest);
      play_fill(bytes + at, lengths[i], next_sent + i);
      at += ring_granules(lengths[i]) * 8;
    }
    telar_status status = play_send_many(end, bytes, lengths, count, &sent);
    CHECK(sent <= count && (status == TELAR_OK ? sent > 0 : status == TELAR_FULL && sent == 0));
    next_sent += sent;
    while (check_random_below(&random, 3) != 0) {
      uint32_t max = 1 + check_random_below(&random, 64),
               capacity = check_random_below(&random, 1000);
      status = play_receive_many(end, back, capacity, lengths, max, &received);
      if (status == TELAR_TOO_LARGE) {
        CHECK(received == 0 && lengths[0] > capacity);
        continue;
      }
      if (status == TELAR_EMPTY) {
        CHECK_EQUAL(next_received, next_sent);
        break;
      }
      CHECK_STATUS(status, TELAR_OK);
      CHECK(received > 0 && received <= max);
      at = 0;
      for (uint32_t i = 0; i < received; i++) {
        CHECK(at + lengths[i] <= capacity);
        play_check(back + at, lengths[i], next_received++);
        at += ring_granules(lengths[i]) * 8;
      }
    }
  }
  CHECK(next_received > 100);
  CHECK_STATUS(play_send_many(end, bytes, lengths, 0, &sent), TELAR_OK);
  const telar_ring_run none[] = {{0, 8}, {2, 8}, {0, 8}};
  for (uint32_t i = 0; i < 2; i++) {
    CHECK_STATUS(telar_ring_send_many(end, bytes, none + i, 2, &sent), TELAR_INVALID);
    CHECK_EQUAL(sent, 0);
  }
  lengths[0] = SMALL;
  CHECK_STATUS(play_send_many(end, bytes, lengths, 1, &sent), TELAR_TOO_LARGE);
  CHECK_STATUS(play_receive_many(end, back, sizeof back, lengths, 0, &received), TELAR_INVALID);
  play_drop(end);
  check_free(ring.memory);
}

/* Records of one length that were sent together, received in parts of all sizes. */
static void splits_what_was_sent_together(uint32_t flags, uint64_t start, uint64_t seed) {
  play_ring ring = play_make(SMALL, flags, start);
  telar_ring_end *sender = play_attach(&ring, 1),
                 *receivers[2] = {play_attach(&ring, 2), play_attach(&ring, 3)};
  uint32_t ends = (flags & TELAR_RING_SINGLE_CONSUMER) != 0 ? 1 : 2, lengths[128], sent, received;
  static const uint32_t usual[] = {0, 1, 8, 9, 16, 100};
  telar_ring_place open[4];
  uint32_t holder[4], held = 0;
  check_random random = check_random_from(seed, flags);
  uint64_t next_sent = 0, next_received = 0;
  for (uint32_t turn = 0; turn < CHECK_TURNS(20000); turn++) {
    if (next_sent - next_received < 100) {
      uint32_t count = 1 + check_random_below(&random, 128),
               length = usual[check_random_below(&random, 6)], at = 0;
      if (count * ring_granules(length) * 8 > sizeof bytes) count = 20;
      for (uint32_t i = 0; i < count; i++, at += ring_granules(length) * 8) {
        lengths[i] = length;
        play_fill(bytes + at, length, next_sent + i);
      }
      play_send_many(sender, bytes, lengths, count, &sent);
      next_sent += sent;
      play_quiet(sender);
    }
    uint32_t which = check_random_below(&random, ends), way = check_random_below(&random, 8),
             at = 0;
    telar_ring_end *end = receivers[which];
    telar_status status = TELAR_EMPTY;
    if (way < 3) {
      status = telar_ring_receive(end, back, sizeof back, lengths);
      if (status == TELAR_OK) play_check(back, lengths[0], next_received++);
    } else if (way < 6) {
      uint32_t max = 1 + check_random_below(&random, 128),
               capacity = 100 + check_random_below(&random, 500);
      status = play_receive_many(end, back, capacity, lengths, max, &received);
      for (uint32_t i = 0; i < received; i++, at += ring_granules(lengths[i - 1]) * 8) {
        CHECK(at + lengths[i] <= capacity && received <= max);
        play_check(back + at, lengths[i], next_received++);
      }
    } else if (way == 6 && held < 4) {
      status = telar_ring_claim(end, &open[held]);
      if (status == TELAR_OK) {
        play_check(open[held].data, open[held].length, next_received++);
        holder[held++] = which;
      }
    } else if (held > 0) {
      uint32_t i = check_random_below(&random, held--);
      CHECK_STATUS(telar_ring_release(receivers[holder[i]], open[i].ticket), TELAR_OK);
      open[i] = open[held];
      holder[i] = holder[held];
    } else if (check_random_below(&random, 8) == 0) {
      telar_ring_detach(end);
      CHECK_STATUS(telar_ring_attach(end, 2 + which), TELAR_OK);
    }
    CHECK(status == TELAR_OK ||
          (status == TELAR_EMPTY && (way >= 6 || next_received == next_sent)));
    if (check_random_below(&random, 4) == 0) CHECK_STATUS(play_quiet(end), TELAR_OK);
  }
  CHECK(next_received > CHECK_TURNS(20000));
  play_drop(sender);
  for (uint32_t i = 0; i < 2; i++) play_drop(receivers[i]);
  check_free(ring.memory);
}

/* A receiver that has received a run expects another one of the same shape. It still gets what is
 * there: more, less, or nothing. */
static void receives_a_run_like_the_last_one(uint32_t flags, uint64_t start) {
  play_ring ring = play_make(SMALL, flags, start);
  telar_ring_end *sender = play_attach(&ring, 1), *receiver = play_attach(&ring, 2);
  const telar_ring_run four = {4, 10};
  telar_ring_run runs[64];
  uint32_t sent, count, length;
  uint64_t next_sent = 0, next = 0;
  uint32_t calls_more = 0;
  for (uint32_t lap = 0; lap < 200; lap++) {
    uint32_t max = lap % 5 == 4 ? 3 : 64, capacity = lap % 7 == 6 ? 42 : sizeof back;
    if (lap % 3 == 2) { /* first a record that was read ahead */
      play_fill(bytes, 10, next_sent++);
      CHECK_STATUS(telar_ring_send(sender, bytes, 10), TELAR_OK);
    }
    for (uint32_t together = 0; together < 1 + lap % 2; together++) {
      for (uint32_t i = 0; i < 4; i++) play_fill(bytes + 16 * i, 10, next_sent++);
      CHECK_STATUS(telar_ring_send_many(sender, bytes, &four, 1, &sent), TELAR_OK);
      CHECK_EQUAL(sent, 4);
    }
    if (lap % 3 == 2) {
      CHECK_STATUS(telar_ring_receive(receiver, back, sizeof back, &length), TELAR_OK);
      play_check(back, length, next++);
    }
    uint32_t at_once = max < capacity / 16 ? max : (capacity + 6) / 16,
             all = (uint32_t)(next_sent - next);
    uint32_t calls = 0, calls_least = (all + at_once - 1) / at_once;
    while (next != next_sent) {
      CHECK_STATUS(telar_ring_receive_many(receiver, back, capacity, runs, max, &count), TELAR_OK);
      for (uint32_t i = 0, at = 0; i < count; i++) {
        CHECK_EQUAL(runs[i].bytes, 10);
        for (uint32_t k = 0; k < runs[i].records; k++, at += 16) play_check(back + at, 10, next++);
      }
      calls++;
    }
    calls_more += calls - calls_least;
    CHECK_STATUS(telar_ring_receive_many(receiver, back, capacity, runs, max, &count), TELAR_EMPTY);
    CHECK_STATUS(play_quiet(receiver), TELAR_OK);
  }
  CHECK(calls_more <= next * 2 / (SMALL / 8) + 1); /* at the end of the ring */
  play_drop(sender);
  play_drop(receiver);
  check_free(ring.memory);
}

/* More records, and longer ones, than one tag can describe. */
static void sends_more_together_than_a_tag_can_say(uint32_t flags) {
  enum { LARGE = 1 << 20, COUNT = 40000 };
  play_ring ring = play_make(LARGE, flags, PLAY_NEAR_WRAP);
  telar_ring_end *end = play_attach(&ring, 1);
  unsigned char *from = calloc(2, LARGE), *to = from + LARGE;
  uint32_t *lengths = calloc(COUNT, sizeof *lengths), sent, received;
  CHECK(from != NULL && lengths != NULL);
  const uint32_t each[] = {1, 8, 0xffff, 0x10000, 0x10001};
  for (int i = 0; i < 5; i++) {
    uint32_t granules = ring_granules(each[i]), count = granules == 1 ? COUNT : 5;
    for (uint32_t k = 0; k < count; k++) {
      lengths[k] = each[i];
      play_fill(from + k * granules * 8, each[i], k);
    }
    for (uint32_t all = 0; all < count;
         all += sent) { /* in several steps if the rest has not been swept yet */
      CHECK_STATUS(play_send_many(end, from + all * granules * 8, lengths, count - all, &sent),
                   TELAR_OK);
    }
    for (uint32_t all = 0; all < count; all += received) {
      CHECK_STATUS(play_receive_many(end, to, LARGE, lengths, 30000, &received), TELAR_OK);
      for (uint32_t k = 0; k < received; k++) {
        CHECK_EQUAL(lengths[k], each[i]);
        play_check(to + k * granules * 8, each[i], all + k);
      }
    }
    CHECK_STATUS(play_receive_many(end, to, LARGE, lengths, 1, &received), TELAR_EMPTY);
    play_quiet(end);
  }
  play_drop(end);
  free(from);
  free(lengths);
  check_free(ring.memory);
}

static void says_why_there_is_nothing(uint32_t flags, uint64_t start) {
  play_ring ring = play_make(SMALL, flags, start);
  telar_ring_end *end = play_attach(&ring, 1);
  telar_ring_place place;
  uint32_t length;
  CHECK_STATUS(telar_ring_receive(end, back, sizeof back, &length), TELAR_EMPTY);
  CHECK_STATUS(telar_ring_reserve(end, 10, &place), TELAR_OK);
  CHECK_STATUS(telar_ring_receive(end, back, sizeof back, &length), TELAR_EMPTY);
  CHECK_STATUS(telar_ring_send(end, "x", 1), TELAR_OK); /* goes after the reservation */
  CHECK_STATUS(telar_ring_receive(end, back, sizeof back, &length), TELAR_EMPTY);
  CHECK_STATUS(telar_ring_commit(end, place.ticket, 0), TELAR_OK);
  CHECK_STATUS(telar_ring_receive(end, back, sizeof back, &length), TELAR_OK);
  CHECK_EQUAL(length, 0);
  CHECK_STATUS(telar_ring_receive(end, back, sizeof back, &length), TELAR_OK);
  CHECK_EQUAL(length, 1);
  if (flags == 0) {
    /* Another producer is releasing room: this affects only a producer that needs it. */
    ring_shared *shared = ring.memory;
    while (telar_ring_send(end, bytes, 1000) == TELAR_OK) continue;
    CHECK_STATUS(telar_ring_receive(end, back, sizeof back, &length), TELAR_OK);
    atomic_store(&shared->sweeping, 1);
    CHECK_STATUS(telar_ring_send(end, bytes, 1000), TELAR_AGAIN);
    atomic_store(&shared->sweeping, 0);
    CHECK_STATUS(telar_ring_send(end, bytes, 1000), TELAR_OK);
  }
  play_drop(end);
  check_free(ring.memory);
}

static void writes_and_reads_in_place(uint32_t flags, uint64_t start) {
  play_ring ring = play_make(SMALL, flags, start);
  telar_ring_end *end = play_attach(&ring, 1);
  telar_ring_place reserved[TELAR_RING_OPEN_MAX], claimed[TELAR_RING_OPEN_MAX], place;
  for (uint32_t lap = 0; lap < 200; lap++) {
    for (uint32_t i = 0; i < TELAR_RING_OPEN_MAX; i++) {
      CHECK_STATUS(telar_ring_reserve(end, 100, &reserved[i]), TELAR_OK);
      CHECK_EQUAL(reserved[i].length, 100);
      CHECK_EQUAL((uintptr_t)reserved[i].data % 8, 0);
      CHECK((unsigned char *)ring.memory + reserved[i].offset == reserved[i].data);
    }
    CHECK_STATUS(telar_ring_reserve(end, 1, &place), TELAR_LIMIT);
    for (uint32_t i = TELAR_RING_OPEN_MAX; i-- > 0;) { /* not in the order of their positions */
      play_fill(reserved[i].data, i, lap + i);
      CHECK_STATUS(telar_ring_commit(end, reserved[i].ticket, 101), TELAR_INVALID);
      CHECK_STATUS(i % 5 == 4 ? telar_ring_discard(end, reserved[i].ticket)
                              : telar_ring_commit(end, reserved[i].ticket, i),
                   TELAR_OK);
      CHECK_STATUS(telar_ring_commit(end, reserved[i].ticket, i), TELAR_INVALID);
      CHECK_STATUS(telar_ring_discard(end, reserved[i].ticket), TELAR_INVALID);
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < TELAR_RING_OPEN_MAX; i++) {
      if (i % 5 == 4) continue; /* discarded */
      CHECK_STATUS(telar_ring_claim(end, &claimed[n]), TELAR_OK);
      CHECK_EQUAL(claimed[n].length, i);
      play_check(claimed[n].data, i, lap + i);
      n++;
    }
    CHECK_STATUS(telar_ring_claim(end, &place), TELAR_EMPTY);
    for (uint32_t i = 0; i < n; i++) { /* again not in order */
      uint32_t k = (i * 7 + lap) % n;
      CHECK_STATUS(telar_ring_release(end, claimed[k].ticket), TELAR_OK);
      CHECK_STATUS(telar_ring_release(end, claimed[k].ticket), TELAR_INVALID);
    }
    CHECK_STATUS(play_quiet(end), TELAR_OK);
  }
  /* All the room is free again. */
  CHECK_STATUS(play_quiet(end), TELAR_OK);
  CHECK_STATUS(telar_ring_send(end, bytes, SMALL / 2), TELAR_OK);
  telar_ring_stats stats;
  telar_ring_stats_read(end, &stats);
  CHECK(stats.sent == 200 * 13 + 1 && stats.received == 200 * 13 && stats.size == 1 &&
        stats.size_bytes == SMALL / 2);
  play_drop(end);
  check_free(ring.memory);
}

static void takes_the_last_reservation_back(uint32_t flags, uint64_t start) {
  play_ring ring = play_make(SMALL, flags, start);
  telar_ring_end *end = play_attach(&ring, 1);
  telar_ring_place place;
  for (int i = 0; i < 100; i++) { /* no end receives */
    CHECK_STATUS(telar_ring_reserve(end, 1500, &place), TELAR_OK);
    CHECK_STATUS(telar_ring_discard(end, place.ticket), TELAR_OK);
  }
  play_drop(end);
  check_free(ring.memory);
}

/* An end is detached while it holds `reservations` and `claims`, some before and some after those
 * of another end. */
static void gives_back_what_an_end_held(uint32_t flags, uint64_t start) {
  play_ring ring = play_make(SMALL, flags, start);
  for (uint32_t held = 0; held < 64; held++) {
    telar_ring_end *sender = play_attach(&ring, 1), *receiver = play_attach(&ring, 2);
    telar_ring_place places[6];
    uint32_t length, expected = 0;
    for (uint32_t i = 0; i < 6; i++) {
      CHECK_STATUS(telar_ring_reserve(sender, 200, &places[i]), TELAR_OK);
      memset(places[i].data, (int)i, 200);
    }
    for (uint32_t i = 0; i < 6; i++) {
      if ((held >> i & 1) == 0) {
        CHECK_STATUS(telar_ring_commit(sender, places[i].ticket, 200 - i), TELAR_OK);
        expected++;
      }
    }
    play_drop(sender); /* the others are discarded */
    for (uint32_t i = 0; i < expected; i++) {
      CHECK_STATUS(telar_ring_claim(receiver, &places[i]), TELAR_OK);
      CHECK(places[i].length > 194 && *(unsigned char *)places[i].data == 200 - places[i].length);
    }
    CHECK_STATUS(telar_ring_receive(receiver, back, sizeof back, &length), TELAR_EMPTY);
    for (uint32_t i = 0; i < expected; i++) {
      if ((held >> (5 - i) & 1) == 0) {
        CHECK_STATUS(telar_ring_release(receiver, places[i].ticket), TELAR_OK);
      }
    }
    telar_ring_abandon(receiver); /* the others are released */
    CHECK_STATUS(play_quiet(receiver), TELAR_OK);
    CHECK_STATUS(telar_ring_release(receiver, places[0].ticket), TELAR_INVALID);
    sender = play_attach(&ring, 3);
    /* Twice around the ring: every granule was released. */
    for (int i = 0; i < 6; i++) {
      CHECK_STATUS(telar_ring_send(sender, bytes, 1300), TELAR_OK);
      CHECK_STATUS(telar_ring_receive(receiver, back, sizeof back, &length), TELAR_OK);
      CHECK_STATUS(play_quiet(receiver), TELAR_OK);
      CHECK_EQUAL(length, 1300);
    }
    play_drop(sender);
    play_drop(receiver);
  }
  check_free(ring.memory);
}

static void keeps_single_parts_single(void) {
  play_ring ring =
      play_make(SMALL, TELAR_RING_SINGLE_PRODUCER | TELAR_RING_SINGLE_CONSUMER, PLAY_NEAR_WRAP);
  telar_ring_end *a = play_attach(&ring, 1), *b = play_attach(&ring, 2);
  uint32_t length;
  for (int i = 0; i < 300; i++) {
    CHECK_STATUS(telar_ring_send(a, bytes, 30), TELAR_OK);
    CHECK_STATUS(telar_ring_send(b, bytes, 30), TELAR_BUSY);
    CHECK_STATUS(telar_ring_receive(b, back, 30, &length), TELAR_OK);
    CHECK_STATUS(telar_ring_receive(a, back, 30, &length), TELAR_BUSY);
    telar_ring_detach(a); /* the role is free again, and the next holder continues where it was */
    CHECK_STATUS(telar_ring_send(b, bytes, 20), TELAR_OK);
    CHECK_STATUS(telar_ring_receive(b, back, 30, &length), TELAR_OK);
    CHECK_EQUAL(length, 20);
    CHECK_STATUS(telar_ring_attach(a, 1), TELAR_OK);
    telar_ring_end *swap = a;
    a = b;
    b = swap;
    telar_ring_detach(a);
    CHECK_STATUS(telar_ring_attach(a, 1), TELAR_OK);
  }
  play_drop(a);
  play_drop(b);
  check_free(ring.memory);
}

static void closes(uint32_t flags, uint64_t start) {
  play_ring ring = play_make(SMALL, flags, start);
  telar_ring_end *sender = play_attach(&ring, 1), *receiver = play_attach(&ring, 2),
                 *other = play_open(&ring);
  telar_ring_place place;
  uint32_t length, sent;
  CHECK_STATUS(telar_ring_send(sender, "a", 1), TELAR_OK);
  CHECK_STATUS(telar_ring_reserve(sender, 5, &place), TELAR_OK);
  CHECK(telar_ring_state_read(other) == TELAR_RING_OPEN);
  telar_ring_close(other); /* it need not be attached */
  CHECK(telar_ring_state_read(sender) == TELAR_RING_CLOSED);
  CHECK_STATUS(telar_ring_send(sender, "b", 1), TELAR_CLOSED);
  CHECK_STATUS(play_send_many(sender, "b", (uint32_t[]){1}, 1, &sent), TELAR_CLOSED);
  CHECK_STATUS(telar_ring_reserve(sender, 1, &(telar_ring_place){0}), TELAR_CLOSED);
  CHECK_STATUS(telar_ring_receive(receiver, back, 9, &length), TELAR_OK);
  CHECK_STATUS(telar_ring_receive(receiver, back, 9, &length), TELAR_AGAIN);
  CHECK_STATUS(telar_ring_commit(sender, place.ticket, 5), TELAR_OK);
  CHECK_STATUS(play_quiet(sender), TELAR_OK);
  CHECK_STATUS(telar_ring_receive(receiver, back, 9, &length), TELAR_OK);
  for (int i = 0; i < 2; i++) {
    CHECK_STATUS(telar_ring_receive(receiver, back, 9, &length), TELAR_CLOSED);
    CHECK_STATUS(telar_ring_claim(receiver, &place), TELAR_CLOSED);
  }
  telar_ring_detach(receiver);
  CHECK_STATUS(telar_ring_attach(receiver, 2), TELAR_OK);
  CHECK_STATUS(telar_ring_receive(receiver, back, 9, &length), TELAR_CLOSED);
  telar_ring_abort(other);
  CHECK(telar_ring_state_read(sender) == TELAR_RING_ABORTED);
  telar_ring_close(other); /* aborted stays aborted */
  CHECK(telar_ring_state_read(sender) == TELAR_RING_ABORTED);
  CHECK_STATUS(telar_ring_receive(receiver, back, 9, &length), TELAR_ABORTED);
  play_drop(sender);
  play_drop(receiver);
  check_free(other);
  check_free(ring.memory);
}

static void aborts(uint32_t flags) {
  play_ring ring = play_make(SMALL, flags, 0);
  telar_ring_end *end = play_attach(&ring, 1);
  telar_ring_place reserved, claimed;
  uint32_t length;
  CHECK_STATUS(telar_ring_send(end, "a", 1), TELAR_OK);
  CHECK_STATUS(telar_ring_send(end, "b", 1), TELAR_OK);
  CHECK_STATUS(telar_ring_claim(end, &claimed), TELAR_OK);
  CHECK_STATUS(telar_ring_reserve(end, 5, &reserved), TELAR_OK);
  telar_ring_abort(end);
  CHECK_STATUS(telar_ring_send(end, "c", 1), TELAR_ABORTED);
  CHECK_STATUS(telar_ring_receive(end, back, 9, &length), TELAR_ABORTED);
  CHECK_STATUS(telar_ring_commit(end, reserved.ticket, 5), TELAR_ABORTED);
  CHECK_STATUS(telar_ring_commit(end, reserved.ticket, 5), TELAR_INVALID);
  CHECK_STATUS(telar_ring_release(end, claimed.ticket), TELAR_OK);
  play_drop(end);
  check_free(ring.memory);
}

/*
 * The ring is closed between a sender's check of the state and its publication. The test sets the
 * state back for the send, so what it published comes after the close.
 */
static void settles_late_records(uint32_t flags, bool receiver_was_first) {
  play_ring ring = play_make(SMALL, flags, PLAY_NEAR_WRAP);
  ring_shared *shared = ring.memory;
  telar_ring_end *sender = play_attach(&ring, 1), *receiver = play_attach(&ring, 2);
  telar_ring_stats stats;
  uint32_t length;
  CHECK_STATUS(telar_ring_send(sender, "a", 1), TELAR_OK);
  CHECK_STATUS(play_quiet(sender), TELAR_OK);
  CHECK_STATUS(telar_ring_receive(receiver, back, 9, &length), TELAR_OK);
  atomic_store(&shared->state, TELAR_RING_CLOSED);
  if (receiver_was_first) {
    CHECK_STATUS(telar_ring_receive(receiver, back, 9, &length), TELAR_CLOSED);
  }
  atomic_store(&shared->state, TELAR_RING_OPEN);
  CHECK_STATUS(telar_ring_send(sender, "b", 1), TELAR_OK);
  atomic_store(&shared->state, TELAR_RING_CLOSED);
  CHECK_STATUS(play_quiet(sender), receiver_was_first ? TELAR_CLOSED : TELAR_OK);
  if (!receiver_was_first) CHECK_STATUS(telar_ring_receive(receiver, back, 9, &length), TELAR_OK);
  CHECK_STATUS(telar_ring_receive(receiver, back, 9, &length), TELAR_CLOSED);
  telar_ring_stats_read(receiver, &stats);
  CHECK_EQUAL(stats.sent, receiver_was_first ? 1 : 2);
  CHECK_EQUAL(stats.received, stats.sent);
  play_drop(sender);
  play_drop(receiver);
  check_free(ring.memory);
}

/* The same for a receiver that has not seen the end of the ring itself, and that is sent a run like
 * the last one. */
static void keeps_late_runs_from_all_receivers(void) {
  play_ring ring = play_make(SMALL, 0, PLAY_NEAR_WRAP);
  ring_shared *shared = ring.memory;
  telar_ring_end *sender = play_attach(&ring, 1), *first = play_attach(&ring, 2),
                 *second = play_attach(&ring, 3);
  const telar_ring_run two = {2, 8};
  telar_ring_run run;
  uint32_t sent, count;
  CHECK_STATUS(telar_ring_send_many(sender, bytes, &two, 1, &sent), TELAR_OK);
  CHECK_STATUS(telar_ring_receive_many(second, back, 16, &run, 2, &count), TELAR_OK);
  CHECK(count == 1 && run.records == 2);
  atomic_store(&shared->state, TELAR_RING_CLOSED);
  CHECK_STATUS(telar_ring_receive_many(first, back, 16, &run, 2, &count), TELAR_CLOSED);
  atomic_store(&shared->state, TELAR_RING_OPEN);
  CHECK_STATUS(telar_ring_send_many(sender, bytes, &two, 1, &sent), TELAR_OK);
  atomic_store(&shared->state, TELAR_RING_CLOSED);
  CHECK_STATUS(play_quiet(sender), TELAR_CLOSED);
  CHECK_STATUS(telar_ring_receive_many(second, back, 16, &run, 2, &count), TELAR_CLOSED);
  play_drop(sender);
  play_drop(first);
  play_drop(second);
  check_free(ring.memory);
}

int main(void) {
  uint64_t seed = check_seed();
  check_deadline(120);
  refuses_bad_configurations_and_memory();
  works_in_memory_aligned_to_8();
  has_a_table_of_ends();
  keeps_single_parts_single();
  for (uint32_t flags = 0; flags < 4; flags++) {
    for (size_t i = 0; i < STARTS; i += CHECK_TSAN ? 3 : 1) {
      carries_every_length(flags, starts[i]);
      says_why_there_is_nothing(flags, starts[i]);
      writes_and_reads_in_place(flags, starts[i]);
      takes_the_last_reservation_back(flags, starts[i]);
      gives_back_what_an_end_held(flags, starts[i]);
      closes(flags, starts[i]);
      moves_batches(flags, starts[i], seed + i);
      splits_what_was_sent_together(flags, starts[i], seed + i);
      receives_a_run_like_the_last_one(flags, starts[i]);
    }
    fills_and_drains(flags, PLAY_NEAR_WRAP, 0);
    fills_and_drains(flags, PLAY_NEAR_WRAP, 8);
    fills_and_drains(flags, PLAY_NEAR_WRAP, 9);
    fills_and_drains(flags, PLAY_NEAR_WRAP, 333);
    fills_and_drains(flags, PLAY_NEAR_WRAP, SMALL / 2 - 8);
    sends_more_together_than_a_tag_can_say(flags);
    aborts(flags);
    settles_late_records(flags, true);
    settles_late_records(flags, false);
  }
  keeps_late_runs_from_all_receivers();
  return 0;
}
