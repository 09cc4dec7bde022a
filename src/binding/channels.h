// channels.h - what the channel ends of one thread share: the thread's bell, the scratch memory
// that records are copied from and to, and an array of numbers for further results of calls.
#ifndef TELAR_BINDING_CHANNELS_H
#define TELAR_BINDING_CHANNELS_H

#include <node_api.h>

#include <cstdint>

#include "doorbell.h"
#include "retained.h"

namespace telar {

// Indices in `info` of the results that calls do not return. The runs of a batch (telar_ring_run,
// two words each) follow them.
enum Info { kWake, kOffset, kLength, kTicket, kEvent, kDropped, kRuns = 8 };
constexpr uint32_t kBatch = 1024;

// A flag in info[kWake], beside those of ring_wait.h: watched records were dropped, see
// takeDropped.
constexpr uint32_t kWakeDropped = 1u << 30;

class Channels : public Retained {
 public:
  explicit Channels(napi_env env) : env_(env) {}

  // False, with a pending exception, if it fails.
  bool Open(napi_value on_ring, napi_value info);
  bool SetScratch(napi_value bytes);

  // Null if the scratch memory is not that long: a bug in lib/.
  unsigned char* Scratch(uint32_t start, uint64_t length) {
    return start <= scratch_length_ && length <= scratch_length_ - start ? scratch_ + start
                                                                         : nullptr;
  }

  uint32_t* info() { return info_; }
  uint32_t scratch_length() const { return scratch_length_; }
  uint32_t thread() const { return thread_; }
  void SetRef(bool ref) { bell_->SetRef(ref); }
  void Ring() { bell_->Ring(); }
  bool Sleep(uint32_t milliseconds) { return bell_->Sleep(milliseconds); }

 private:
  ~Channels() override;
  void OnRing();

  napi_env env_;
  uint32_t thread_ = 0;
  Doorbell* bell_ = nullptr;
  napi_ref on_ring_ = nullptr;
  napi_ref info_ref_ = nullptr;
  uint32_t* info_ = nullptr;
  napi_ref scratch_ref_ = nullptr;
  unsigned char* scratch_ = nullptr;
  uint32_t scratch_length_ = 0;
};

// openChannels(onRing(), info: Uint32Array) -> what a thread needs for all of its channels, see
// channels.cc. onRing is called from the event loop when a waiting end should try again.
napi_value OpenChannels(napi_env env, napi_callback_info info);

}  // namespace telar

#endif
