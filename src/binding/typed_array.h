// typed_array.h - access to the memory of a typed array passed by JavaScript.
#ifndef TELAR_BINDING_TYPED_ARRAY_H
#define TELAR_BINDING_TYPED_ARRAY_H

#include <node_api.h>

#include <cstddef>
#include <cstdint>

namespace telar {

// False: the value is not a typed array of that type.
template <typename Element>
bool ReadTypedArray(napi_env env, napi_value value, napi_typedarray_type wanted, Element** data,
                    size_t* length) {
  napi_typedarray_type type;
  void* memory = nullptr;
  if (napi_get_typedarray_info(env, value, &type, length, &memory, nullptr, nullptr) != napi_ok ||
      type != wanted) {
    return false;
  }
  *data = static_cast<Element*>(memory);
  return true;
}

inline bool ReadBytes(napi_env env, napi_value value, unsigned char** data, size_t* length) {
  return ReadTypedArray(env, value, napi_uint8_array, data, length);
}

inline napi_value ThrowBytes(napi_env env) {
  napi_throw_type_error(env, "ERR_TELAR_NATIVE", "expected a Uint8Array");
  return nullptr;
}

}  // namespace telar

#endif
