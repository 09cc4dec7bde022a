#include "owner_limits.h"

#include <cmath>

#include "call.h"
#include "os/os.h"
#include "owner.h"
#include "owner_object.h"
#include "pool.h"

namespace telar {

namespace {

// What cancel() and tell() return.
int32_t CancelAnswer(telar_cancel_result result, uint32_t worker) {
  if (result == TELAR_CANCEL_QUEUED) return kCancelQueued;
  return result == TELAR_CANCEL_RUNNING ? static_cast<int32_t>(worker) : kCancelFinished;
}

// cancel(slot, closes) -> kCancelFinished, kCancelQueued (taken out of the queue), or the worker
// that runs it. closes: the worker that has the slot in its lane and ends together with it, or -1
napi_value Cancel(napi_env env, napi_callback_info info) {
  Call<Owner, 2> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return call.Return(kCancelFinished);
  uint32_t worker;
  telar_cancel_result result =
      telar_sched_cancel_closing(sched, call.Uint32(0), call.Uint32(1), &worker);
  return call.Return(CancelAnswer(result, worker));
}

// cancelQueued(slot) -> whether it was taken out of the queue; false: a worker has it
napi_value CancelQueued(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  return call.Return(sched != nullptr && telar_sched_cancel_queued(sched, call.Uint32(0)));
}

// cancelRouted(slot) -> true if it has a key or is for a certain worker, and was taken out
napi_value CancelRouted(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  return call.Return(sched != nullptr && telar_sched_cancel_routed(sched, call.Uint32(0)));
}

// tell(slot, graceMs) -> as cancel(); the worker that runs it lives on. graceMs: after that time
// overdue() lists the slot; Infinity: never
napi_value Tell(napi_env env, napi_callback_info info) {
  Call<Owner, 2> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return call.Return(kCancelFinished);
  uint32_t worker;
  telar_cancel_result result =
      telar_sched_tell(sched, call.Uint32(0), call.Nanoseconds(1, UINT64_MAX), &worker);
  return call.Return(CancelAnswer(result, worker));
}

// setGrace(slot, graceMs): as in tell(), for a task that was told, from now on
napi_value SetGrace(napi_env env, napi_callback_info info) {
  Call<Owner, 2> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched != nullptr) {
    telar_sched_limit_grace(sched, call.Uint32(0), call.Nanoseconds(1, UINT64_MAX));
  }
  return nullptr;
}

// stop(slot, graceMs, mayHit) -> kCancelFinished, kStopNoted (its worker drops it by itself), or
// the worker that has to be interrupted. mayHit: that is possible. graceMs: as for tell()
napi_value Stop(napi_env env, napi_callback_info info) {
  Call<Owner, 3> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return call.Return(kCancelFinished);
  uint32_t worker;
  telar_stop_result result = telar_sched_stop(sched, call.Uint32(0), call.Bool(2),
                                              call.Nanoseconds(1, UINT64_MAX), &worker);
  if (result == TELAR_STOP_OVER) return call.Return(kCancelFinished);
  return call.Return(result == TELAR_STOP_NOTED ? kStopNoted : static_cast<int32_t>(worker));
}

// stopAgain(slot) -> the worker to interrupt once more; kStopNoted: there is nothing to interrupt
napi_value StopAgain(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  uint32_t worker = 0;
  bool hits = sched != nullptr && telar_sched_stop_again(sched, call.Uint32(0), &worker);
  return call.Return(hits ? static_cast<int32_t>(worker) : kStopNoted);
}

// interruptSpent(slot, worker): the worker has answered the interrupt for that task
napi_value InterruptSpent(napi_env env, napi_callback_info info) {
  Call<Owner, 2> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched != nullptr) telar_sched_interrupt_spent(sched, call.Uint32(1), call.Uint32(0));
  return nullptr;
}

// setLimits(queueMs, runMs): those of the tasks that are submitted with limits from now on;
// Infinity: none
napi_value SetLimits(napi_env env, napi_callback_info info) {
  Call<Owner, 2> call(env, info);
  call.self->SetLimits(call.Nanoseconds(0, 0), call.Nanoseconds(1, 0));
  return nullptr;
}

// submitLimited(slot, isAwake): as submitTask, for a task that has not waited and has limits
napi_value SubmitLimited(napi_env env, napi_callback_info info) {
  Call<Owner, 2> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return Fail(env, TELAR_CLOSED);
  if (call.Bool(1)) telar_sched_owner_awake(sched);
  uint32_t slot = call.Uint32(0);
  call.self->Limit(slot);
  return call.self->Submitted(telar_sched_submit(sched, slot, true, 0));
}

// overdue() -> { count, waitMs }: number of slots that are over a limit, in the batch as pairs of a
// slot and a kLimit…; after what time to call again, Infinity if there are no other limits
napi_value Overdue(napi_env env, napi_callback_info info) {
  Call<Owner, 0> call(env, info);
  telar_sched* sched = call.self->sched();
  static_assert(sizeof(telar_sched_late) == 2 * sizeof(uint32_t), "pairs of words");
  uint64_t wait = UINT64_MAX;
  uint32_t count = 0;
  if (sched != nullptr) {
    count = telar_sched_overdue(sched, reinterpret_cast<telar_sched_late*>(call.self->batch()),
                                call.self->batch_length() / 2, &wait);
  }
  napi_value late = nullptr;
  napi_create_object(env, &late);
  Define(env, late, "count", call.Return(count));
  Define(env, late, "waitMs", call.Return(wait == UINT64_MAX ? HUGE_VAL : wait / kNsPerMs));
  return late;
}

}  // namespace

void BindLimits(napi_env env, napi_value api, Owner* owner) {
  Bind(env, api, "cancel", Cancel, owner);
  Bind(env, api, "cancelQueued", CancelQueued, owner);
  Bind(env, api, "cancelRouted", CancelRouted, owner);
  Bind(env, api, "tell", Tell, owner);
  Bind(env, api, "setGrace", SetGrace, owner);
  Bind(env, api, "stop", Stop, owner);
  Bind(env, api, "stopAgain", StopAgain, owner);
  Bind(env, api, "interruptSpent", InterruptSpent, owner);
  Bind(env, api, "setLimits", SetLimits, owner);
  Bind(env, api, "submitLimited", SubmitLimited, owner);
  Bind(env, api, "overdue", Overdue, owner);
}

}  // namespace telar
