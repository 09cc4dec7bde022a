// addon.cc - what the shared library offers to lib/.
#include <napi.h>

#include "memory.h"
#include "os/os.h"
#include "owner.h"
#include "worker.h"

namespace {

Napi::Value Cpus(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), telar_os_cpus()); }

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("createPool", Napi::Function::New<telar::CreatePool>(env, "createPool"));
  exports.Set("attachWorker", Napi::Function::New<telar::AttachWorker>(env, "attachWorker"));
  napi_value copy = nullptr;
  napi_create_function(env, "copyBytes", NAPI_AUTO_LENGTH, telar::CopyBytes, nullptr, &copy);
  exports.Set("copyBytes", Napi::Value(env, copy));
  exports.Set("cpus", Napi::Function::New<Cpus>(env, "cpus"));
  return exports;
}

}  // namespace

NODE_API_MODULE(telar, Init)
