#include "owner.h"

#include <memory>

#include "call.h"
#include "os/os.h"
#include "owner_limits.h"
#include "owner_object.h"
#include "owner_wait.h"
#include "pool.h"
#include "typed_array.h"

namespace telar {

namespace {

// submit(slot)
napi_value Submit(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return Fail(env, TELAR_CLOSED);
  return call.self->Submitted(telar_sched_submit(sched, call.Uint32(0), false, 0));
}

// submitAwake(slot): as submit; the owner will poll, so workers need not ring
napi_value SubmitAwake(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  if (call.self->sched() != nullptr) telar_sched_owner_awake(call.self->sched());
  return Submit(env, info);
}

// submitTask(slot, createdMs, isAwake, isLimited): submits a task that can be cancelled and may
// have waited in JavaScript; createdMs: on the clock of now() (alarm.h); isAwake: as in
// submitAwake; isLimited: with the limits that setLimits() has set
napi_value SubmitTask(napi_env env, napi_callback_info info) {
  Call<Owner, 4> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return Fail(env, TELAR_CLOSED);
  if (call.Bool(2)) telar_sched_owner_awake(sched);
  if (call.Bool(3)) call.self->Limit(call.Uint32(0));
  return call.self->Submitted(
      telar_sched_submit(sched, call.Uint32(0), true, Nanoseconds(call.Double(1))));
}

// submitRouted(slot, priority, key or -1, isAwake): submits a task without other options; isAwake:
// as in submitAwake
napi_value SubmitRouted(napi_env env, napi_callback_info info) {
  Call<Owner, 4> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return Fail(env, TELAR_CLOSED);
  if (call.Bool(3)) telar_sched_owner_awake(sched);
  const telar_sched_route route = {call.Int32(1), call.Uint32(2), TELAR_SCHED_NONE,
                                   TELAR_LANE_SHARED};
  bool has_key = route.key != TELAR_SCHED_NONE;
  return call.self->Submitted(telar_sched_submit_routed(sched, call.Uint32(0), &route, has_key, 0));
}

// submitTaskRouted(slot, createdMs, isAwake, isLimited, priority, key or -1, worker or -1, mode):
// as submitTask. mode: kLaneShared, or kLaneExclusive with a key or a worker
napi_value SubmitTaskRouted(napi_env env, napi_callback_info info) {
  Call<Owner, 8> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return Fail(env, TELAR_CLOSED);
  if (call.Bool(2)) telar_sched_owner_awake(sched);
  if (call.Bool(3)) call.self->Limit(call.Uint32(0));
  const telar_sched_route route = {call.Int32(4), call.Uint32(5), call.Uint32(6),
                                   static_cast<telar_lane_mode>(call.Uint32(7))};
  return call.self->Submitted(
      telar_sched_submit_routed(sched, call.Uint32(0), &route, true, Nanoseconds(call.Double(1))));
}

// resubmit(slot, isLimited): submits a slot that came back unclaimed again, for any worker;
// isLimited: as in submitTask
napi_value Resubmit(napi_env env, napi_callback_info info) {
  Call<Owner, 2> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return Fail(env, TELAR_CLOSED);
  if (call.Bool(1)) call.self->Limit(call.Uint32(0));
  return call.self->Submitted(telar_sched_resubmit(sched, call.Uint32(0)));
}

// holdKey(key) -> the worker of the key, for a task that will be submitted with both; -1: there is
// no worker
napi_value HoldKey(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return call.Return(-1);
  return call.Return(static_cast<int32_t>(telar_sched_hold_key(sched, call.Uint32(0))));
}

// releaseKey(key): the task does not come
napi_value ReleaseKey(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  if (call.self->sched() != nullptr) telar_sched_release_key(call.self->sched(), call.Uint32(0));
  return nullptr;
}

// pickWorker() -> the worker with the fewest tasks, or -1
napi_value PickWorker(napi_env env, napi_callback_info info) {
  Call<Owner, 0> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return call.Return(-1);
  return call.Return(static_cast<int32_t>(telar_sched_pick_worker(sched)));
}

// pickAhead() -> a worker to bind a task to although no place is free, or -1
napi_value PickAhead(napi_env env, napi_callback_info info) {
  Call<Owner, 0> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return call.Return(-1);
  return call.Return(static_cast<int32_t>(telar_sched_pick_ahead(sched)));
}

// reserve(worker, mode) -> number of places reserved for a task that will enter its lane; 0: none
// free
napi_value Reserve(napi_env env, napi_callback_info info) {
  Call<Owner, 2> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return Fail(env, TELAR_CLOSED);
  uint32_t places = 0;
  telar_status status = telar_sched_reserve(sched, call.Uint32(0),
                                            static_cast<telar_lane_mode>(call.Uint32(1)), &places);
  if (status != TELAR_OK && status != TELAR_BUSY) return Fail(env, status);
  return call.Return(places);
}

// unreserve(worker, places): the task does not come
napi_value Unreserve(napi_env env, napi_callback_info info) {
  Call<Owner, 2> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched != nullptr) telar_sched_unreserve(sched, call.Uint32(0), call.Uint32(1));
  return nullptr;
}

// submitTo(slot, worker, places, createdMs, isLimited): places is the result of reserve()
napi_value SubmitTo(napi_env env, napi_callback_info info) {
  Call<Owner, 5> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return Fail(env, TELAR_CLOSED);
  if (call.Bool(4)) call.self->Limit(call.Uint32(0));
  return call.self->Submitted(telar_sched_submit_to(sched, call.Uint32(0), call.Uint32(1),
                                                    call.Uint32(2), Nanoseconds(call.Double(3))));
}

// poll(waits) -> number of finished slots in the batch. 0: the bell rings for the next one. waits:
// spins for them, if that is cheaper than to be woken
napi_value Poll(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return call.Return(0u);
  return call.Return(call.self->Poll(call.Bool(0) ? telar_sched_spin_ns(sched) : 0));
}

// ring(): onDone is called in the next turn of the event loop
napi_value Ring(napi_env env, napi_callback_info info) {
  Call<Owner, 0> call(env, info);
  call.self->Ring();
  return nullptr;
}

// notifyWorker(worker): its pump is called in the next turn of its event loop
napi_value NotifyWorker(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  if (call.self->sched() != nullptr) telar_sched_notify(call.self->sched(), call.Uint32(0));
  return nullptr;
}

// addWorker() -> index; throws if the table is full or there is no memory
napi_value AddWorker(napi_env env, napi_callback_info info) {
  Call<Owner, 0> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return Fail(env, TELAR_CLOSED);
  uint32_t worker;
  telar_status status = telar_sched_worker_add(sched, &worker);
  if (status != TELAR_OK) return Fail(env, status);
  return call.Return(static_cast<int32_t>(worker));
}

// leaveWorker(worker): it finishes its tasks and those in its lane, and claims no others
napi_value LeaveWorker(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  if (call.self->sched() != nullptr) telar_sched_worker_leave(call.self->sched(), call.Uint32(0));
  return nullptr;
}

// workerGone(worker) -> whether it has left and its thread may be ended
napi_value WorkerGone(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  return call.Return(sched != nullptr && telar_sched_worker_is_gone(sched, call.Uint32(0)));
}

// closeIdle(worker) -> false: it is busy
napi_value CloseIdle(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  return call.Return(sched != nullptr && telar_sched_worker_close_idle(sched, call.Uint32(0)));
}

// closeWorker(worker)
napi_value CloseWorker(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  if (call.self->sched() != nullptr) telar_sched_worker_close(call.self->sched(), call.Uint32(0));
  return nullptr;
}

// retireWorker(worker) -> { count, claimed }: number of slots that it left, in the batch, claimed
// ones first; call it again while the batch is full
napi_value RetireWorker(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  uint32_t claimed = 0;
  uint32_t count = 0;
  if (sched != nullptr) {
    uint32_t worker = call.Uint32(0);
    count = telar_sched_worker_retire(sched, worker, call.self->batch(), call.self->batch_length(),
                                      &claimed);
    if (count < call.self->batch_length()) call.self->pool()->SetBell(worker, nullptr);
    call.self->UpdateRef();
  }
  napi_value left = nullptr;
  napi_create_object(env, &left);
  Define(env, left, "count", call.Return(count));
  Define(env, left, "claimed", call.Return(claimed));
  return left;
}

// withdraw() -> number of unclaimed slots taken back, in the batch
napi_value Withdraw(napi_env env, napi_callback_info info) {
  Call<Owner, 0> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return call.Return(0u);
  uint32_t count = telar_sched_withdraw(sched, call.self->batch(), call.self->batch_length());
  call.self->UpdateRef();
  return call.Return(count);
}

// readyLength(watch) -> number of slots that no worker has claimed; watch: ring at the next claim
napi_value ReadyLength(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return call.Return(0u);
  if (call.Bool(0)) telar_sched_watch_claims(sched);
  return call.Return(telar_sched_ready_length(sched));
}

// workerUsage(worker) -> number of places taken
napi_value WorkerUsage(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  return call.Return(sched == nullptr ? 0u : telar_sched_worker_usage(sched, call.Uint32(0)));
}

// workerRunning(worker) -> number of tasks that it runs
napi_value WorkerRunning(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  return call.Return(sched == nullptr ? 0u : telar_sched_worker_running(sched, call.Uint32(0)));
}

// workerReady(worker) -> whether its task file is loaded
napi_value WorkerReady(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  return call.Return(sched != nullptr && telar_sched_worker_is_ready(sched, call.Uint32(0)));
}

// workerCompleted(worker) -> number of tasks
napi_value WorkerCompleted(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  return call.Return(
      sched == nullptr ? 0.0
                       : static_cast<double>(telar_sched_worker_completed(sched, call.Uint32(0))));
}

// claimedBy(slot) -> the worker that runs the task of the slot, or -1
napi_value ClaimedBy(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  uint32_t worker =
      sched == nullptr ? TELAR_SCHED_NONE : telar_sched_claimed_by(sched, call.Uint32(0));
  return call.Return(static_cast<int32_t>(worker));
}

// sinceClaim(slot) -> milliseconds since a worker claimed the slot
napi_value SinceClaim(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return call.Return(0.0);
  uint64_t now = telar_os_now_ns();
  uint64_t started = telar_sched_started_ns(sched, call.Uint32(0));
  bool is_known = started != 0 && now > started;  // 0: a worker is about to write it
  return call.Return(is_known ? static_cast<double>(now - started) / kNsPerMs : 0.0);
}

// allocate(slot, bytes) -> offset of a payload block, or -1
napi_value Allocate(napi_env env, napi_callback_info info) {
  Call<Owner, 2> call(env, info);
  uint64_t offset, capacity;
  if (call.self->sched() == nullptr ||
      telar_sched_block_alloc(call.self->sched(), call.Uint32(0), TELAR_SCHED_NONE,
                              static_cast<uint64_t>(call.Double(1)), &offset,
                              &capacity) != TELAR_OK) {
    return call.Return(-1);
  }
  return call.Return(static_cast<double>(offset));
}

// release(slot): frees its payload block
napi_value Release(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  if (call.self->sched() != nullptr) {
    telar_sched_block_free(call.self->sched(), call.Uint32(0), TELAR_SCHED_NONE);
  }
  return nullptr;
}

// histogram(metric, worker or -1, figures: Float64Array): stores count, min, max, mean and stddev
// in figures, and replaces each further element, a percentile, by its value. Times are in
// nanoseconds.
napi_value Histogram(napi_env env, napi_callback_info info) {
  Call<Owner, 3> call(env, info);
  telar_sched* sched = call.self->sched();
  double* figures = nullptr;
  size_t length = 0;
  if (sched == nullptr) return Fail(env, TELAR_CLOSED);
  if (!ReadTypedArray(env, call.argument[2], napi_float64_array, &figures, &length) || length < 5) {
    return Fail(env, TELAR_INVALID);
  }
  std::unique_ptr<telar_histogram_snapshot> snapshot(new telar_histogram_snapshot());
  telar_sched_histogram(sched, static_cast<telar_sched_metric>(call.Uint32(0)), call.Uint32(1),
                        snapshot.get());
  figures[0] = static_cast<double>(telar_histogram_count(snapshot.get()));
  figures[1] = static_cast<double>(telar_histogram_min(snapshot.get()));
  figures[2] = static_cast<double>(telar_histogram_max(snapshot.get()));
  figures[3] = telar_histogram_mean(snapshot.get());
  figures[4] = telar_histogram_stddev(snapshot.get());
  for (size_t i = 5; i < length; i++) {
    figures[i] = static_cast<double>(telar_histogram_percentile(snapshot.get(), figures[i]));
  }
  return nullptr;
}

// resetHistogram(metric)
napi_value ResetHistogram(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  if (call.self->sched() != nullptr) {
    telar_sched_histogram_reset(call.self->sched(),
                                static_cast<telar_sched_metric>(call.Uint32(0)));
  }
  return nullptr;
}

// close(): ends the owner's use of the pool; workers that are still attached keep its memory
napi_value Close(napi_env env, napi_callback_info info) {
  Call<Owner, 0> call(env, info);
  call.self->Close();
  return nullptr;
}

}  // namespace

