// memory.h - moves bytes between shared and private memory.
#ifndef TELAR_BINDING_MEMORY_H
#define TELAR_BINDING_MEMORY_H

#include <node_api.h>

namespace telar {

// copyBytes(to: Uint8Array, toOffset, from: Uint8Array, fromOffset, length): one memcpy.
// V8 copies shared memory word by word, several times slower. RangeError when
// the bytes are not there.
napi_value CopyBytes(napi_env env, napi_callback_info info);

}  // namespace telar

#endif
