#include "constants.h"

#include "call.h"
#include "channel_end.h"
#include "channels.h"
#include "core/ring.h"
#include "core/ring_wait.h"
#include "core/sched.h"
#include "core/slab.h"
#include "owner.h"

namespace telar {

namespace {

struct Constant {
  const char* name;
  int64_t value;
};

template <size_t kCount>
napi_value ObjectOf(napi_env env, const Constant (&constants)[kCount]) {
  napi_value object = nullptr;
  napi_create_object(env, &object);
  for (const Constant& constant : constants) {
    napi_value value = nullptr;
    napi_create_int64(env, constant.value, &value);
    Define(env, object, constant.name, value);
  }
  return object;
}

}  // namespace

napi_value ChannelConstants(napi_env env) {
  const uint64_t event = telar_ring_event_offset(0);
  const Constant constants[] = {
      {"OK", TELAR_OK},
      {"FULL", TELAR_FULL},
      {"EMPTY", TELAR_EMPTY},
      {"AGAIN", TELAR_AGAIN},
      {"TOO_LARGE", TELAR_TOO_LARGE},
      {"CLOSED", TELAR_CLOSED},
      {"ABORTED", TELAR_ABORTED},
      {"BUSY", TELAR_BUSY},
      {"LIMIT", TELAR_LIMIT},
      {"DROPPED", TELAR_DROPPED},
      {"CORRUPT", TELAR_CORRUPT},
      {"NO_MEMORY", TELAR_NO_MEMORY},
      {"kReceivers", TELAR_RING_RECEIVERS},
      {"kSenders", TELAR_RING_SENDERS},
      {"kWakeFirst", TELAR_RING_WAKE_FIRST},
      {"kWakeSecond", TELAR_RING_WAKE_SECOND},
      {"kWakeAll", TELAR_RING_WAKE_ALL},
      {"kWakeDropped", kWakeDropped},
      {"kEventOffset", static_cast<int64_t>(event)},
      {"kEventStride", static_cast<int64_t>(telar_ring_event_offset(1) - event)},
      {"kSingleProducer", TELAR_RING_SINGLE_PRODUCER},
      {"kSingleConsumer", TELAR_RING_SINGLE_CONSUMER},
      {"kDropOldest", TELAR_RING_DROP_OLDEST},
      {"kDropNewest", TELAR_RING_DROP_NEWEST},
      {"kCapacityMin", TELAR_RING_CAPACITY_MIN},
      {"kCapacityMax", TELAR_RING_CAPACITY_MAX},
      {"kMaxOpen", TELAR_RING_OPEN_MAX},
      {"kMaxEnds", TELAR_RING_ENDPOINTS},
      {"kGranule", TELAR_RING_GRANULE},
      {"kHeaderBytes", kHeaderBytes},
      {"kStateOpen", TELAR_RING_OPEN},
      {"kStateClosed", TELAR_RING_CLOSED},
      {"kStateAborted", TELAR_RING_ABORTED},
      {"kWake", kWake},
      {"kOffset", kOffset},
      {"kLength", kLength},
      {"kTicket", kTicket},
      {"kEvent", kEvent},
      {"kDropped", kDropped},
      {"kRuns", kRuns},
      {"kBatch", kBatch},
  };
  return ObjectOf(env, constants);
}

napi_value PoolConstants(napi_env env) {
  const Constant constants[] = {
      // As an argument: no worker or no slot.
      {"kNone", static_cast<int32_t>(TELAR_SCHED_NONE)},
      {"kMetricWait", TELAR_METRIC_WAIT},
      {"kMetricRun", TELAR_METRIC_RUN},
      {"kPriorityMin", TELAR_SCHED_PRIORITY_MIN},
      {"kPriorityMax", TELAR_SCHED_PRIORITY_MAX},
      {"kAgedMs", TELAR_SCHED_AGED_NS / 1000000},
      {"kAgedTurn", TELAR_SCHED_AGED_TURN},
      {"kLaneShared", TELAR_LANE_SHARED},
      {"kLaneExclusive", TELAR_LANE_EXCLUSIVE},
      {"kLaneForced", TELAR_LANE_FORCED},
      {"kCancelFinished", kCancelFinished},
      {"kCancelQueued", kCancelQueued},
      {"kStopNoted", kStopNoted},
      {"kWindowMarked", TELAR_WINDOW_MARKED},
      {"kWindowSpent", TELAR_WINDOW_SPENT},
      {"kNextLeft", TELAR_NEXT_LEFT},
      {"kLimitQueue", TELAR_LIMIT_QUEUE},
      {"kLimitRun", TELAR_LIMIT_RUN},
      {"kLimitGrace", TELAR_LIMIT_GRACE},
      {"kMaxWorkers", TELAR_SCHED_WORKERS_MAX},
      {"kMaxConcurrency", TELAR_SCHED_CONCURRENCY_MAX},
      {"kKeepBlockBytes", TELAR_SCHED_KEEP_BLOCK_BYTES},
      {"kRegionGranule", TELAR_SLAB_REGION_GRANULE},
  };
  return ObjectOf(env, constants);
}

}  // namespace telar
