// constants.h - constants of the C code that JavaScript needs, so that they are defined only in C.
#ifndef TELAR_BINDING_CONSTANTS_H
#define TELAR_BINDING_CONSTANTS_H

#include <node_api.h>

namespace telar {

// Objects that map names to numbers.
napi_value ChannelConstants(napi_env env);
napi_value PoolConstants(napi_env env);

}  // namespace telar

#endif
