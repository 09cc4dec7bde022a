// thread_bells.h - the bells of the threads that have channels, by thread number.
//
// A thread that publishes a record reads the number of a waiting thread from shared memory, so it
// may be any number. A number without a bell is ignored.
#ifndef TELAR_BINDING_THREAD_BELLS_H
#define TELAR_BINDING_THREAD_BELLS_H

#include <cstdint>

#include "doorbell.h"

namespace telar {

// Any thread. The table holds a reference to the bell until the bell is removed. A thread that has
// loaded lib/ more than once has more than one bell.
void AddThreadBell(uint32_t thread, Doorbell* bell);
// After it returns, no thread is ringing that bell.
void RemoveThreadBell(uint32_t thread, Doorbell* bell);
void RingThreadBell(uint32_t thread);

}  // namespace telar

#endif
