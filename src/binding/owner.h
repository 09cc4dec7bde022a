// owner.h - the owner's side of a pool in JavaScript.
#ifndef TELAR_BINDING_OWNER_H
#define TELAR_BINDING_OWNER_H

#include <node_api.h>

#include <cstdint>

namespace telar {

// What cancel() returns instead of a worker.
enum : int32_t { kCancelFinished = -1, kCancelQueued = -2, kStopNoted = -3 };

// createPool(onDone(count), batch: Uint32Array, slots, workers, concurrency, timing,
//            regionOffset, regionBytes) -> an object with the owner's functions
napi_value CreatePool(napi_env env, napi_callback_info info);

}  // namespace telar

#endif
