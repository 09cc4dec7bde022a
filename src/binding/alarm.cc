#include "alarm.h"

#include "call.h"
#include "doorbell.h"
#include "os/os.h"
#include "retained.h"
#include "thread_registry.h"

namespace telar {

namespace {

class Alarm : public Retained {
 public:
  explicit Alarm(napi_env env) : env_(env) {}

  bool Open(napi_value on_alarm) {
    napi_create_reference(env_, on_alarm, 1, &on_alarm_);
    bell_ = Doorbell::Open(
        env_, [](void* self) { static_cast<Alarm*>(self)->OnRing(); }, this);
    return bell_ != nullptr;
  }

  Doorbell* bell() { return bell_; }

 private:
  // Also reached when the environment ends: then the bell's own hook closes it.
  ~Alarm() override {
    if (bell_ != nullptr) {
      UnwatchThreadEnds(bell_);
      bell_->Close();
      bell_->Release();
    }
    if (on_alarm_ != nullptr) napi_delete_reference(env_, on_alarm_);
  }

  void OnRing() {
    Napi::HandleScope scope(env_);
    CallFromLoop(env_, on_alarm_, 0, nullptr, nullptr);
  }

  napi_env env_;
  Doorbell* bell_ = nullptr;
  napi_ref on_alarm_ = nullptr;
};

// ring(): onAlarm is called in the next turn of the event loop
napi_value Ring(napi_env env, napi_callback_info info) {
  Call<Alarm, 0> call(env, info);
  call.self->bell()->Ring();
  return nullptr;
}

// ringAfter(ms): onAlarm is called after that many milliseconds; replaces an earlier ringAfter()
napi_value RingAfter(napi_env env, napi_callback_info info) {
  Call<Alarm, 1> call(env, info);
  call.self->bell()->RingLater(call.Uint32(0));
  return nullptr;
}

// watchThreads(): onAlarm is called each time a thread has ended
napi_value WatchThreads(napi_env env, napi_callback_info info) {
  Call<Alarm, 0> call(env, info);
  WatchThreadEnds(call.self->bell());
  return nullptr;
}

// setRef(boolean): whether the alarm keeps the thread alive
napi_value SetRef(napi_env env, napi_callback_info info) {
  Call<Alarm, 1> call(env, info);
  call.self->bell()->SetRef(call.Bool(0));
  return nullptr;
}

}  // namespace

napi_value Now(napi_env env, napi_callback_info info) {
  Call<void, 0> call(env, info);
  return call.Return(static_cast<double>(telar_os_now_ns()) / kNsPerMs);
}

napi_value OpenAlarm(napi_env env, napi_callback_info info) {
  Call<void, 1> call(env, info);
  Alarm* alarm = new Alarm(env);
  napi_value api = nullptr;
  if (!alarm->Open(call.argument[0]) || napi_create_object(env, &api) != napi_ok) {
    alarm->Release();
    return nullptr;
  }
  Bind(env, api, "ring", Ring, alarm);
  Bind(env, api, "ringAfter", RingAfter, alarm);
  Bind(env, api, "watchThreads", WatchThreads, alarm);
  Bind(env, api, "setRef", SetRef, alarm);
  alarm->Release();
  return api;
}

}  // namespace telar
