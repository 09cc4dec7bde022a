/*
 * ring: what happens when a ring that drops records is full. First against a model, in one thread,
 * with all kinds of calls. Then the moments at which nothing can be dropped. test_ring_stress.c has
 * the threads.
 */
#include "check.h"

#include "ring_play.h"

enum { SMALL = TELAR_RING_CAPACITY_MIN, LONGEST = 400, BATCH = 12, MODEL = 4096 };
static const telar_ring_side R = TELAR_RING_RECEIVERS, S = TELAR_RING_SENDERS;
enum { OLDEST = TELAR_RING_DROP_OLDEST, NEWEST = TELAR_RING_DROP_NEWEST };

/* ---- a model: the keys of the records that are in the ring, in order ---- */

typedef struct model {
  uint32_t keys[MODEL], lengths[MODEL];
  uint32_t first, last; /* run freely */
  uint64_t sent, received, dropped;
} model;

static void add(model *m, uint32_t key, uint32_t length) {
  CHECK(m->last - m->first < MODEL);
  m->keys[m->last % MODEL] = key;
  m->lengths[m->last++ % MODEL] = length;
  m->sent++;
}

/* The oldest record, which has just been received or dropped. */
static void take(model *m, const void *data, uint32_t length) {
  CHECK(m->first != m->last);
  CHECK_EQUAL(length, m->lengths[m->first % MODEL]);
  play_check(data, length, m->keys[m->first % MODEL]);
  m->first++;
}

static void dropped(void *context, const void *data, uint32_t length) {
  model *m = context;
  take(m, data, length);
  m->dropped++;
}

static uint32_t any_length(check_random *random) {
  return check_random_below(random, check_random_below(random, 8) == 0 ? LONGEST : 24);
}

static void agrees_with_a_model(uint32_t flags, uint64_t start, uint32_t turns, uint64_t seed) {
  play_ring ring = play_make(SMALL, flags, start);
  telar_ring_end *sender = play_attach(&ring, 1), *receiver = play_attach(&ring, 2);
  check_random random = check_random_from(seed, start + flags);
  static model m;
  m = (model){0};
  telar_ring_on_drop(sender, dropped, &m);
  unsigned char buffer[BATCH * (LONGEST + 8)];
  uint32_t key = 0;
  uint64_t refused = 0;
  for (uint32_t turn = 0; turn < turns; turn++) {
    /* After a batch that may be refused, the model receives everything: so few of them. */
    bool has_batch = flags & OLDEST || check_random_below(&random, 40) == 0;
    uint32_t way = check_random_below(&random, 20), length = any_length(&random);
    if (way < 11 || (way < 15 && !has_batch)) {
      play_fill(buffer, length, key);
      /* With the oldest dropped in between, it is added before they are. */
      telar_status status = telar_ring_send(sender, buffer, length);
      if (status == TELAR_DROPPED) {
        refused++;
      } else {
        CHECK_STATUS(status, TELAR_OK);
        add(&m, key, length);
      }
      key++;
    } else if (way < 15) {
      uint32_t lengths[BATCH], count = 1 + check_random_below(&random, BATCH), at = 0, sent;
      bool are_equal = check_random_below(&random, 2) == 0;
      for (uint32_t i = 0; i < count; i++) {
        lengths[i] = are_equal ? length : any_length(&random);
        play_fill(buffer + at, lengths[i], key + i);
        at += ring_granules(lengths[i]) * 8;
      }
      uint64_t before = telar_ring_dropped(sender);
      if (flags & OLDEST) {
        /* Records of the batch may be dropped by later ones. */
        for (uint32_t i = 0; i < count; i++) add(&m, key + i, lengths[i]);
      }
      CHECK_STATUS(play_send_many(sender, buffer, lengths, count, &sent), TELAR_OK);
      CHECK_EQUAL(sent, count);
      uint64_t lost = telar_ring_dropped(sender) - before;
      if (flags & NEWEST) {
        refused += lost;
        /* Which of them have been dropped: those that are not in the ring. Receive all. */
        uint32_t got, next = 0;
        unsigned char back[LONGEST];
        while (m.first != m.last) {
          CHECK_STATUS(telar_ring_receive(receiver, back, sizeof back, &got), TELAR_OK);
          take(&m, back, got);
          m.received++;
        }
        for (uint32_t arrived = 0; arrived < count - lost; arrived++) {
          CHECK_STATUS(telar_ring_receive(receiver, back, sizeof back, &got), TELAR_OK);
          unsigned char *expected = buffer;
          for (uint32_t i = 0; i < next; i++) expected += ring_granules(lengths[i]) * 8;
          while (next < count && (lengths[next] != got || memcmp(expected, back, got) != 0)) {
            expected += ring_granules(lengths[next++]) * 8;
          }
          CHECK(next++ < count);
          m.sent++;
          m.received++;
        }
        CHECK_STATUS(telar_ring_receive(receiver, back, sizeof back, &got), TELAR_EMPTY);
      }
      key += count;
    } else if (way < 17) {
      telar_ring_place place;
      telar_status status = telar_ring_reserve(sender, LONGEST, &place);
      if (status == TELAR_OK) {
        play_fill(place.data, length, key);
        CHECK_STATUS(telar_ring_commit(sender, place.ticket, length), TELAR_OK);
        add(&m, key++, length);
      } else {
        CHECK(status == TELAR_FULL && flags & NEWEST);
      }
    } else if (way < 18) {
      uint32_t got;
      if (m.first != m.last) {
        CHECK_STATUS(telar_ring_receive(receiver, buffer, sizeof buffer, &got), TELAR_OK);
        take(&m, buffer, got);
        m.received++;
      }
    } else if (way < 19) {
      uint32_t lengths[BATCH], received;
      play_receive_many(receiver, buffer, sizeof buffer, lengths, BATCH, &received);
      CHECK(received != 0 || m.first == m.last);
      for (uint32_t i = 0, at = 0; i < received; at += ring_granules(lengths[i++]) * 8) {
        take(&m, buffer + at, lengths[i]);
      }
      m.received += received;
    } else if (m.first != m.last) {
      telar_ring_place place;
      CHECK_STATUS(telar_ring_claim(receiver, &place), TELAR_OK);
      take(&m, place.data, place.length);
      m.received++;
      CHECK_STATUS(telar_ring_release(receiver, place.ticket), TELAR_OK);
    }
    CHECK_STATUS(play_quiet(sender), TELAR_OK);
    CHECK_STATUS(play_quiet(receiver), TELAR_OK);
    telar_ring_stats stats;
    telar_ring_stats_read(receiver, &stats);
    CHECK_EQUAL(stats.sent, m.sent);
    CHECK_EQUAL(stats.received, m.received);
    CHECK_EQUAL(stats.dropped, m.dropped + refused);
    CHECK_EQUAL(stats.size, m.last - m.first);
    CHECK(m.last != m.first || stats.size_bytes == 0);
  }
  CHECK(m.dropped + refused > turns / 20);
  play_drop(sender);
  play_drop(receiver);
  check_free(ring.memory);
}

