// identity.h - whether a list of objects contains one of them twice.
#ifndef TELAR_BINDING_IDENTITY_H
#define TELAR_BINDING_IDENTITY_H

#include <napi.h>

namespace telar {

// hasRepeats(parts, count, size) -> boolean, for `count` objects in arrays of `size` elements each.
// Undefined if that cannot be determined: there is no memory, or the engine does not represent
// values as identity.cc assumes. Then the caller has to use another method.
napi_value HasRepeats(napi_env env, napi_callback_info info);

}  // namespace telar

#endif
