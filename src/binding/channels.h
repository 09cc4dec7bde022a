// channels.h - what the ends of channels in one thread share: its bell, the memory that records
// are copied from and to, and a list of numbers in which calls leave what they do not return.
#ifndef TELAR_BINDING_CHANNELS_H
#define TELAR_BINDING_CHANNELS_H

#include <node_api.h>

#include <cstdint>

#include "doorbell.h"
#include "retained.h"

namespace telar {

// What calls leave in `info`, by index. The runs of a batch (telar_ring_run, two words each) come
// behind.
enum Info { kWake, kOffset, kLength, kTicket, kEvent, kRuns = 8 };
constexpr uint32_t kBatch = 1024;

class Channels : public Retained {
 public:
  explicit Channels(napi_env env) : env_(env) {}

  // False, with a pending exception, when it cannot be.
  bool Open(napi_value on_ring, napi_value info);
  bool SetScratch(napi_value bytes);

  // Null where the scratch does not reach that far: a mistake in lib/.
  unsigned char* Scratch(uint32_t start, uint64_t length) {
    return start <= scratch_length_ && length <= scratch_length_ - start ? scratch_ + start
                                                                         : nullptr;
  }

  uint32_t* info() { return info_; }
  uint32_t scratch_length() const { return scratch_length_; }
  uint32_t thread() const { return thread_; }
  void SetRef(bool ref) { bell_->SetRef(ref); }
  void Ring() { bell_->Ring(); }

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
// channels.cc. onRing is called from the event loop when an end that waits should try again.
napi_value OpenChannels(napi_env env, napi_callback_info info);

}  // namespace telar

#endif