/* ---- when nothing can be dropped ---- */

static unsigned char bytes[SMALL];

static uint32_t rung(telar_ring_end *end) {
  play_bells bells = {0};
  uint32_t wake;
  CHECK_STATUS(telar_ring_notify(end, play_bell, &bells, &wake), TELAR_OK);
  CHECK_EQUAL(wake, 0);
  return bells.total;
}

/* As a sender that waits: it tries, announces, and tries again. No try rings its own bell. */
static void begins_to_wait(telar_ring_end *sender) {
  for (int i = 0; i < 3; i++) {
    CHECK_STATUS(telar_ring_send(sender, bytes, 100), TELAR_FULL);
    CHECK_EQUAL(rung(sender), 0);
    CHECK_STATUS(telar_ring_wait(sender, S, 100), TELAR_OK);
  }
}

static void waits_while_the_oldest_record_is_read_in_place(void) {
  play_ring ring = play_make(SMALL, OLDEST, PLAY_NEAR_WRAP);
  telar_ring_end *sender = play_attach(&ring, 1), *receiver = play_attach(&ring, 2);
  telar_ring_place first, second;
  for (int i = 0; i < 500; i++) {
    CHECK_STATUS(telar_ring_send(sender, bytes, 100), TELAR_OK);
    CHECK_EQUAL(rung(sender), 0);
  }
  CHECK_STATUS(telar_ring_claim(receiver, &first), TELAR_OK);
  CHECK_STATUS(telar_ring_claim(receiver, &second), TELAR_OK);
  uint64_t before = telar_ring_dropped(sender);
  while (telar_ring_send(sender, bytes, 100) == TELAR_OK) continue;
  begins_to_wait(sender);
  CHECK_EQUAL(telar_ring_dropped(sender), before); /* none was dropped in vain */
  CHECK_STATUS(telar_ring_release(receiver, second.ticket), TELAR_OK);
  CHECK_EQUAL(rung(receiver), 0);
  CHECK_STATUS(telar_ring_release(receiver, first.ticket), TELAR_OK);
  CHECK_EQUAL(rung(receiver), 1);
  CHECK_STATUS(telar_ring_send(sender, bytes, 100), TELAR_OK);
  /* A record that is longer than the claim was: the next ones are dropped for it. */
  while (telar_ring_send(sender, bytes, 100) == TELAR_OK && telar_ring_dropped(sender) == before) {
  }
  CHECK_STATUS(telar_ring_claim(receiver, &first), TELAR_OK);
  CHECK_STATUS(telar_ring_send(sender, bytes, 2048), TELAR_FULL);
  CHECK_STATUS(telar_ring_wait(sender, S, 2048), TELAR_OK);
  CHECK_EQUAL(rung(sender), 0);
  CHECK_STATUS(telar_ring_release(receiver, first.ticket), TELAR_OK);
  CHECK_EQUAL(rung(receiver), 1);
  CHECK_STATUS(telar_ring_send(sender, bytes, 2048), TELAR_OK);
  play_drop(sender);
  play_drop(receiver);
  check_free(ring.memory);
}

