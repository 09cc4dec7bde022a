#include "worker.h"

#include <memory>

#include "call.h"
#include "pool.h"
#include "retained.h"

namespace telar {

namespace {

class Worker : public Retained {
 public:
  explicit Worker(napi_env env) : env_(env) {}

  bool Open(std::shared_ptr<Pool> pool, uint32_t index, napi_value pump) {
    pool_ = std::move(pool);
    index_ = index;
    napi_create_reference(env_, pump, 1, &pump_);
    bell_ = Doorbell::Open(
        env_, [](void* self) { static_cast<Worker*>(self)->OnRing(); }, this);
    if (bell_ == nullptr) return false;
    bell_->SetRef(true);  // the thread lives as long as the pool needs it
    pool_->SetBell(index, bell_);
    if (telar_sched_worker_attach(pool_->sched(), index) != TELAR_OK) {
      napi_throw_error(env_, "ERR_TELAR_NATIVE", "this worker is already attached to its pool");
      return false;
    }
    bell_->Ring();  // for the first check of the queues
    return true;
  }

  int32_t Next(uint32_t done) {
    int32_t slot = telar_sched_next(pool_->sched(), index_, done);
    if (slot == TELAR_NEXT_STANDBY) bell_->RingLater();
    if (slot == TELAR_NEXT_YIELD) bell_->Ring();
    return slot;
  }

  void Resume() {
    bell_->CancelLater();
    telar_sched_worker_resume(pool_->sched(), index_);
  }

  Pool* pool() { return pool_.get(); }
  telar_sched* sched() { return pool_->sched(); }
  uint32_t index() const { return index_; }

 private:
  // Also reached when the environment ends: then the bell's own hook closes it.
  ~Worker() override {
    if (bell_ != nullptr) {
      bell_->Close();
      bell_->Release();
    }
    if (pump_ != nullptr) napi_delete_reference(env_, pump_);
  }

  void OnRing() {
    Napi::HandleScope scope(env_);
    Resume();
    CallFromLoop(env_, pump_, 0, nullptr, nullptr);
  }

  napi_env env_;
  std::shared_ptr<Pool> pool_;
  uint32_t index_ = 0;
  Doorbell* bell_ = nullptr;
  napi_ref pump_ = nullptr;
};

// next(done or -1) -> slot, or a negative number: stop
napi_value Next(napi_env env, napi_callback_info info) {
  Call<Worker, 1> call(env, info);
  return call.Return(call.self->Next(call.Uint32(0)));
}

// resume(): call it before next(), unless called from the bell
napi_value Resume(napi_env env, napi_callback_info info) {
  Call<Worker, 0> call(env, info);
  call.self->Resume();
  return nullptr;
}

// complete(slot): does nothing if this worker does not hold the slot
napi_value Complete(napi_env env, napi_callback_info info) {
  Call<Worker, 1> call(env, info);
  telar_sched_complete(call.self->sched(), call.self->index(), call.Uint32(0));
  return nullptr;
}

// fatal(error): reports an uncaught exception; returns if a listener of the process handled it
napi_value Fatal(napi_env env, napi_callback_info info) {
  Call<Worker, 1> call(env, info);
  napi_fatal_exception(env, call.argument[0]);
  return nullptr;
}

// ready(): the task file is loaded
napi_value Ready(napi_env env, napi_callback_info info) {
  Call<Worker, 0> call(env, info);
  telar_sched_worker_set_ready(call.self->sched(), call.self->index());
  return nullptr;
}

// allocate(slot, bytes) -> offset of a payload block, or -1
napi_value Allocate(napi_env env, napi_callback_info info) {
  Call<Worker, 2> call(env, info);
  uint64_t offset, capacity;
  if (telar_sched_block_alloc(call.self->sched(), call.Uint32(0), call.self->index(),
                              static_cast<uint64_t>(call.Double(1)), &offset,
                              &capacity) != TELAR_OK) {
    return call.Return(-1);
  }
  return call.Return(static_cast<double>(offset));
}

// release(slot): frees its payload block
napi_value Release(napi_env env, napi_callback_info info) {
  Call<Worker, 1> call(env, info);
  telar_sched_block_free(call.self->sched(), call.Uint32(0), call.self->index());
  return nullptr;
}

}  // namespace

napi_value AttachWorker(napi_env env, napi_callback_info info) {
  Call<void, 3> call(env, info);
  std::shared_ptr<Pool> pool = Pool::Find(call.Uint32(0));
  if (!pool) {
    napi_value null = nullptr;
    napi_get_null(env, &null);
    return null;
  }
  Worker* worker = new Worker(env);
  napi_value api = nullptr;
  if (!worker->Open(std::move(pool), call.Uint32(1), call.argument[2]) ||
      napi_create_object(env, &api) != napi_ok) {
    worker->Release();
    return nullptr;
  }
  Bind(env, api, "next", Next, worker);
  Bind(env, api, "resume", Resume, worker);
  Bind(env, api, "complete", Complete, worker);
  Bind(env, api, "fatal", Fatal, worker);
  Bind(env, api, "ready", Ready, worker);
  Bind(env, api, "allocate", Allocate, worker);
  Bind(env, api, "release", Release, worker);
  worker->Release();
  return api;
}

}  // namespace telar
