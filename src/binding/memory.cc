#include "memory.h"

#include <cstring>

#include "call.h"

namespace telar {

namespace {

bool GetBytes(napi_env env, napi_value view, char** data, size_t* length) {
  napi_typedarray_type type;
  void* at = nullptr;
  if (napi_get_typedarray_info(env, view, &type, length, &at, nullptr, nullptr) != napi_ok) return false;
  *data = static_cast<char*>(at);
  return type == napi_uint8_array;
}

}  // namespace

napi_value CopyBytes(napi_env env, napi_callback_info info) {
  Call<void, 5> call(env, info);
  char* to = nullptr;
  char* from = nullptr;
  size_t to_length = 0;
  size_t from_length = 0;
  double to_offset = call.Double(1);
  double from_offset = call.Double(3);
  double length = call.Double(4);
  if (!GetBytes(env, call.argument[0], &to, &to_length) || !GetBytes(env, call.argument[2], &from, &from_length) ||
      !(to_offset >= 0 && from_offset >= 0 && length >= 0) || to_offset + length > static_cast<double>(to_length) ||
      from_offset + length > static_cast<double>(from_length)) {
    napi_throw_range_error(env, "ERR_TELAR_NATIVE", "copyBytes: those bytes are not there");
    return nullptr;
  }
  std::memcpy(to + static_cast<size_t>(to_offset), from + static_cast<size_t>(from_offset), static_cast<size_t>(length));
  return nullptr;
}

}  // namespace telar
