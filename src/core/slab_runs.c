#include "slab_internal.h"

static void free_list_push(telar_slab *slab, uint32_t unit, uint32_t order) {
  set_word(slab, unit, make_word(FREE, 0, order, 0));
  list_push(slab, &slab->free_head[order], unit);
  slab->orders_free |= 1u << order;
}

static void free_list_remove(telar_slab *slab, uint32_t unit, uint32_t order) {
  list_remove(slab, &slab->free_head[order], unit);
  if (slab->free_head[order] == NOWHERE) slab->orders_free &= ~(1u << order);
}

uint32_t telar_slab_run_take(telar_slab *slab, uint32_t order) {
  uint32_t fitting = slab->orders_free >> order;
  if (fitting == 0) return NOWHERE;
  uint32_t found = order + telar_bits_lowest(fitting);
  uint32_t unit = slab->free_head[found];
  free_list_remove(slab, unit, found);
  while (found > order) {
    found--;
    free_list_push(slab, unit + (1u << found), found);
  }
  return unit;
}

void telar_slab_run_give(telar_slab *slab, uint32_t unit, uint32_t order) {
  set_word(slab, unit, NONE);
  while (order < slab->max_order) {
    uint32_t buddy = unit ^ (1u << order);
    /* In a region that is not a power of two, the last units have no buddy. */
    if (buddy >= slab->units || read_word(slab, buddy) != make_word(FREE, 0, order, 0)) break;
    free_list_remove(slab, buddy, order);
    set_word(slab, buddy, NONE);
    unit &= ~(1u << order);
    order++;
  }
  free_list_push(slab, unit, order);
}

void telar_slab_run_give_part(telar_slab *slab, uint32_t unit, uint32_t from, uint32_t to) {
  while (from < to) {
    uint32_t order = from == 0 ? slab->max_order : telar_bits_lowest(from);
    while ((1u << order) > to - from) order--;
    telar_slab_run_give(slab, unit + from, order);
    from += 1u << order;
  }
}
