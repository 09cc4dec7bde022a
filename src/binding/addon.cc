// addon.cc - what the shared library offers to lib/.
#include <napi.h>

#include "os/os.h"
#include "owner.h"
#include "worker.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  telar_os_pin_library(reinterpret_cast<const void*>(&Init));
  exports.Set("createPool", Napi::Function::New<telar::CreatePool>(env, "createPool"));
  exports.Set("attachWorker", Napi::Function::New<telar::AttachWorker>(env, "attachWorker"));
  return exports;
}

}  // namespace

NODE_API_MODULE(telar, Init)
