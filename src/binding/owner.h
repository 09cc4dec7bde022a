// owner.h - the owner's side of a pool in JavaScript.
#ifndef TELAR_BINDING_OWNER_H
#define TELAR_BINDING_OWNER_H

#include <napi.h>

namespace telar {

// createPool({ slots, workers, concurrency, timing, regionOffset, regionBytes },
//            onDone(count), batch: Uint32Array) -> the owner's functions
Napi::Value CreatePool(const Napi::CallbackInfo& info);

}  // namespace telar

#endif
