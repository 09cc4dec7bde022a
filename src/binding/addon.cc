// addon.cc - what the native library exports to lib/.
#include <napi.h>

#include "alarm.h"
#include "call.h"
#include "channel.h"
#include "channels.h"
#include "constants.h"
#include "cpus.h"
#include "identity.h"
#include "os/os.h"
#include "owner.h"
#include "thread_registry.h"
#include "worker.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#error "telar does not support big-endian processors: lib/codec packs characters into words"
#endif

namespace {

napi_value CountCpus(napi_env env, napi_callback_info) {
  napi_value count = nullptr;
  napi_create_uint32(env, telar::Cpus(), &count);
  return count;
}

// Detaches the memory of an ArrayBuffer at once.
napi_value Detach(napi_env env, napi_callback_info info) {
  telar::Call<void, 1> call(env, info);
  napi_detach_arraybuffer(env, call.argument[0]);
  return nullptr;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  telar_os_pin_library(reinterpret_cast<const void*>(&Init));
  // Must come first: hooks that other parts register for the end of the thread run before its own.
  napi_value number = nullptr;
  napi_create_uint32(env, telar::EnterThread(env), &number);
  napi_value library = nullptr;
  napi_create_bigint_uint64(env, reinterpret_cast<uintptr_t>(telar::ThreadRegistry()), &library);
  const napi_property_descriptor properties[] = {
      {"createPool", nullptr, telar::CreatePool, nullptr, nullptr, nullptr, napi_enumerable,
       nullptr},
      {"attachWorker", nullptr, telar::AttachWorker, nullptr, nullptr, nullptr, napi_enumerable,
       nullptr},
      {"openChannels", nullptr, telar::OpenChannels, nullptr, nullptr, nullptr, napi_enumerable,
       nullptr},
      {"channelSize", nullptr, telar::ChannelSize, nullptr, nullptr, nullptr, napi_enumerable,
       nullptr},
      {"createChannel", nullptr, telar::CreateChannel, nullptr, nullptr, nullptr, napi_enumerable,
       nullptr},
      {"channelConstants", nullptr, nullptr, nullptr, nullptr, telar::ChannelConstants(env),
       napi_enumerable, nullptr},
      {"poolConstants", nullptr, nullptr, nullptr, nullptr, telar::PoolConstants(env),
       napi_enumerable, nullptr},
      {"cpus", nullptr, CountCpus, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"detach", nullptr, Detach, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"hasRepeats", nullptr, telar::HasRepeats, nullptr, nullptr, nullptr, napi_enumerable,
       nullptr},
      {"memoryAddress", nullptr, telar::MemoryAddress, nullptr, nullptr, nullptr, napi_enumerable,
       nullptr},
      {"now", nullptr, telar::Now, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"openAlarm", nullptr, telar::OpenAlarm, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      // A number that no other library in the process has: the address of its thread registry.
      {"library", nullptr, nullptr, nullptr, nullptr, library, napi_enumerable, nullptr},
      {"threadNumber", nullptr, nullptr, nullptr, nullptr, number, napi_enumerable, nullptr},
      {"isThreadAlive", nullptr, telar::IsThreadAlive, nullptr, nullptr, nullptr, napi_enumerable,
       nullptr},
      {"endedThreads", nullptr, telar::CountEndedThreads, nullptr, nullptr, nullptr,
       napi_enumerable, nullptr},
      {"wasThread", nullptr, telar::WasThread, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof properties[0], properties);
  return exports;
}

}  // namespace

NODE_API_MODULE(telar, Init)
