// constants.h - the numbers of C that JavaScript has to know: said once, in C.
#ifndef TELAR_BINDING_CONSTANTS_H
#define TELAR_BINDING_CONSTANTS_H

#include <node_api.h>

namespace telar {

// Objects of names and numbers.
napi_value ChannelConstants(napi_env env);
napi_value PoolConstants(napi_env env);

}  // namespace telar

#endif