napi_value CreatePool(napi_env env, napi_callback_info info) {
  Call<void, 8> call(env, info);
  PoolConfig config;
  config.slots = call.Uint32(2);
  config.workers = call.Uint32(3);
  config.concurrency = call.Uint32(4);
  config.timing = call.Bool(5);
  config.region_offset = static_cast<uint64_t>(call.Double(6));
  config.region_bytes = static_cast<uint64_t>(call.Double(7));

  Owner* owner = new Owner(env);
  napi_value api = nullptr;
  if (!owner->Open(config, call.argument[0], call.argument[1]) ||
      napi_create_object(env, &api) != napi_ok) {
    owner->Release();
    return nullptr;
  }
  Define(env, api, "id", call.Return(owner->pool()->id()));
  Bind(env, api, "submit", Submit, owner);
  Bind(env, api, "submitAwake", SubmitAwake, owner);
  Bind(env, api, "submitTask", SubmitTask, owner);
  Bind(env, api, "submitRouted", SubmitRouted, owner);
  Bind(env, api, "submitTaskRouted", SubmitTaskRouted, owner);
  Bind(env, api, "resubmit", Resubmit, owner);
  Bind(env, api, "holdKey", HoldKey, owner);
  Bind(env, api, "releaseKey", ReleaseKey, owner);
  Bind(env, api, "pickWorker", PickWorker, owner);
  Bind(env, api, "pickAhead", PickAhead, owner);
  Bind(env, api, "reserve", Reserve, owner);
  Bind(env, api, "unreserve", Unreserve, owner);
  Bind(env, api, "submitTo", SubmitTo, owner);
  BindLimits(env, api, owner);
  BindWait(env, api, owner);
  Bind(env, api, "poll", Poll, owner);
  Bind(env, api, "ring", Ring, owner);
  Bind(env, api, "notifyWorker", NotifyWorker, owner);
  Bind(env, api, "addWorker", AddWorker, owner);
  Bind(env, api, "leaveWorker", LeaveWorker, owner);
  Bind(env, api, "workerGone", WorkerGone, owner);
  Bind(env, api, "closeIdle", CloseIdle, owner);
  Bind(env, api, "closeWorker", CloseWorker, owner);
  Bind(env, api, "retireWorker", RetireWorker, owner);
  Bind(env, api, "withdraw", Withdraw, owner);
  Bind(env, api, "readyLength", ReadyLength, owner);
  Bind(env, api, "workerUsage", WorkerUsage, owner);
  Bind(env, api, "workerRunning", WorkerRunning, owner);
  Bind(env, api, "workerReady", WorkerReady, owner);
  Bind(env, api, "workerCompleted", WorkerCompleted, owner);
  Bind(env, api, "claimedBy", ClaimedBy, owner);
  Bind(env, api, "sinceClaim", SinceClaim, owner);
  Bind(env, api, "allocate", Allocate, owner);
  Bind(env, api, "release", Release, owner);
  Bind(env, api, "histogram", Histogram, owner);
  Bind(env, api, "resetHistogram", ResetHistogram, owner);
  Bind(env, api, "close", Close, owner);
  owner->Release();  // the functions hold references now
  return api;
}

}  // namespace telar
