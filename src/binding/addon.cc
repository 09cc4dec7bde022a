// addon.cc - what the shared library offers to lib/.
#include <napi.h>

#include "os/os.h"
#include "owner.h"
#include "worker.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  telar_os_pin_library(reinterpret_cast<const void*>(&Init));
  const napi_property_descriptor functions[] = {
      {"createPool", nullptr, telar::CreatePool, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"attachWorker", nullptr, telar::AttachWorker, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, 2, functions);
  return exports;
}

}  // namespace

NODE_API_MODULE(telar, Init)
