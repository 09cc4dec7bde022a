// thread_registry.h - the threads of this process that have loaded the library, by number.
#ifndef TELAR_BINDING_THREAD_REGISTRY_H
#define TELAR_BINDING_THREAD_REGISTRY_H

#include <node_api.h>

#include "core/thread_registry.h"
#include "doorbell.h"

namespace telar {

// One for the whole process, made by the first call and never destroyed. Any thread.
telar_thread_registry* ThreadRegistry();

// Enters the calling thread, and makes it leave when its environment ends, also if it is
// terminated. The hooks of an environment run in reverse order: what is set up after this call is
// cleaned up while the thread still counts as alive. Returns the thread's number; 0, with a pending
// exception, if there is no free place.
uint32_t EnterThread(napi_env env);

// The number of the calling thread; 0 before EnterThread and after its end.
uint32_t CurrentThread();

// Any thread. Makes the bell ring after each thread ends. Holds a reference to the bell until it is
// removed.
void WatchThreadEnds(Doorbell* bell);
// After it returns, no thread is ringing that bell. Does nothing if the bell is not registered.
void UnwatchThreadEnds(Doorbell* bell);

// endedThreads() -> number: it changes when a thread has ended
napi_value CountEndedThreads(napi_env env, napi_callback_info info);

// isThreadAlive(number) -> boolean
napi_value IsThreadAlive(napi_env env, napi_callback_info info);

// wasThread(number) -> boolean: whether a thread has or had that number
napi_value WasThread(napi_env env, napi_callback_info info);

}  // namespace telar

#endif
