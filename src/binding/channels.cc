#include "channels.h"

#include "call.h"
#include "channel_end.h"
#include "thread_registry.h"
#include "thread_bells.h"
#include "typed_array.h"

namespace telar {

bool Channels::Open(napi_value on_ring, napi_value info) {
  size_t length = 0;
  if (!ReadTypedArray(env_, info, napi_uint32_array, &info_, &length) ||
      length < kRuns + 2 * kBatch) {
    napi_throw_type_error(env_, "ERR_TELAR_NATIVE",
                          "info must be a Uint32Array that is large enough for a batch");
    return false;
  }
  napi_create_reference(env_, info, 1, &info_ref_);
  napi_create_reference(env_, on_ring, 1, &on_ring_);
  thread_ = CurrentThread();
  bell_ = Doorbell::Open(
      env_, [](void* self) { static_cast<Channels*>(self)->OnRing(); }, this);
  if (bell_ == nullptr) return false;
  AddThreadBell(thread_, bell_);
  return true;
}

bool Channels::SetScratch(napi_value bytes) {
  unsigned char* data = nullptr;
  size_t length = 0;
  if (!ReadBytes(env_, bytes, &data, &length)) return false;
  napi_ref reference = nullptr;
  if (napi_create_reference(env_, bytes, 1, &reference) != napi_ok) return false;
  if (scratch_ref_ != nullptr) napi_delete_reference(env_, scratch_ref_);
  scratch_ref_ = reference;
  scratch_ = data;
  scratch_length_ = length > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(length);
  return true;
}

Channels::~Channels() {
  if (bell_ != nullptr) {
    RemoveThreadBell(thread_, bell_);
    bell_->Close();
    bell_->Release();
  }
  for (napi_ref reference : {info_ref_, on_ring_, scratch_ref_}) {
    if (reference != nullptr) napi_delete_reference(env_, reference);
  }
}

void Channels::OnRing() {
  Napi::HandleScope scope(env_);
  CallFromLoop(env_, on_ring_, 0, nullptr, nullptr);
}

namespace {

// setScratch(bytes: Uint8Array): the memory that records are copied from and to
napi_value SetScratch(napi_env env, napi_callback_info info) {
  Call<Channels, 1> call(env, info);
  return call.self->SetScratch(call.argument[0]) ? nullptr : ThrowBytes(env);
}

// setRef(boolean): whether waiting ends keep the thread alive
napi_value SetRef(napi_env env, napi_callback_info info) {
  Call<Channels, 1> call(env, info);
  call.self->SetRef(call.Bool(0));
  return nullptr;
}

// ring(): onRing is called in the next turn of the event loop
napi_value Ring(napi_env env, napi_callback_info info) {
  Call<Channels, 0> call(env, info);
  call.self->Ring();
  return nullptr;
}

// sleep(milliseconds) -> whether the bell has rung: blocks the thread until it rings
napi_value Sleep(napi_env env, napi_callback_info info) {
  Call<Channels, 1> call(env, info);
  return call.Return(call.self->Sleep(call.Uint32(0)));
}

}  // namespace

napi_value OpenChannels(napi_env env, napi_callback_info info) {
  Call<void, 2> call(env, info);
  Channels* channels = new Channels(env);
  napi_value api = nullptr;
  if (!channels->Open(call.argument[0], call.argument[1]) ||
      napi_create_object(env, &api) != napi_ok) {
    channels->Release();
    return nullptr;
  }
  Bind(env, api, "open", OpenEnd, channels);
  Bind(env, api, "setScratch", SetScratch, channels);
  Bind(env, api, "setRef", SetRef, channels);
  Bind(env, api, "ring", Ring, channels);
  Bind(env, api, "sleep", Sleep, channels);
  channels->Release();
  return api;
}

}  // namespace telar
