// addon.cc - what the shared library offers to lib/.
#include <napi.h>

#include "channel.h"
#include "os/os.h"
#include "owner.h"
#include "roster.h"
#include "worker.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  telar_os_pin_library(reinterpret_cast<const void*>(&Init));
  // First of all: what other parts leave to the end of the thread comes before.
  napi_value number = nullptr;
  napi_create_uint32(env, telar::EnterThread(env), &number);
  const napi_property_descriptor properties[] = {
      {"createPool", nullptr, telar::CreatePool, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"attachWorker", nullptr, telar::AttachWorker, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"openChannels", nullptr, telar::OpenChannels, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"channelSize", nullptr, telar::ChannelSize, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"createChannel", nullptr, telar::CreateChannel, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"channelConstants", nullptr, nullptr, nullptr, nullptr, telar::ChannelConstants(env), napi_enumerable, nullptr},
      {"memoryAddress", nullptr, telar::MemoryAddress, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"threadNumber", nullptr, nullptr, nullptr, nullptr, number, napi_enumerable, nullptr},
      {"isThreadAlive", nullptr, telar::IsThreadAlive, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"wasThread", nullptr, telar::WasThread, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof properties[0], properties);
  return exports;
}

}  // namespace

NODE_API_MODULE(telar, Init)
