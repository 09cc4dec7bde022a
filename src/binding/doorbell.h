// doorbell.h - wakes the event loop of one thread from any thread.
//
// A uv_async handle and a one-shot timer of one environment. Any thread may call Ring() at any
// time, also while the environment is torn down or afterwards: a lock and a flag guard the handle,
// and a reference count keeps the memory alive. All other calls belong to the thread that opened
// the bell.
#ifndef TELAR_BINDING_DOORBELL_H
#define TELAR_BINDING_DOORBELL_H

#include <node_api.h>
#include <uv.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace telar {

class Doorbell {
 public:
  using Callback = void (*)(void* data);

  // Null, with a pending exception, if libuv fails. The new bell is unreferenced: it keeps no
  // process alive until SetRef(true). The caller holds one reference.
  static Doorbell* Open(napi_env env, Callback on_ring, void* data);

  void AddReference() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Release();

  // Any thread. Several rings in one turn of the loop cause one callback.
  void Ring();

  // Calls back once, after about that many milliseconds, without keeping the loop alive.
  void RingLater(uint32_t milliseconds = 1);
  void CancelLater();

  // Blocks the thread until the bell rings, for about that many milliseconds at most. Returns
  // whether it has rung since the last sleep. The callback comes nevertheless.
  bool Sleep(uint32_t milliseconds);

  void SetRef(bool ref);
  // No callback comes after this call. Also done when the environment ends.
  void Close();

 private:
  Doorbell() = default;
  ~Doorbell() = default;
  void CloseHandles();
  void HandleClosed();
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle handle, void* data);

  uv_async_t async_;
  uv_timer_t timer_;
  Callback on_ring_ = nullptr;
  void* data_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  int open_handles_ = 0;
  bool ref_ = false;
  bool later_ = false;
  std::mutex lock_;      // guards closed_ and has_rung_ against Ring
  bool closed_ = false;  // the handles are closing or closed
  bool has_rung_ = false;
  std::condition_variable sleeper_;
  std::atomic<int> references_{1};
};

}  // namespace telar

#endif
