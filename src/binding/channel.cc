#include "channel.h"

#include <cstdlib>
#include <new>

#include "call.h"
#include "core/cacheline.h"
#include "core/ring.h"
#include "core/ring_wait.h"
#include "doorbell.h"
#include "os/os.h"
#include "roster.h"
#include "thread_bells.h"

namespace telar {

namespace {

// What calls leave in `info`, by index. The runs of a batch (telar_ring_run, two words each) come behind.
enum Info { kWake, kOffset, kLength, kTicket, kEvent, kRuns = 8 };
constexpr uint32_t kBatch = 1024;

// A longer record is read in place: the time of a second copy buys nothing there.
constexpr uint32_t kCopyMost = 16 * 1024;
// What a batch may take: the copies should still be in the nearest cache when they are read.
constexpr uint32_t kBatchMost = 32 * 1024;

bool ReadBytes(napi_env env, napi_value value, void** data, size_t* length) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, value, &type, length, data, nullptr, nullptr) == napi_ok &&
         type == napi_uint8_array;
}

napi_value ThrowBytes(napi_env env) {
  napi_throw_type_error(env, "ERR_TELAR_NATIVE", "expected a Uint8Array");
  return nullptr;
}

// What the ends of one thread share: its bell, and the buffers that records are
// copied from and to.
class Channels {
 public:
  explicit Channels(napi_env env) : env_(env) {}

  void Retain() { references_++; }
  void Release() {
    if (--references_ == 0) delete this;
  }

  bool Open(napi_value on_ring, napi_value info) {
    napi_typedarray_type type;
    size_t length = 0;
    void* data = nullptr;
    if (napi_get_typedarray_info(env_, info, &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_uint32_array || length < kRuns + 2 * kBatch) {
      napi_throw_type_error(env_, "ERR_TELAR_NATIVE", "info must be a Uint32Array that holds a batch");
      return false;
    }
    info_ = static_cast<uint32_t*>(data);
    napi_create_reference(env_, info, 1, &info_ref_);
    napi_create_reference(env_, on_ring, 1, &on_ring_);
    thread_ = CurrentThread();
    bell_ = Doorbell::Open(env_, [](void* self) { static_cast<Channels*>(self)->OnRing(); }, this);
    if (bell_ == nullptr) return false;
    AddThreadBell(thread_, bell_);
    return true;
  }

  bool SetScratch(napi_value bytes) {
    void* data = nullptr;
    size_t length = 0;
    if (!ReadBytes(env_, bytes, &data, &length)) return false;
    napi_ref reference = nullptr;
    if (napi_create_reference(env_, bytes, 1, &reference) != napi_ok) return false;
    if (scratch_ref_ != nullptr) napi_delete_reference(env_, scratch_ref_);
    scratch_ref_ = reference;
    scratch_ = static_cast<unsigned char*>(data);
    scratch_length_ = length > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(length);
    return true;
  }

  // Null where the scratch does not reach that far: a mistake in lib/.
  unsigned char* Scratch(uint32_t start, uint64_t length) {
    return start <= scratch_length_ && length <= scratch_length_ - start ? scratch_ + start : nullptr;
  }

  uint32_t* info() { return info_; }
  uint32_t scratch_length() const { return scratch_length_; }
  uint32_t thread() const { return thread_; }
  void Hold(bool held) { bell_->SetRef(held); }
  void Ring() { bell_->Ring(); }

 private:
  ~Channels() {
    if (bell_ != nullptr) {
      RemoveThreadBell(thread_, bell_);
      bell_->Close();
      bell_->Release();
    }
    for (napi_ref reference : {info_ref_, on_ring_, scratch_ref_}) {
      if (reference != nullptr) napi_delete_reference(env_, reference);
    }
  }

  void OnRing() {
    Napi::HandleScope scope(env_);
    CallFromLoop(env_, on_ring_, 0, nullptr, nullptr);
  }

  napi_env env_;
  int references_ = 1;
  uint32_t thread_ = 0;
  Doorbell* bell_ = nullptr;
  napi_ref on_ring_ = nullptr;
  napi_ref info_ref_ = nullptr;
  uint32_t* info_ = nullptr;
  napi_ref scratch_ref_ = nullptr;
  unsigned char* scratch_ = nullptr;
  uint32_t scratch_length_ = 0;
};

// One thread's end of one channel.
class End {
 public:
  End(napi_env env, Channels* channels) : env_(env), channels_(channels) { channels_->Retain(); }

