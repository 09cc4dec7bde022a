/* Both steps of a submission to a worker's lane, in one call. */
#ifndef TELAR_TEST_SCHED_SUBMIT_H
#define TELAR_TEST_SCHED_SUBMIT_H

#include "check.h"

#include "core/sched.h"

static inline telar_status sched_submit_to(telar_sched *sched, uint32_t slot, uint32_t worker,
                                           telar_lane_mode mode) {
  uint32_t places = 0;
  telar_status status = telar_sched_reserve(sched, worker, mode, &places);
  if (status != TELAR_OK) {
    CHECK_EQUAL(places, 0);
    return status;
  }
  status = telar_sched_submit_to(sched, slot, worker, places, 0);
  if (status != TELAR_OK) CHECK_STATUS(telar_sched_unreserve(sched, worker, places), TELAR_OK);
  return status;
}

#endif
