// channel_end.h - one thread's end of one channel.
#ifndef TELAR_BINDING_CHANNEL_END_H
#define TELAR_BINDING_CHANNEL_END_H

#include <node_api.h>

#include <cstdint>

namespace telar {

// Length of the header that sendWithHeader() puts before the bytes.
constexpr uint32_t kHeaderBytes = 8;

// open(memory: Uint8Array) -> an object with the functions of an end, or a negative status. Bound
// to Channels.
napi_value OpenEnd(napi_env env, napi_callback_info info);

}  // namespace telar

#endif
