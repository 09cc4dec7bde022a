#include "owner.h"

#include <memory>

#include "call.h"
#include "os/os.h"
#include "owner_object.h"
#include "pool.h"
#include "typed_array.h"

namespace telar {

namespace {

napi_value Fail(napi_env env, telar_status status) {
  napi_throw_error(env, "ERR_TELAR_NATIVE", telar_status_message(status));
  return nullptr;
}

// submit(slot)
napi_value Submit(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return Fail(env, TELAR_CLOSED);
  telar_status status = telar_sched_submit(sched, call.Uint32(0), false, 0);
  if (status != TELAR_OK) return Fail(env, status);
  call.self->UpdateRef();
  return nullptr;
}

// submitAwake(slot): as submit; the owner will poll, so workers need not ring
napi_value SubmitAwake(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  if (call.self->sched() != nullptr) telar_sched_owner_awake(call.self->sched());
  return Submit(env, info);
}

// submitTask(slot, waitedMs, isAwake): submits a task that can be cancelled and has waited in
// JavaScript for waitedMs; isAwake: as in submitAwake
napi_value SubmitTask(napi_env env, napi_callback_info info) {
  Call<Owner, 3> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return Fail(env, TELAR_CLOSED);
  if (call.Bool(2)) telar_sched_owner_awake(sched);
  uint64_t waited = static_cast<uint64_t>(call.Double(1) * 1e6);
  telar_status status = telar_sched_submit(sched, call.Uint32(0), true, telar_os_now_ns() - waited);
  if (status != TELAR_OK) return Fail(env, status);
  call.self->UpdateRef();
  return nullptr;
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

// submitTo(slot, worker, places, waitedMs): places is the result of reserve()
napi_value SubmitTo(napi_env env, napi_callback_info info) {
  Call<Owner, 4> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return Fail(env, TELAR_CLOSED);
  uint64_t waited = static_cast<uint64_t>(call.Double(3) * 1e6);
  telar_status status = telar_sched_submit_to(sched, call.Uint32(0), call.Uint32(1), call.Uint32(2),
                                              telar_os_now_ns() - waited);
  if (status != TELAR_OK) return Fail(env, status);
  call.self->UpdateRef();
  return nullptr;
}

// poll(spinNs) -> number of finished slots in the batch. 0: the bell rings for the next one.
napi_value Poll(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return call.Return(0u);
  uint32_t spin = call.Uint32(0);
  uint32_t count;
  do {
    count = telar_sched_poll(sched, call.self->batch(), call.self->batch_length(), spin);
  } while (count == 0 && !telar_sched_owner_sleep(sched));
  call.self->UpdateRef();
  return call.Return(count);
}

// ring(): onDone is called in the next turn of the event loop
napi_value Ring(napi_env env, napi_callback_info info) {
  Call<Owner, 0> call(env, info);
  call.self->Ring();
  return nullptr;
}

// setRef(boolean): whether to keep the process alive for tasks that wait in JavaScript
napi_value SetRef(napi_env env, napi_callback_info info) {
  Call<Owner, 1> call(env, info);
  call.self->SetRef(call.Bool(0));
  return nullptr;
}

// cancel(slot, closes) -> kCancelFinished, kCancelQueued (taken out of the queue), or the worker
// that runs it. closes: the worker that has the slot in its lane and ends together with it, or -1
napi_value Cancel(napi_env env, napi_callback_info info) {
  Call<Owner, 2> call(env, info);
  telar_sched* sched = call.self->sched();
  if (sched == nullptr) return call.Return(kCancelFinished);
  uint32_t worker;
  switch (telar_sched_cancel_closing(sched, call.Uint32(0), call.Uint32(1), &worker)) {
    case TELAR_CANCEL_QUEUED:
      return call.Return(kCancelQueued);
    case TELAR_CANCEL_RUNNING:
      return call.Return(static_cast<int32_t>(worker));
    default:
      return call.Return(kCancelFinished);
  }
}

// addWorker() -> index, or -1 if the table is full
napi_value AddWorker(napi_env env, napi_callback_info info) {
  Call<Owner, 0> call(env, info);
  telar_sched* sched = call.self->sched();
  uint32_t worker;
  if (sched == nullptr || telar_sched_worker_add(sched, &worker) != TELAR_OK) {
    return call.Return(-1);
  }
  return call.Return(static_cast<int32_t>(worker));
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
  Bind(env, api, "reserve", Reserve, owner);
  Bind(env, api, "unreserve", Unreserve, owner);
  Bind(env, api, "submitTo", SubmitTo, owner);
  Bind(env, api, "poll", Poll, owner);
  Bind(env, api, "ring", Ring, owner);
  Bind(env, api, "setRef", SetRef, owner);
  Bind(env, api, "cancel", Cancel, owner);
  Bind(env, api, "addWorker", AddWorker, owner);
  Bind(env, api, "closeIdle", CloseIdle, owner);
  Bind(env, api, "closeWorker", CloseWorker, owner);
  Bind(env, api, "retireWorker", RetireWorker, owner);
  Bind(env, api, "withdraw", Withdraw, owner);
  Bind(env, api, "readyLength", ReadyLength, owner);
  Bind(env, api, "workerUsage", WorkerUsage, owner);
  Bind(env, api, "workerReady", WorkerReady, owner);
  Bind(env, api, "workerCompleted", WorkerCompleted, owner);
  Bind(env, api, "allocate", Allocate, owner);
  Bind(env, api, "release", Release, owner);
  Bind(env, api, "histogram", Histogram, owner);
  Bind(env, api, "resetHistogram", ResetHistogram, owner);
  Bind(env, api, "close", Close, owner);
  owner->Release();  // the functions hold references now
  return api;
}

}  // namespace telar
