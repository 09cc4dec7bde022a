// channel.h - the shared memory of channels.
#ifndef TELAR_BINDING_CHANNEL_H
#define TELAR_BINDING_CHANNEL_H

#include <node_api.h>

namespace telar {

// channelSize(capacity, flags) -> bytes of shared memory; 0: invalid arguments
napi_value ChannelSize(napi_env env, napi_callback_info info);

// createChannel(memory: Uint8Array, capacity, flags) -> status
napi_value CreateChannel(napi_env env, napi_callback_info info);

// memoryAddress(bytes: Uint8Array) -> BigInt: the address of the memory, the same in all threads
napi_value MemoryAddress(napi_env env, napi_callback_info info);

}  // namespace telar

#endif