  void Retain() { references_++; }
  void Release() {
    if (--references_ == 0) delete this;
  }

  telar_status Open(napi_value memory) {
    void* data = nullptr;
    size_t length = 0;
    if (!ReadBytes(env_, memory, &data, &length)) return TELAR_INVALID;
    end_memory_ = ::operator new(telar_ring_end_size(), std::align_val_t(telar_ring_end_align()), std::nothrow);
    if (end_memory_ == nullptr) return TELAR_NO_MEMORY;
    telar_status status = telar_ring_open(end_memory_, data, length, &end_);
    if (status != TELAR_OK) return status;
    // The shared memory stays as long as C has a pointer to it.
    napi_create_reference(env_, memory, 1, &memory_ref_);
    // Runs when the thread is terminated, too: what it had open is given back.
    has_hook_ = napi_add_env_cleanup_hook(env_, OnEnvironmentEnd, this) == napi_ok;
    return TELAR_OK;
  }

  telar_ring_end* end() { return end_; }
  Channels* channels() { return channels_; }
  uint32_t* info() { return channels_->info(); }
  telar_ring_run* runs() { return reinterpret_cast<telar_ring_run*>(info() + kRuns); }

  telar_status Attach() { return telar_ring_attach(end_, channels_->thread()); }

  // Once after each call that may have changed something.
  telar_status Settle(telar_status status) {
    uint32_t wake = 0;
    telar_status late = telar_ring_notify(
        end_, [](void*, uint32_t thread, uint32_t) { RingThreadBell(thread); }, nullptr, &wake);
    info()[kWake] = wake;
    return status == TELAR_OK ? late : status;
  }

  telar_status SettlePlace(telar_status status, const telar_ring_place& place) {
    if (status == TELAR_OK) {
      info()[kOffset] = static_cast<uint32_t>(place.offset);
      info()[kLength] = place.length;
      info()[kTicket] = place.ticket;
    }
    return Settle(status);
  }

  void Detach() {
    if (end_ == nullptr || !telar_ring_is_attached(end_)) return;
    telar_ring_detach(end_);
    Settle(TELAR_OK);
  }

 private:
  ~End() {
    Detach();
    if (has_hook_) napi_remove_env_cleanup_hook(env_, OnEnvironmentEnd, this);
    if (memory_ref_ != nullptr) napi_delete_reference(env_, memory_ref_);
    if (end_memory_ != nullptr) ::operator delete(end_memory_, std::align_val_t(telar_ring_end_align()));
    channels_->Release();
  }

  static void OnEnvironmentEnd(void* data) {
    End* self = static_cast<End*>(data);
    self->has_hook_ = false;
    self->Detach();
  }

