#include "channel.h"

#include "call.h"
#include "core/ring.h"
#include "typed_array.h"

namespace telar {

napi_value ChannelSize(napi_env env, napi_callback_info info) {
  Call<void, 2> call(env, info);
  telar_ring_config config = {call.Uint32(0), call.Uint32(1), 0};
  return call.Return(static_cast<double>(telar_ring_size(&config)));
}

napi_value CreateChannel(napi_env env, napi_callback_info info) {
  Call<void, 3> call(env, info);
  unsigned char* data = nullptr;
  size_t length = 0;
  if (!ReadBytes(env, call.argument[0], &data, &length)) return ThrowBytes(env);
  telar_ring_config config = {call.Uint32(1), call.Uint32(2), 0};
  return call.Return(static_cast<uint32_t>(telar_ring_init(data, length, &config)));
}

napi_value MemoryAddress(napi_env env, napi_callback_info info) {
  Call<void, 1> call(env, info);
  unsigned char* data = nullptr;
  size_t length = 0;
  if (!ReadBytes(env, call.argument[0], &data, &length)) return ThrowBytes(env);
  napi_value address = nullptr;
  napi_create_bigint_uint64(env, static_cast<uint64_t>(reinterpret_cast<uintptr_t>(data)),
                            &address);
  return address;
}

}  // namespace telar