static void waits_while_the_oldest_record_is_written_in_place(void) {
  play_ring ring = play_make(SMALL, OLDEST, 0);
  telar_ring_end *sender = play_attach(&ring, 1), *other = play_attach(&ring, 2);
  telar_ring_place place;
  for (int discards = 0; discards < 2; discards++) {
    CHECK_STATUS(telar_ring_reserve(other, 100, &place), TELAR_OK);
    uint64_t before = telar_ring_dropped(sender);
    while (telar_ring_send(sender, bytes, 100) == TELAR_OK) continue;
    /* What lay before the reservation may have been dropped. */
    CHECK(discards == 1 || telar_ring_dropped(sender) == before);
    begins_to_wait(sender);
    CHECK_STATUS(discards ? telar_ring_discard(other, place.ticket)
                          : telar_ring_commit(other, place.ticket, 100),
                 TELAR_OK);
    CHECK_EQUAL(rung(other), 1);
    CHECK_STATUS(telar_ring_send(sender, bytes, 100), TELAR_OK);
  }
  play_drop(sender);
  play_drop(other);
  check_free(ring.memory);
}

/* ---- the rest ---- */

static void a_receiver_takes_a_sender_that_drops_for_a_sender(void) {
  play_ring ring = play_make(SMALL, OLDEST, 0);
  telar_ring_end *sender = play_attach(&ring, 1), *receiver = play_attach(&ring, 2);
  uint32_t length;
  for (int i = 0; i < 500; i++) CHECK_STATUS(telar_ring_send(sender, bytes, 100), TELAR_OK);
  while (telar_ring_receive(receiver, bytes, sizeof bytes, &length) == TELAR_OK) continue;
  CHECK(!telar_ring_is_deserted(receiver, R));
  telar_ring_detach(sender);
  CHECK(telar_ring_is_deserted(receiver, R));
  CHECK(!telar_ring_is_deserted(receiver, S));
  check_free(sender);
  play_drop(receiver);
  check_free(ring.memory);
}

static void a_closed_ring_drops_nothing(uint32_t flags) {
  play_ring ring = play_make(SMALL, flags, 0);
  telar_ring_end *sender = play_attach(&ring, 1), *receiver = play_attach(&ring, 2);
  for (int i = 0; i < 500; i++) telar_ring_send(sender, bytes, 100);
  uint64_t before = telar_ring_dropped(sender), received = 0;
  CHECK(before > 0);
  telar_ring_close(receiver);
  CHECK_STATUS(telar_ring_send(sender, bytes, 100), TELAR_CLOSED);
  uint32_t sent, length;
  CHECK_STATUS(play_send_many(sender, bytes, (uint32_t[]){8, 8}, 2, &sent), TELAR_CLOSED);
  while (telar_ring_receive(receiver, bytes, sizeof bytes, &length) == TELAR_OK) received++;
  CHECK_EQUAL(telar_ring_dropped(sender), before);
  CHECK_EQUAL(received + before, 500);
  play_drop(sender);
  play_drop(receiver);
  check_free(ring.memory);
}

static void refuses_flags_that_exclude_each_other(void) {
  const uint32_t bad[] = {OLDEST | NEWEST, OLDEST | TELAR_RING_SINGLE_CONSUMER, 16};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    CHECK_EQUAL(telar_ring_size(&(telar_ring_config){.capacity = SMALL, .flags = bad[i]}), 0);
  }
}

int main(void) {
  uint64_t seed = check_seed();
  check_deadline(120);
  refuses_flags_that_exclude_each_other();
  static const uint32_t flags[] = {OLDEST, OLDEST | TELAR_RING_SINGLE_PRODUCER, NEWEST,
                                   NEWEST | TELAR_RING_SINGLE_PRODUCER,
                                   NEWEST | TELAR_RING_SINGLE_CONSUMER};
  for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
    agrees_with_a_model(flags[i], 0, CHECK_TURNS(100000), seed);
    agrees_with_a_model(flags[i], PLAY_NEAR_WRAP, CHECK_TURNS(100000), seed);
    a_closed_ring_drops_nothing(flags[i]);
  }
  waits_while_the_oldest_record_is_read_in_place();
  waits_while_the_oldest_record_is_written_in_place();
  a_receiver_takes_a_sender_that_drops_for_a_sender();
  return 0;
}
