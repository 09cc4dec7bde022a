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
    int32_t slot = claimed_ = telar_sched_next(pool_->sched(), index_, done);
    if (slot == TELAR_NEXT_STANDBY) bell_->RingLater();
    if (slot == TELAR_NEXT_YIELD) bell_->Ring();
    return slot;
  }

  void SetRunDeferred(napi_value function) {
    if (run_deferred_ == nullptr) napi_create_reference(env_, function, 1, &run_deferred_);
  }

  void Defer() {
    has_deferred_ = true;
    bell_->Ring();
  }

  void Resume() {
    bell_->CancelLater();
    telar_sched_worker_resume(pool_->sched(), index_);
  }

  void WindowWasHit() {
    was_recovered_ = true;
    telar_sched_window_was_hit(pool_->sched(), index_);
  }

  Pool* pool() { return pool_.get(); }
  telar_sched* sched() { return pool_->sched(); }
  uint32_t index() const { return index_; }
  int32_t claimed() const { return claimed_; }

 private:
  // Also reached when the environment ends: then the bell's own hook closes it.
  ~Worker() override {
    if (bell_ != nullptr) {
      bell_->Close();
      bell_->Release();
      pool_->SetEnded(index_);
    }
    if (pump_ != nullptr) napi_delete_reference(env_, pump_);
    if (run_deferred_ != nullptr) napi_delete_reference(env_, run_deferred_);
  }

  void OnRing() {
    Napi::HandleScope scope(env_);
    Resume();
    if (has_deferred_) RunDeferred();
    CallFromLoop(env_, pump_, 0, nullptr, nullptr);
  }

  // Runs the code of a task that may be interrupted: from the event loop, so that nothing but the
  // task is on the stack. An interrupt leaves Node's stack of async contexts as it is, and Node
  // ends the process when it finds that stack wrong, at the end of a callback scope. So after an
  // interrupt JavaScript mends it, before the scope ends. The scope has a context of its own, since
  // a store that an interrupted AsyncLocalStorage left behind stays in it.
  void RunDeferred() {
    has_deferred_ = false;
    napi_value name, resource, result;
    napi_async_context context;
    napi_callback_scope scope;
    if (napi_create_string_utf8(env_, "telar.task", NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_create_object(env_, &resource) != napi_ok ||
        napi_async_init(env_, resource, name, &context) != napi_ok) {
      return;
    }
    if (napi_open_callback_scope(env_, resource, context, &scope) == napi_ok) {
      for (bool again = true, was_hit = false; again;) {
        was_recovered_ = !was_hit;
        if (CallRunDeferred(was_hit, &result) == napi_ok) {
          was_hit = false;
          napi_get_value_bool(env_, result, &again);
        } else {
          ClearException();
          was_hit = true;
          again = was_recovered_;  // else JavaScript cannot run: the thread ends
        }
      }
      napi_close_callback_scope(env_, scope);
    }
    napi_async_destroy(env_, context);
  }

  napi_status CallRunDeferred(bool was_hit, napi_value* result) {
    napi_value function, receiver, argument;
    if (napi_get_reference_value(env_, run_deferred_, &function) != napi_ok ||
        napi_get_undefined(env_, &receiver) != napi_ok ||
        napi_get_boolean(env_, was_hit, &argument) != napi_ok) {
      return napi_generic_failure;
    }
    return napi_call_function(env_, receiver, function, 1, &argument, result);
  }

  void ClearException() {
    bool pending = false;
    napi_value exception;
    if (napi_is_exception_pending(env_, &pending) == napi_ok && pending) {
      napi_get_and_clear_last_exception(env_, &exception);
    }
  }

  napi_env env_;
  std::shared_ptr<Pool> pool_;
  uint32_t index_ = 0;
  int32_t claimed_ = -1;
  Doorbell* bell_ = nullptr;
  napi_ref pump_ = nullptr;
  napi_ref run_deferred_ = nullptr;
  bool has_deferred_ = false;
  bool was_recovered_ = false;  // since the last interrupt, JavaScript has run
};

// next(done or -1) -> slot, or a negative number: stop
napi_value Next(napi_env env, napi_callback_info info) {
  Call<Worker, 1> call(env, info);
  return call.Return(call.self->Next(call.Uint32(0)));
}