  napi_env env_;
  Channels* channels_;
  int references_ = 1;
  void* end_memory_ = nullptr;
  telar_ring_end* end_ = nullptr;
  napi_ref memory_ref_ = nullptr;
  bool has_hook_ = false;
};

// Every answer is a status, as a negative number where the call can give a count.
int32_t Negative(telar_status status) { return -static_cast<int32_t>(status); }

// send(start, length) -> status: one record out of the scratch
napi_value Send(napi_env env, napi_callback_info info) {
  Call<End, 2> call(env, info);
  uint32_t length = call.Uint32(1);
  unsigned char* data = call.self->channels()->Scratch(call.Uint32(0), length);
  if (data == nullptr) return call.Return(static_cast<uint32_t>(TELAR_INVALID));
  return call.Return(static_cast<uint32_t>(call.self->Settle(telar_ring_send(call.self->end(), data, length))));
}

// sendBytes(bytes: Uint8Array) -> status: one record
napi_value SendBytes(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  void* data = nullptr;
  size_t length = 0;
  if (!ReadBytes(env, call.argument[0], &data, &length)) return ThrowBytes(env);
  if (length > UINT32_MAX) return call.Return(static_cast<uint32_t>(TELAR_TOO_LARGE));
  telar_status status = telar_ring_send(call.self->end(), data, static_cast<uint32_t>(length));
  return call.Return(static_cast<uint32_t>(call.self->Settle(status)));
}

// sendWithHeader(word, bytes: Uint8Array) -> status: one record, a header of eight bytes before the others
napi_value SendWithHeader(napi_env env, napi_callback_info info) {
  Call<End, 2> call(env, info);
  const uint32_t header[2] = {call.Uint32(0), 0};
  void* data = nullptr;
  size_t length = 0;
  if (!ReadBytes(env, call.argument[1], &data, &length)) return ThrowBytes(env);
  if (length > UINT32_MAX) return call.Return(static_cast<uint32_t>(TELAR_TOO_LARGE));
  telar_status status = telar_ring_send_parts(call.self->end(), header, sizeof header, data, static_cast<uint32_t>(length));
  return call.Return(static_cast<uint32_t>(call.self->Settle(status)));
}

// sendMany(count) -> how many records of so many runs went in, or a negative status. They lie in the scratch from its start.
napi_value SendMany(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  uint32_t count = call.Uint32(0);
  const telar_ring_run* runs = call.self->runs();
  uint64_t total = 0;
  if (count > kBatch) return call.Return(Negative(TELAR_INVALID));
  for (uint32_t i = 0; i < count; i++) {
    if (runs[i].records > kBatch) return call.Return(Negative(TELAR_INVALID));
    total += runs[i].records * ((static_cast<uint64_t>(runs[i].bytes) + 7) & ~uint64_t{7});
  }
  unsigned char* data = call.self->channels()->Scratch(0, total);
  if (data == nullptr) return call.Return(Negative(TELAR_INVALID));
  uint32_t sent = 0;
  telar_status status = telar_ring_send_many(call.self->end(), data, runs, count, &sent);
  status = call.self->Settle(status);
  return call.Return(status == TELAR_OK ? static_cast<int32_t>(sent) : Negative(status));
}

// Receives, again and again for so many nanoseconds while nothing is there.
template <typename Attempt>
telar_status RepeatFor(uint32_t spin, Attempt attempt) {
  telar_status status = attempt();
  if (spin == 0 || (status != TELAR_EMPTY && status != TELAR_AGAIN)) return status;
  uint64_t end = telar_os_now_ns() + spin;
  do {
    for (int i = 0; i < 8; i++) telar_os_relax();
    status = attempt();
  } while ((status == TELAR_EMPTY || status == TELAR_AGAIN) && telar_os_now_ns() < end);
  return status;
}

// receive(spinNs) -> length of the record that now lies at the start of the scratch, or a negative status.
// TOO_LARGE: it is to be claimed.
napi_value Receive(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  Channels* channels = call.self->channels();
  uint32_t spin = call.Uint32(0);
  uint32_t most = channels->scratch_length() < kCopyMost ? channels->scratch_length() : kCopyMost;
  uint32_t length = 0;
  telar_status status = RepeatFor(spin, [&] {
    return telar_ring_receive(call.self->end(), channels->Scratch(0, 0), most, &length);
  });
  status = call.self->Settle(status);
  return call.Return(status == TELAR_OK ? static_cast<int32_t>(length) : Negative(status));
}

// receiveMany(max) -> how many runs of records lie in the scratch now, as for sendMany, or a negative status
napi_value ReceiveMany(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  Channels* channels = call.self->channels();
  uint32_t max = call.Uint32(0);
  uint32_t most = channels->scratch_length() < kBatchMost ? channels->scratch_length() : kBatchMost;
  uint32_t count = 0;
  telar_status status = telar_ring_receive_many(call.self->end(), channels->Scratch(0, 0), most, call.self->runs(),
                                                max < kBatch ? max : kBatch, &count);
  status = call.self->Settle(status);
  return call.Return(status == TELAR_OK ? static_cast<int32_t>(count) : Negative(status));
}

// reserve(length) -> status; the place in info
napi_value Reserve(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  telar_ring_place place;
  telar_status status = telar_ring_reserve(call.self->end(), call.Uint32(0), &place);
  return call.Return(static_cast<uint32_t>(call.self->SettlePlace(status, place)));
}

// commit(ticket, used) -> status
napi_value Commit(napi_env env, napi_callback_info info) {
  Call<End, 2> call(env, info);
  telar_status status = telar_ring_commit(call.self->end(), call.Uint32(0), call.Uint32(1));
  return call.Return(static_cast<uint32_t>(call.self->Settle(status)));
}

// discard(ticket) -> status
napi_value Discard(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  telar_status status = telar_ring_discard(call.self->end(), call.Uint32(0));
  return call.Return(static_cast<uint32_t>(call.self->Settle(status)));
}

// claim(spinNs) -> status; the place in info
napi_value Claim(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  telar_ring_place place;
  telar_status status = RepeatFor(call.Uint32(0), [&] { return telar_ring_claim(call.self->end(), &place); });
  return call.Return(static_cast<uint32_t>(call.self->SettlePlace(status, place)));
}

// release(ticket) -> status
napi_value ReleaseClaim(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  telar_status status = telar_ring_release(call.self->end(), call.Uint32(0));
  return call.Return(static_cast<uint32_t>(call.self->Settle(status)));
}

// wait(side, need): the bell rings when it may be worth to try again
napi_value Wait(napi_env env, napi_callback_info info) {
  Call<End, 2> call(env, info);
  telar_ring_wait(call.self->end(), static_cast<telar_ring_side>(call.Uint32(0)), call.Uint32(1));
  return nullptr;
}

// waitCancel(side), after wait() and waitSync()
napi_value WaitCancel(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  telar_ring_wait_cancel(call.self->end(), static_cast<telar_ring_side>(call.Uint32(0)));
  call.self->Settle(TELAR_OK);
  return nullptr;
}

// waitSync(side, need): the event to wait for a change of in info
napi_value WaitSync(napi_env env, napi_callback_info info) {
  Call<End, 2> call(env, info);
  int32_t event = 0;
  telar_ring_wait_sync(call.self->end(), static_cast<telar_ring_side>(call.Uint32(0)), call.Uint32(1), &event);
  call.self->info()[kEvent] = static_cast<uint32_t>(event);
  return nullptr;
}

// isDeserted(side) -> boolean
napi_value IsDeserted(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  return call.Return(telar_ring_is_deserted(call.self->end(), static_cast<telar_ring_side>(call.Uint32(0))));
}

// attach() -> number of the endpoint, or a negative status
napi_value Attach(napi_env env, napi_callback_info info) {
  Call<End, 0> call(env, info);
  telar_status status = call.self->Attach();
  return call.Return(status == TELAR_OK ? static_cast<int32_t>(telar_ring_endpoint(call.self->end())) : Negative(status));
}

// detach()
napi_value Detach(napi_env env, napi_callback_info info) {
  Call<End, 0> call(env, info);
  call.self->info()[kWake] = 0;
  call.self->Detach();
  return nullptr;
}

// close()
napi_value CloseRing(napi_env env, napi_callback_info info) {
  Call<End, 0> call(env, info);
  telar_ring_close(call.self->end());
  call.self->Settle(TELAR_OK);
  return nullptr;
}

// abort()
napi_value AbortRing(napi_env env, napi_callback_info info) {
  Call<End, 0> call(env, info);
  telar_ring_abort(call.self->end());
  call.self->Settle(TELAR_OK);
  return nullptr;
}

// state() -> 0 open, 1 closed, 2 aborted
napi_value State(napi_env env, napi_callback_info info) {
  Call<End, 0> call(env, info);
  return call.Return(static_cast<uint32_t>(telar_ring_state_read(call.self->end())));
}

// stats() -> { sent, sentBytes, received, receivedBytes, size, sizeBytes, used }
napi_value Stats(napi_env env, napi_callback_info info) {
  Call<End, 0> call(env, info);
  telar_ring_stats stats;
  telar_ring_stats_read(call.self->end(), &stats);
  napi_value result = nullptr;
  napi_create_object(env, &result);
  const struct {
    const char* name;
    uint64_t value;
  } figures[] = {{"sent", stats.sent},         {"sentBytes", stats.sent_bytes}, {"received", stats.received},
                 {"receivedBytes", stats.received_bytes}, {"size", stats.size}, {"sizeBytes", stats.size_bytes},
                 {"used", stats.used}};
  for (const auto& figure : figures) {
    napi_set_named_property(env, result, figure.name, call.Return(static_cast<double>(figure.value)));
  }
  return result;
}

// open(memory: Uint8Array) -> the functions of an end, or a negative status
napi_value Open(napi_env env, napi_callback_info info) {
  Call<Channels, 1> call(env, info);
  End* end = new End(env, call.self);
  napi_value api = nullptr;
  telar_status status = end->Open(call.argument[0]);
  if (status != TELAR_OK || napi_create_object(env, &api) != napi_ok) {
    end->Release();
    return call.Return(Negative(status));
  }
  napi_set_named_property(env, api, "capacity", call.Return(telar_ring_capacity(end->end())));
  napi_set_named_property(env, api, "flags", call.Return(telar_ring_flags(end->end())));
  napi_set_named_property(env, api, "maxRecord", call.Return(telar_ring_max_record(end->end())));
  Bind(env, api, "send", Send, end);
  Bind(env, api, "sendBytes", SendBytes, end);
  Bind(env, api, "sendWithHeader", SendWithHeader, end);
  Bind(env, api, "sendMany", SendMany, end);
  Bind(env, api, "receive", Receive, end);
  Bind(env, api, "receiveMany", ReceiveMany, end);
  Bind(env, api, "reserve", Reserve, end);
  Bind(env, api, "commit", Commit, end);
  Bind(env, api, "discard", Discard, end);
  Bind(env, api, "claim", Claim, end);
  Bind(env, api, "release", ReleaseClaim, end);
  Bind(env, api, "wait", Wait, end);
  Bind(env, api, "waitCancel", WaitCancel, end);
  Bind(env, api, "waitSync", WaitSync, end);
  Bind(env, api, "isDeserted", IsDeserted, end);
  Bind(env, api, "attach", Attach, end);
  Bind(env, api, "detach", Detach, end);
  Bind(env, api, "close", CloseRing, end);
  Bind(env, api, "abort", AbortRing, end);
  Bind(env, api, "state", State, end);
  Bind(env, api, "stats", Stats, end);
  end->Release();  // the functions hold it now
  return api;
}

// setScratch(bytes: Uint8Array): where records are copied from and to
napi_value SetScratch(napi_env env, napi_callback_info info) {
  Call<Channels, 1> call(env, info);
  return call.self->SetScratch(call.argument[0]) ? nullptr : ThrowBytes(env);
}

// hold(boolean): whether the thread stays alive for what waits
napi_value Hold(napi_env env, napi_callback_info info) {
  Call<Channels, 1> call(env, info);
  call.self->Hold(call.Bool(0));
  return nullptr;
}

// ring(): onRing comes once the event loop has turned
napi_value Ring(napi_env env, napi_callback_info info) {
  Call<Channels, 0> call(env, info);
  call.self->Ring();
  return nullptr;
}

}  // namespace

