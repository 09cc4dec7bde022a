// identity.h - whether a list of objects holds one of them twice.
#ifndef TELAR_BINDING_IDENTITY_H
#define TELAR_BINDING_IDENTITY_H

#include <napi.h>

namespace telar {

// hasRepeats(parts, count, size) -> boolean, for `count` objects in arrays of `size` each.
// Undefined where that cannot be told: no memory, or an engine whose values are not what
// identity.cc takes them for. Then the caller has to find out in another way.
napi_value HasRepeats(napi_env env, napi_callback_info info);

}  // namespace telar

#endif
