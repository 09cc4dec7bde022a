// identity.cc - see identity.h.
//
// Node-API can compare two objects, but gives no key by which one object could be found among many.
// In V8 a napi_value is a handle: the address of a slot that holds the address of the object, which
// the garbage collector keeps up to date. This file compares the addresses of the objects. It reads
// all of them without a call into the engine in between, so no object can move meanwhile.
//
// Node-API does not specify what a napi_value is. So each call also creates two objects, gets two
// handles for one of them, and checks that the slots show this. If they do not, as in another
// engine, the result is undefined.
#include "identity.h"

#include <cstdint>
#include <memory>
#include <new>

#include "call.h"
#include "core/repeats.h"

namespace telar {
namespace {

// Of the address of an object in V8: the lowest bit is set, the next one is not.
constexpr uintptr_t kTagMask = 3;
constexpr uintptr_t kObjectTag = 1;

bool IsAligned(napi_value value) {
  return reinterpret_cast<uintptr_t>(value) % alignof(uintptr_t) == 0;
}

uintptr_t WordOf(napi_value value) { return *reinterpret_cast<const uintptr_t*>(value); }

bool IsAddress(napi_value value) {
  return IsAligned(value) && (WordOf(value) & kTagMask) == kObjectTag;
}

// Two objects, and a second handle for the first.
class Probe {
 public:
  bool Make(napi_env env) {
    napi_value list = nullptr;
    return napi_create_array_with_length(env, 2, &list) == napi_ok &&
           napi_create_object(env, &one_) == napi_ok &&
           napi_create_object(env, &other_) == napi_ok &&
           napi_set_element(env, list, 0, one_) == napi_ok &&
           napi_get_element(env, list, 0, &again_) == napi_ok;
  }

  bool Holds() const {
    return one_ != again_ && IsAddress(one_) && IsAddress(other_) && IsAddress(again_) &&
           WordOf(one_) == WordOf(again_) && WordOf(one_) != WordOf(other_);
  }

 private:
  napi_value one_ = nullptr;
  napi_value other_ = nullptr;
  napi_value again_ = nullptr;
};

class Scope {
 public:
  explicit Scope(napi_env env) : env_(env) { napi_open_handle_scope(env, &scope_); }
  ~Scope() { napi_close_handle_scope(env_, scope_); }
  bool IsOpen() const { return scope_ != nullptr; }

 private:
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
};

enum class Answer { kNo, kYes, kUnknown };

// Reads the handles of all objects, as words.
bool ReadHandles(napi_env env, napi_value parts, uint32_t size, uintptr_t* words, uint32_t count) {
  napi_value part = nullptr;
  for (uint32_t i = 0; i < count; i++) {
    if (i % size == 0 && napi_get_element(env, parts, i / size, &part) != napi_ok) return false;
    napi_value object = nullptr;
    if (napi_get_element(env, part, i % size, &object) != napi_ok) return false;
    words[i] = reinterpret_cast<uintptr_t>(object);
  }
  return true;
}

// Replaces handles by addresses, without a call into the engine.
bool Resolve(const Probe& probe, uintptr_t* words, uint32_t count) {
  if (!probe.Holds()) return false;
  for (uint32_t i = 0; i < count; i++) {
    napi_value object = reinterpret_cast<napi_value>(words[i]);
    if (!IsAddress(object)) return false;
    words[i] = WordOf(object);
  }
  return true;
}

Answer FindRepeats(napi_env env, napi_value parts, uint32_t count, uint32_t size) {
  std::unique_ptr<uintptr_t[]> words(new (std::nothrow) uintptr_t[count]);
  std::unique_ptr<char[]> scratch(new (std::nothrow) char[telar_repeats_memory_size(count)]);
  Scope scope(env);
  Probe probe;
  if (!words || !scratch || !scope.IsOpen() || size == 0 || !probe.Make(env)) {
    return Answer::kUnknown;
  }
  if (!ReadHandles(env, parts, size, words.get(), count) || !Resolve(probe, words.get(), count)) {
    return Answer::kUnknown;
  }
  return telar_repeats(words.get(), count, scratch.get()) ? Answer::kYes : Answer::kNo;
}

}  // namespace

napi_value HasRepeats(napi_env env, napi_callback_info info) {
  Call<void, 3> call(env, info);
  Answer answer = FindRepeats(env, call.argument[0], call.Uint32(1), call.Uint32(2));
  return answer == Answer::kUnknown ? nullptr : call.Return(answer == Answer::kYes);
}

}  // namespace telar