napi_value OpenChannels(napi_env env, napi_callback_info info) {
  Call<void, 2> call(env, info);
  Channels* channels = new Channels(env);
  napi_value api = nullptr;
  if (!channels->Open(call.argument[0], call.argument[1]) || napi_create_object(env, &api) != napi_ok) {
    channels->Release();
    return nullptr;
  }
  Bind(env, api, "open", Open, channels);
  Bind(env, api, "setScratch", SetScratch, channels);
  Bind(env, api, "hold", Hold, channels);
  Bind(env, api, "ring", Ring, channels);
  channels->Release();
  return api;
}

napi_value ChannelSize(napi_env env, napi_callback_info info) {
  Call<void, 2> call(env, info);
  telar_ring_config config = {call.Uint32(0), call.Uint32(1), 0};
  return call.Return(static_cast<double>(telar_ring_size(&config)));
}

napi_value CreateChannel(napi_env env, napi_callback_info info) {
  Call<void, 3> call(env, info);
  void* data = nullptr;
  size_t length = 0;
  if (!ReadBytes(env, call.argument[0], &data, &length)) return ThrowBytes(env);
  telar_ring_config config = {call.Uint32(1), call.Uint32(2), 0};
  return call.Return(static_cast<uint32_t>(telar_ring_init(data, length, &config)));
}

