// owner_object.h - the owner's side of a pool: what the functions that JavaScript gets (owner.cc)
// work on. Made and used in the owner's thread.
#ifndef TELAR_BINDING_OWNER_OBJECT_H
#define TELAR_BINDING_OWNER_OBJECT_H

#include <memory>

#include "call.h"
#include "os/os.h"
#include "pool.h"
#include "retained.h"
#include "typed_array.h"

namespace telar {

// How long one turn of the loop handles finished tasks before I/O gets its turn.
constexpr uint64_t kDrainNs = 1000000;
// How long the owner spins for the next short task before its loop may sleep.
constexpr uint64_t kLoopSpinNs = 2000;

// Throws the error of a status.
inline napi_value Fail(napi_env env, telar_status status) {
  napi_throw_error(env, "ERR_TELAR_NATIVE", telar_status_message(status));
  return nullptr;
}

class Owner : public Retained {
 public:
  explicit Owner(napi_env env) : env_(env) {}

  bool Open(const PoolConfig& config, napi_value on_done, napi_value batch) {
    if (!ReadTypedArray(env_, batch, napi_uint32_array, &batch_, &batch_length_) ||
        batch_length_ == 0) {
      napi_throw_type_error(env_, "ERR_TELAR_NATIVE",
                            "batch must be a Uint32Array of at least one element");
      return false;
    }
    napi_create_reference(env_, batch, 1, &batch_ref_);
    napi_create_reference(env_, on_done, 1, &on_done_);
    bell_ = Doorbell::Open(
        env_, [](void* self) { static_cast<Owner*>(self)->OnRing(); }, this);
    if (bell_ == nullptr) return false;
    pool_ = Pool::Create(config, bell_);
    if (!pool_) {
      napi_throw_error(
          env_, "ERR_TELAR_NATIVE",
          "the pool's memory could not be allocated: too little memory, or an invalid size");
      return false;
    }
    return true;
  }

  void Close() {
    if (pool_) {
      pool_->Unregister();
      pool_.reset();
    }
    if (bell_ != nullptr) {
      bell_->Close();
      bell_->Release();
      bell_ = nullptr;
    }
    if (on_done_ != nullptr) {
      napi_delete_reference(env_, on_done_);
      napi_delete_reference(env_, batch_ref_);
      on_done_ = nullptr;
      batch_ref_ = nullptr;
    }
  }

  telar_sched* sched() { return pool_ ? pool_->sched() : nullptr; }
  Pool* pool() { return pool_.get(); }
  uint32_t* batch() { return batch_; }
  uint32_t batch_length() const { return static_cast<uint32_t>(batch_length_); }

  // The limits of the tasks that are submitted with limits. Most have the same as the one before,
  // so they are not passed with each.
  void SetLimits(uint64_t queue_ns, uint64_t run_ns) {
    queue_ns_ = queue_ns;
    run_ns_ = run_ns;
  }
  // To be called right before the submit.
  void Limit(uint32_t slot) { telar_sched_limit(sched(), slot, queue_ns_, run_ns_); }

  // Keeps the process alive while tasks are with the scheduler.
  void UpdateRef() {
    if (bell_ != nullptr) {
      bell_->SetRef(pool_ && telar_sched_outstanding(pool_->sched()) != 0);
    }
  }
  // What a call returns that has submitted a task.
  napi_value Submitted(telar_status status) {
    if (status != TELAR_OK) return Fail(env_, status);
    UpdateRef();
    return nullptr;
  }
  // Waits for finished tasks, for spin_ns at most. 0: there is none, and the bell rings for the
  // next one.
  uint32_t Poll(uint64_t spin_ns) {
    uint32_t count;
    do {
      count = telar_sched_poll(sched(), batch_, batch_length(), spin_ns);
    } while (count == 0 && !telar_sched_owner_sleep(sched()));
    if (count == 0 && telar_sched_owner_looks_again(sched())) bell_->RingLater();
    UpdateRef();
    return count;
  }
  void Ring() {
    if (bell_ != nullptr) bell_->Ring();
  }
  // Blocks the thread until the bell rings, for about that many milliseconds at most.
  void Sleep(uint32_t milliseconds) {
    if (bell_ != nullptr) bell_->Sleep(milliseconds);
  }

 private:
  ~Owner() override { Close(); }

  bool Deliver(uint32_t count) {
    napi_value argument = nullptr;
    if (napi_create_uint32(env_, count, &argument) != napi_ok) return false;
    return CallFromLoop(env_, on_done_, 1, &argument, nullptr);
  }

  void OnRing() {
    Retain();  // onDone may close the pool
    bell_->CancelLater();
    if (pool_) telar_sched_owner_awake(pool_->sched());
    Napi::HandleScope scope(env_);
    uint64_t end = telar_os_now_ns() + kDrainNs;
    // Also with a count of 0: the bell may have rung because the state of a worker has changed.
    bool more = true;
    while (more && pool_) {
      uint32_t count =
          telar_sched_poll(pool_->sched(), batch_, batch_length(), delivered_ ? kLoopSpinNs : 0);
      UpdateRef();
      if (count == 0 && delivered_) {
        bool naps = false;
        more = !telar_sched_owner_nap(pool_->sched(), &naps);
        if (!more && (naps || telar_sched_owner_looks_again(pool_->sched()))) bell_->RingLater();
        continue;
      }
      delivered_ = true;
      if (!Deliver(count)) break;
      // Only after results, because more may have come. A callback without results would otherwise
      // ring the bell again and again, if what it causes takes the owner longer than a turn.
      if (count != 0 && pool_ && telar_os_now_ns() > end) {
        bell_->Ring();
        break;
      }
    }
    delivered_ = false;
    Release();
  }

  napi_env env_;
  std::shared_ptr<Pool> pool_;
  Doorbell* bell_ = nullptr;
  napi_ref on_done_ = nullptr;
  napi_ref batch_ref_ = nullptr;
  uint32_t* batch_ = nullptr;
  size_t batch_length_ = 0;
  uint64_t queue_ns_ = 0;
  uint64_t run_ns_ = 0;
  bool delivered_ = false;
};

}  // namespace telar

#endif
