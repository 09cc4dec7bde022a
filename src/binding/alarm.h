// alarm.h - the clock of the process, and an alarm on the event loop of one thread.
//
// Tests replace the timers and clocks of Node, in its modules too. Nobody replaces these.
#ifndef TELAR_BINDING_ALARM_H
#define TELAR_BINDING_ALARM_H

#include <node_api.h>

namespace telar {

// now() -> milliseconds on a clock that never goes backwards, the same for every thread
napi_value Now(napi_env env, napi_callback_info info);

// openAlarm(onAlarm()) -> { ring(), ringAfter(ms), setRef(boolean) }, see alarm.cc
napi_value OpenAlarm(napi_env env, napi_callback_info info);

}  // namespace telar

#endif
