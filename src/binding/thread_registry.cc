#include "thread_registry.h"

#include <cstdlib>
#include <mutex>
#include <unordered_set>

#include "call.h"
#include "core/cacheline.h"

namespace telar {

namespace {

// A thread has one number, however many environments load the library in it.
struct Membership {
  uint32_t number = 0;
  uint32_t environments = 0;
};
thread_local Membership membership;

struct Watchers {
  std::mutex lock;
  std::unordered_set<Doorbell*> bells;
};

// Never destroyed: other threads may still run while the process exits.
Watchers& ThreadEndWatchers() {
  static Watchers* watchers = new Watchers();
  return *watchers;
}

void LeaveThread(void* load) {
  delete static_cast<char*>(load);
  if (--membership.environments > 0) return;
  telar_thread_registry_leave(ThreadRegistry(), membership.number);
  membership.number = 0;
  // Other threads may wait for something that this thread was to do: they have to check by
  // themselves now.
  std::lock_guard<std::mutex> guard(ThreadEndWatchers().lock);
  for (Doorbell* bell : ThreadEndWatchers().bells) bell->Ring();
}

telar_thread_registry* MakeThreadRegistry() {
  alignas(TELAR_CACHELINE) static unsigned char
      memory[TELAR_CACHELINE * 2 + TELAR_THREAD_REGISTRY_PLACES_MAX * sizeof(uint32_t)];
  telar_thread_registry* registry = nullptr;
  if (telar_thread_registry_size(TELAR_THREAD_REGISTRY_PLACES_MAX) > sizeof memory ||
      telar_thread_registry_init(memory, TELAR_THREAD_REGISTRY_PLACES_MAX, &registry) != TELAR_OK) {
    std::abort();  // the size above is wrong
  }
  return registry;
}

}  // namespace

telar_thread_registry* ThreadRegistry() {
  static telar_thread_registry* registry = MakeThreadRegistry();
  return registry;
}

uint32_t EnterThread(napi_env env) {
  if (membership.environments == 0 &&
      telar_thread_registry_enter(ThreadRegistry(), &membership.number) != TELAR_OK) {
    napi_throw_error(env, "ERR_TELAR_NATIVE",
                     "too many threads use telar: 16384 at a time is the limit");
    return 0;
  }
  membership.environments++;
  // Node does not accept two hooks with the same function and argument.
  napi_add_env_cleanup_hook(env, LeaveThread, new char());
  return membership.number;
}

uint32_t CurrentThread() { return membership.number; }

void WatchThreadEnds(Doorbell* bell) {
  std::lock_guard<std::mutex> guard(ThreadEndWatchers().lock);
  if (ThreadEndWatchers().bells.insert(bell).second) bell->AddReference();
}

void UnwatchThreadEnds(Doorbell* bell) {
  {
    std::lock_guard<std::mutex> guard(ThreadEndWatchers().lock);
    if (ThreadEndWatchers().bells.erase(bell) == 0) return;
  }
  bell->Release();
}

napi_value CountEndedThreads(napi_env env, napi_callback_info info) {
  Call<void, 0> call(env, info);
  return call.Return(telar_thread_registry_left(ThreadRegistry()));
}

napi_value IsThreadAlive(napi_env env, napi_callback_info info) {
  Call<void, 1> call(env, info);
  return call.Return(telar_thread_registry_check(ThreadRegistry(), call.Uint32(0)) == TELAR_OK);
}

napi_value WasThread(napi_env env, napi_callback_info info) {
  Call<void, 1> call(env, info);
  return call.Return(telar_thread_registry_check(ThreadRegistry(), call.Uint32(0)) !=
                     TELAR_INVALID);
}

}  // namespace telar
