// channel.h - the ends of channels in one thread.
#ifndef TELAR_BINDING_CHANNEL_H
#define TELAR_BINDING_CHANNEL_H

#include <node_api.h>

namespace telar {

// openChannels(onRing(), info: Uint32Array) -> what a thread needs for all of its channels, see
// channel.cc. onRing is called from the event loop when an end that was announced should try again.
napi_value OpenChannels(napi_env env, napi_callback_info info);

// channelSize(capacity, flags) -> bytes of shared memory; 0: not valid
napi_value ChannelSize(napi_env env, napi_callback_info info);

// createChannel(memory: Uint8Array, capacity, flags) -> status
napi_value CreateChannel(napi_env env, napi_callback_info info);

// memoryAddress(bytes: Uint8Array) -> BigInt: where the memory lies, the same in every thread
napi_value MemoryAddress(napi_env env, napi_callback_info info);

// What JavaScript has to know of numbers and places in C.
napi_value ChannelConstants(napi_env env);

}  // namespace telar

#endif
