// owner_limits.h - how the owner ends tasks: cancels them, tells them to stop, limits their time.
#ifndef TELAR_BINDING_OWNER_LIMITS_H
#define TELAR_BINDING_OWNER_LIMITS_H

#include <node_api.h>

namespace telar {

class Owner;

// Adds the functions to the object with the owner's functions.
void BindLimits(napi_env env, napi_value api, Owner* owner);

}  // namespace telar

#endif
