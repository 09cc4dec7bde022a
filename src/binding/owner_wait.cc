#include "owner_wait.h"

#include "call.h"
#include "owner_object.h"

namespace telar {

namespace {

// wait(spins, sleepMs) -> number of finished slots in the batch. If there is none, spins for a
// while, if that is asked for and has paid before, and then blocks the thread until the bell rings,
// or for about sleepMs. Afterwards the bell does not ring by itself: call it again, or ring().
napi_value Wait(napi_env env, napi_callback_info info) {
  Call<Owner, 2> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return call.Return(0u);
  uint32_t* batch = call.self->batch();
  uint32_t length = call.self->batch_length();
  uint32_t sleep = call.Uint32(1);
  telar_sched_owner_awake(sched);
  uint32_t count = call.Bool(0) ? telar_sched_await(sched, batch, length)
                                : telar_sched_poll(sched, batch, length, 0);
  if (count == 0 && sleep != 0) {
    if (telar_sched_owner_sleep(sched)) {
      call.self->Sleep(telar_sched_owner_looks_again(sched) ? 1 : sleep);
    }
    telar_sched_owner_awake(sched);
    count = telar_sched_poll(sched, batch, length, 0);
  }
  call.self->UpdateRef();
  return call.Return(count);
}

// workerState(worker) -> 0: its thread has not attached yet; 1: it has; 2: it will never call the
// scheduler again
napi_value WorkerState(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  Pool* pool = call.self->pool();
  return call.Return(pool == nullptr ? 0u : pool->StateOf(call.Uint32(0)));
}

}  // namespace

void BindWait(napi_env env, napi_value api, Owner* owner) {
  Bind(env, api, "wait", Wait, owner);
  Bind(env, api, "workerState", WorkerState, owner);
}

}  // namespace telar