napi_value MemoryAddress(napi_env env, napi_callback_info info) {
  Call<void, 1> call(env, info);
  void* data = nullptr;
  size_t length = 0;
  if (!ReadBytes(env, call.argument[0], &data, &length)) return ThrowBytes(env);
  napi_value address = nullptr;
  napi_create_bigint_uint64(env, static_cast<uint64_t>(reinterpret_cast<uintptr_t>(data)), &address);
  return address;
}

napi_value ChannelConstants(napi_env env) {
  napi_value constants = nullptr;
  napi_create_object(env, &constants);
  const struct {
    const char* name;
    uint32_t value;
  } numbers[] = {
      {"OK", TELAR_OK},
      {"FULL", TELAR_FULL},
      {"EMPTY", TELAR_EMPTY},
      {"AGAIN", TELAR_AGAIN},
      {"TOO_LARGE", TELAR_TOO_LARGE},
      {"CLOSED", TELAR_CLOSED},
      {"ABORTED", TELAR_ABORTED},
      {"BUSY", TELAR_BUSY},
      {"LIMIT", TELAR_LIMIT},
      {"CORRUPT", TELAR_CORRUPT},
      {"NO_MEMORY", TELAR_NO_MEMORY},
      {"kReceivers", TELAR_RING_RECEIVERS},
      {"kSenders", TELAR_RING_SENDERS},
      {"kWakeFirst", TELAR_RING_WAKE_FIRST},
      {"kWakeSecond", TELAR_RING_WAKE_SECOND},
      {"kWakeAll", TELAR_RING_WAKE_ALL},
      {"kEventOffset", static_cast<uint32_t>(telar_ring_event_offset(0))},
      {"kEventStride", static_cast<uint32_t>(telar_ring_event_offset(1) - telar_ring_event_offset(0))},
      {"kSingleProducer", TELAR_RING_SINGLE_PRODUCER},
      {"kSingleConsumer", TELAR_RING_SINGLE_CONSUMER},
      {"kCapacityMin", TELAR_RING_CAPACITY_MIN},
      {"kCapacityMax", TELAR_RING_CAPACITY_MAX},
      {"kOpenMost", TELAR_RING_OPEN_MAX},
      {"kEndsMost", TELAR_RING_ENDPOINTS},
      {"kStateOpen", TELAR_RING_OPEN},
      {"kStateClosed", TELAR_RING_CLOSED},
      {"kStateAborted", TELAR_RING_ABORTED},
      {"kWake", kWake},
      {"kOffset", kOffset},
      {"kLength", kLength},
      {"kTicket", kTicket},
      {"kEvent", kEvent},
      {"kRuns", kRuns},
      {"kBatch", kBatch},
  };
  for (const auto& number : numbers) {
    napi_value value = nullptr;
    napi_create_uint32(env, number.value, &value);
    napi_set_named_property(env, constants, number.name, value);
  }
  return constants;
}

}  // namespace telar
