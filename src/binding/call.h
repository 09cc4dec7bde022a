// call.h - what every function of the binding needs.
//
// Functions that JavaScript calls use Node-API directly, for two reasons. The wrappers of
// node-addon-api allocate a CallbackInfo for each call, which costs as much as the work itself. And
// they abort the process if a call into the engine fails because its thread is being terminated.
// That may happen here at any time and is expected: then the result is missing, and no code is left
// to use it.
#ifndef TELAR_BINDING_CALL_H
#define TELAR_BINDING_CALL_H

#include <napi.h>

#include <cstdint>

namespace telar {

constexpr double kNsPerMs = 1e6;
inline uint64_t Nanoseconds(double milliseconds) {
  return static_cast<uint64_t>(milliseconds * kNsPerMs);
}
// More milliseconds than this (30 years) mean "never".
constexpr double kNeverMs = 1e12;

// Arguments and bound object of one call from JavaScript. Missing arguments are undefined, as in
// JavaScript.
template <typename Bound, size_t kArguments>
struct Call {
  napi_env env;
  napi_value argument[kArguments == 0 ? 1 : kArguments] = {};
  Bound* self = nullptr;

  Call(napi_env e, napi_callback_info info) : env(e) {
    size_t count = kArguments;
    void* data = nullptr;
    napi_get_cb_info(e, info, &count, argument, nullptr, &data);
    self = static_cast<Bound*>(data);
  }

  uint32_t Uint32(size_t index) const {
    uint32_t value = UINT32_MAX;
    napi_get_value_uint32(env, argument[index], &value);
    return value;
  }

  int32_t Int32(size_t index) const {
    int32_t value = INT32_MIN;
    napi_get_value_int32(env, argument[index], &value);
    return value;
  }

  bool Bool(size_t index) const {
    bool value = false;
    napi_get_value_bool(env, argument[index], &value);
    return value;
  }

  double Double(size_t index) const {
    double value = 0;
    napi_get_value_double(env, argument[index], &value);
    return value;
  }

  // An argument in milliseconds. `never`: the result for Infinity.
  uint64_t Nanoseconds(size_t index, uint64_t never) const {
    double ms = Double(index);
    return ms < kNeverMs ? static_cast<uint64_t>(ms * kNsPerMs) : never;
  }

  napi_value Return(int32_t value) const {
    napi_value result = nullptr;
    napi_create_int32(env, value, &result);
    return result;
  }

  napi_value Return(uint32_t value) const {
    napi_value result = nullptr;
    napi_create_uint32(env, value, &result);
    return result;
  }

  napi_value Return(double value) const {
    napi_value result = nullptr;
    napi_create_double(env, value, &result);
    return result;
  }

  napi_value Return(bool value) const {
    napi_value result = nullptr;
    napi_get_boolean(env, value, &result);
    return result;
  }
};

// Defines a property of an object. Not by assignment, because a setter on Object.prototype would
// then be called.
inline void Define(napi_env env, napi_value target, const char* name, napi_value value) {
  const napi_property_descriptor property = {
      name, nullptr, nullptr, nullptr, nullptr, value, napi_default_jsproperty, nullptr};
  napi_define_properties(env, target, 1, &property);
}

// Binds a function to an object that has Retain() and Release(). The function keeps the object
// alive, so a call never accesses freed memory. Fails silently if the thread is being terminated:
// then no code is left to call the function.
template <typename Bound>
void Bind(napi_env env, napi_value target, const char* name, napi_callback function, Bound* self) {
  napi_value value = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, self, &value) != napi_ok) return;
  auto release = [](napi_env, void* data, void*) { static_cast<Bound*>(data)->Release(); };
  if (napi_add_finalizer(env, value, self, release, nullptr, nullptr) != napi_ok) return;
  self->Retain();
  Define(env, target, name, value);
}

// Calls a JavaScript function from the event loop, and then runs the microtasks. False: the
// environment is being torn down and no JavaScript runs any more.
inline bool CallFromLoop(napi_env env, napi_ref function_ref, size_t argc, const napi_value* argv,
                         napi_value* result) {
  napi_value function = nullptr;
  napi_value receiver = nullptr;
  if (napi_get_reference_value(env, function_ref, &function) != napi_ok || function == nullptr) {
    return false;
  }
  if (napi_get_global(env, &receiver) != napi_ok) return false;
  napi_status status = napi_make_callback(env, nullptr, receiver, function, argc, argv, result);
  if (status == napi_ok) return true;
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) {
    napi_value exception = nullptr;
    if (napi_get_and_clear_last_exception(env, &exception) == napi_ok && exception != nullptr) {
      napi_fatal_exception(env, exception);
      return true;
    }
  }
  return false;
}

}  // namespace telar

#endif
