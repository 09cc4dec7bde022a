// worker.h - a worker's side of a pool in JavaScript.
#ifndef TELAR_BINDING_WORKER_H
#define TELAR_BINDING_WORKER_H

#include <node_api.h>

namespace telar {

// attachWorker(poolId, worker, pump()) -> an object with the worker's functions, or null if that
// pool no longer exists. `pump` is called from the event loop whenever there may be work; it calls
// next() until the result is negative.
napi_value AttachWorker(napi_env env, napi_callback_info info);

}  // namespace telar

#endif
