/* sched_payload.c - the payload blocks of slots. */
#include "sched_internal.h"

static bool may_touch_block(const telar_sched *s, uint32_t slot, uint32_t worker) {
  if (s->config.slab == NULL) {
    return false;
  }
  return worker == TELAR_SCHED_NONE ? sched_is_owned(s, slot) : telar_sched_holds(s, worker, slot);
}

static void free_block(telar_sched *s, uint64_t *block) {
  if (*block != SLOT_NO_BLOCK) {
    telar_slab_free(s->config.slab, *block - 1);
    *block = SLOT_NO_BLOCK;
  }
}

void telar_sched_drop_large_block(telar_sched *s, sched_slot *slot) {
  free_block(s, &slot->spare);
  if (slot->block != SLOT_NO_BLOCK && slot->block_capacity > TELAR_SCHED_KEEP_BLOCK_BYTES) {
    free_block(s, &slot->block);
  }
}

telar_status telar_sched_block_alloc(telar_sched *s, uint32_t index, uint32_t worker,
                                     uint64_t bytes, uint64_t *offset, uint64_t *capacity) {
  if (!may_touch_block(s, index, worker)) {
    return TELAR_INVALID;
  }
  sched_slot *slot = &s->slots[index];
  free_block(s, &slot->spare);
  if (slot->block == SLOT_NO_BLOCK || slot->block_used || slot->block_capacity < bytes) {
    uint64_t fresh, fresh_capacity;
    if (!slot->block_used) {
      free_block(s, &slot->block); /* too small to keep, and its contents are not needed */
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

telar_status telar_sched_block_free(telar_sched *s, uint32_t index, uint32_t worker) {
  if (!may_touch_block(s, index, worker)) {
    return TELAR_INVALID;
  }
  sched_slot *slot = &s->slots[index];
  free_block(s, &slot->block);
  free_block(s, &slot->spare);
  slot->block_used = false;
  return TELAR_OK;
}
