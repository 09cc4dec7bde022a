// thread_bells.h - the bells of the threads that have channels, by thread number.
//
// A thread that publishes a record finds the number of a waiting one in shared
// memory, so it may be any number: one that has no bell is ignored.
#ifndef TELAR_BINDING_THREAD_BELLS_H
#define TELAR_BINDING_THREAD_BELLS_H

#include <cstdint>

#include "doorbell.h"

namespace telar {

// Any thread. The table keeps a reference to the bell until it is removed. A thread that has
// loaded lib/ more than once has more than one.
void AddThreadBell(uint32_t thread, Doorbell* bell);
// When it returns, nobody is ringing that bell any more.
void RemoveThreadBell(uint32_t thread, Doorbell* bell);
void RingThreadBell(uint32_t thread);

}  // namespace telar

#endif
