// alarm.h - the clock of the process, and an alarm on the event loop of one thread.
//
// Test frameworks replace the timers and clocks of Node, also inside its modules. They cannot
// replace these.
#ifndef TELAR_BINDING_ALARM_H
#define TELAR_BINDING_ALARM_H

#include <node_api.h>

namespace telar {

// now() -> milliseconds on a clock that never goes backward and is the same for all threads
napi_value Now(napi_env env, napi_callback_info info);

// openAlarm(onAlarm()) -> { ring(), ringAfter(ms), watchThreads(), setRef(boolean) }, see alarm.cc
napi_value OpenAlarm(napi_env env, napi_callback_info info);

}  // namespace telar

#endif
