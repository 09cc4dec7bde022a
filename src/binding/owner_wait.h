// owner_wait.h - the functions of a pool's owner for a thread that blocks its event loop.
#ifndef TELAR_BINDING_OWNER_WAIT_H
#define TELAR_BINDING_OWNER_WAIT_H

#include <node_api.h>

namespace telar {

class Owner;

// Adds wait() and workerState().
void BindWait(napi_env env, napi_value api, Owner* owner);

}  // namespace telar

#endif
