#include "doorbell.h"

#include <chrono>

namespace telar {

Doorbell* Doorbell::Open(napi_env env, Callback on_ring, void* data) {
  uv_loop_t* loop = nullptr;
  Doorbell* bell = new Doorbell();
  bell->on_ring_ = on_ring;
  bell->data_ = data;
  bell->async_.data = bell;
  bell->timer_.data = bell;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok ||
      uv_async_init(loop, &bell->async_, [](uv_async_t* handle) {
        Doorbell* self = static_cast<Doorbell*>(handle->data);
        if (!self->closed_) self->on_ring_(self->data_);
      }) != 0) {
    delete bell;
    napi_throw_error(env, "ERR_TELAR_NATIVE",
                     "libuv could not create an async handle for the event loop");
    return nullptr;
  }
  uv_timer_init(loop, &bell->timer_);  // cannot fail
  bell->open_handles_ = 2;
  uv_unref(reinterpret_cast<uv_handle_t*>(&bell->async_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&bell->timer_));
  bell->AddReference();  // held by the handles until both are closed
  // A handle that is still open when its environment ends would abort the process.
  if (napi_add_async_cleanup_hook(env, OnEnvironmentEnd, bell, &bell->hook_) != napi_ok) {
    bell->CloseHandles();
    napi_throw_error(env, "ERR_TELAR_NATIVE", "the environment is shutting down");
    bell->Release();
    return nullptr;
  }
  return bell;
}

void Doorbell::Release() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void Doorbell::Ring() {
  std::lock_guard<std::mutex> guard(lock_);
  if (!closed_) uv_async_send(&async_);
  has_rung_ = true;
  sleeper_.notify_one();
}

bool Doorbell::Sleep(uint32_t milliseconds) {
  std::unique_lock<std::mutex> guard(lock_);
  sleeper_.wait_for(guard, std::chrono::milliseconds(milliseconds), [this] { return has_rung_; });
  bool has_rung = has_rung_;
  has_rung_ = false;
  return has_rung;
}

void Doorbell::RingLater(uint32_t milliseconds) {
  if (closed_) return;
  later_ = true;
  uv_timer_start(
      &timer_,
      [](uv_timer_t* handle) {
        Doorbell* self = static_cast<Doorbell*>(handle->data);
        self->later_ = false;
        if (!self->closed_) self->on_ring_(self->data_);
      },
      milliseconds, 0);
}

void Doorbell::CancelLater() {
  if (!later_ || closed_) return;
  later_ = false;
  uv_timer_stop(&timer_);
}

void Doorbell::SetRef(bool ref) {
  if (ref == ref_ || closed_) return;
  ref_ = ref;
  uv_handle_t* handle = reinterpret_cast<uv_handle_t*>(&async_);
  if (ref) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Doorbell::Close() {
  if (closed_) return;
  if (hook_ != nullptr) {
    napi_remove_async_cleanup_hook(hook_);
    hook_ = nullptr;
  }
  CloseHandles();
}

void Doorbell::CloseHandles() {
  {
    std::lock_guard<std::mutex> guard(lock_);
    if (closed_) return;
    closed_ = true;
  }
  auto on_closed = [](uv_handle_t* handle) {
    static_cast<Doorbell*>(handle->data)->HandleClosed();
  };
  uv_close(reinterpret_cast<uv_handle_t*>(&async_), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), on_closed);
}

void Doorbell::HandleClosed() {
  if (--open_handles_ != 0) return;
  // Node waits for this before it closes the loop.
  if (hook_ != nullptr) napi_remove_async_cleanup_hook(hook_);
  Release();
}

void Doorbell::OnEnvironmentEnd(napi_async_cleanup_hook_handle, void* data) {
  static_cast<Doorbell*>(data)->CloseHandles();
}

}  // namespace telar