// claimed() -> what next() returned last
napi_value Claimed(napi_env env, napi_callback_info info) {
  Call<Worker, 0> call(env, info);
  return call.Return(call.self->claimed());
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

// setRunDeferred(function): what runs a deferred task, and returns whether to call it again. After
// an interrupt it is called with true, and calls windowWasHit().
napi_value SetRunDeferred(napi_env env, napi_callback_info info) {
  Call<Worker, 1> call(env, info);
  call.self->SetRunDeferred(call.argument[0]);
  return nullptr;
}

// defer(): runs a deferred task in the next turn of the event loop
napi_value Defer(napi_env env, napi_callback_info info) {
  Call<Worker, 0> call(env, info);
  call.self->Defer();
  return nullptr;
}

// isAlone(): whether this worker holds one task
napi_value IsAlone(napi_env env, napi_callback_info info) {
  Call<Worker, 0> call(env, info);
  return call.Return(telar_sched_worker_running(call.self->sched(), call.self->index()) == 1);
}

// isStopped(slot): whether the owner has stopped a task that this worker holds
napi_value IsStopped(napi_env env, napi_callback_info info) {
  Call<Worker, 1> call(env, info);
  return call.Return(
      telar_sched_is_stopped(call.self->sched(), call.self->index(), call.Uint32(0)));
}

// openWindow(slot) -> false: the task was stopped and must not run
napi_value OpenWindow(napi_env env, napi_callback_info info) {
  Call<Worker, 1> call(env, info);
  uint32_t slot = call.Uint32(0);
  telar_sched* sched = call.self->sched();
  uint32_t index = call.self->index();
  return call.Return(telar_sched_holds(sched, index, slot) &&
                     telar_sched_window_open(sched, index, slot));
}

// reopenWindow(slot): for what the task has left
napi_value ReopenWindow(napi_env env, napi_callback_info info) {
  Call<Worker, 1> call(env, info);
  telar_sched_window_reopen(call.self->sched(), call.self->index(), call.Uint32(0));
  return nullptr;
}

// closeWindow(slot) -> kWindow…
napi_value CloseWindow(napi_env env, napi_callback_info info) {
  Call<Worker, 1> call(env, info);
  telar_window window =
      telar_sched_window_close(call.self->sched(), call.self->index(), call.Uint32(0));
  return call.Return(static_cast<int32_t>(window));
}

// windowWasHit(): the interrupt has come
napi_value WindowWasHit(napi_env env, napi_callback_info info) {
  Call<Worker, 0> call(env, info);
  call.self->WindowWasHit();
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

// gone(): the worker has left, and its thread may be ended
napi_value Gone(napi_env env, napi_callback_info info) {
  Call<Worker, 0> call(env, info);
  telar_sched_worker_set_gone(call.self->sched(), call.self->index());
  return nullptr;
}

// notifyOwner(): onDone is called in the next turn of the owner's event loop
napi_value NotifyOwner(napi_env env, napi_callback_info info) {
  Call<Worker, 0> call(env, info);
  telar_sched_notify(call.self->sched(), TELAR_SCHED_NONE);
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
  Bind(env, api, "claimed", Claimed, worker);
  Bind(env, api, "resume", Resume, worker);
  Bind(env, api, "complete", Complete, worker);
  Bind(env, api, "setRunDeferred", SetRunDeferred, worker);
  Bind(env, api, "defer", Defer, worker);
  Bind(env, api, "isAlone", IsAlone, worker);
  Bind(env, api, "isStopped", IsStopped, worker);
  Bind(env, api, "openWindow", OpenWindow, worker);
  Bind(env, api, "reopenWindow", ReopenWindow, worker);
  Bind(env, api, "closeWindow", CloseWindow, worker);
  Bind(env, api, "windowWasHit", WindowWasHit, worker);
  Bind(env, api, "fatal", Fatal, worker);
  Bind(env, api, "ready", Ready, worker);
  Bind(env, api, "gone", Gone, worker);
  Bind(env, api, "notifyOwner", NotifyOwner, worker);
  Bind(env, api, "allocate", Allocate, worker);
  Bind(env, api, "release", Release, worker);
  worker->Release();
  return api;
}

}  // namespace telar
