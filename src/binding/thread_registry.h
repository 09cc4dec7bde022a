// thread_registry.h - the threads of this process that have loaded the library, by number.
#ifndef TELAR_BINDING_THREAD_REGISTRY_H
#define TELAR_BINDING_THREAD_REGISTRY_H

#include <node_api.h>

#include "core/thread_registry.h"
#include "doorbell.h"

namespace telar {

// Of the whole process, made at the first call and never destroyed.
telar_thread_registry* ThreadRegistry();

// Enters the calling thread and sees to it that it leaves with its environment,
// also when it is terminated. The hooks of an environment run in reverse order:
// whatever is set up after this is cleaned up while the thread still counts as
// alive. Returns its number; 0, with a pending exception, when there is no place.
uint32_t EnterThread(napi_env env);

// The number of the calling thread; 0 before EnterThread and after its end.
uint32_t CurrentThread();

// Any thread. Has the bell ring after every end of a thread; keeps a reference to it until it is
// taken away again.
void WatchThreadEnds(Doorbell* bell);
// When it returns, nobody is ringing that bell any more. Nothing for one that does not watch.
void UnwatchThreadEnds(Doorbell* bell);

// endedThreads() -> number: another one than before: some thread has ended
napi_value CountEndedThreads(napi_env env, napi_callback_info info);

// isThreadAlive(number) -> boolean
napi_value IsThreadAlive(napi_env env, napi_callback_info info);

// wasThread(number) -> boolean: some thread has, or had, that number
napi_value WasThread(napi_env env, napi_callback_info info);

}  // namespace telar

#endif
