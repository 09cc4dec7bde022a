#include "channel_end.h"

#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "call.h"
#include "channels.h"
#include "core/ring.h"
#include "core/ring_wait.h"
#include "os/os.h"
#include "thread_bells.h"
#include "typed_array.h"

namespace telar {

namespace {

// Longer records are read in place, to save a second copy.
constexpr uint32_t kMaxCopyBytes = 16 * 1024;
// Limit for a batch: the copies should still be in the first-level cache when they are read.
constexpr uint32_t kMaxBatchBytes = 32 * 1024;

class End : public Retained {
 public:
  End(napi_env env, Channels* channels) : env_(env), channels_(channels) { channels_->Retain(); }

  telar_status Open(napi_value memory) {
    unsigned char* data = nullptr;
    size_t length = 0;
    if (!ReadBytes(env_, memory, &data, &length)) return TELAR_INVALID;
    end_memory_ = ::operator new(telar_ring_end_size(), std::align_val_t(telar_ring_end_align()),
                                 std::nothrow);
    if (end_memory_ == nullptr) return TELAR_NO_MEMORY;
    telar_status status = telar_ring_open(end_memory_, data, length, &end_);
    if (status != TELAR_OK) return status;
    // The reference keeps the shared memory alive as long as C has a pointer to it.
    napi_create_reference(env_, memory, 1, &memory_ref_);
    // Also runs when the thread is terminated: what it had open is given back.
    has_hook_ = napi_add_env_cleanup_hook(env_, OnEnvironmentEnd, this) == napi_ok;
    return TELAR_OK;
  }

  telar_ring_end* end() { return end_; }
  Channels* channels() { return channels_; }
  uint32_t* info() { return channels_->info(); }
  telar_ring_run* runs() { return reinterpret_cast<telar_ring_run*>(info() + kRuns); }

  telar_status Attach() { return telar_ring_attach(end_, channels_->thread()); }

  // Call it once after each call that may have changed something.
  telar_status Notify(telar_status status) {
    uint32_t wake = 0;
    telar_status late = telar_ring_notify(
        end_, [](void*, uint32_t thread, uint32_t) { RingThreadBell(thread); }, nullptr, &wake);
    info()[kWake] = dropped_.empty() ? wake : wake | kWakeDropped;
    return status == TELAR_OK ? late : status;
  }

  telar_status NotifyPlace(telar_status status, const telar_ring_place& place) {
    if (status == TELAR_OK) {
      info()[kOffset] = static_cast<uint32_t>(place.offset);
      info()[kLength] = place.length;
      info()[kTicket] = place.ticket;
    }
    return Notify(status);
  }

  // From now on the headers of dropped records are kept, if their first word has these bits.
  void WatchDrops(uint32_t mask, uint32_t bits) {
    drop_mask_ = mask;
    drop_bits_ = bits;
    telar_ring_on_drop(end_, OnDrop, this);
  }

  std::vector<uint32_t> TakeDropped() { return std::exchange(dropped_, {}); }

  void Detach() {
    if (end_ == nullptr || !telar_ring_is_attached(end_)) return;
    telar_ring_detach(end_);
    Notify(TELAR_OK);
  }

 private:
  ~End() override {
    Detach();
    if (has_hook_) napi_remove_env_cleanup_hook(env_, OnEnvironmentEnd, this);
    if (memory_ref_ != nullptr) napi_delete_reference(env_, memory_ref_);
    if (end_memory_ != nullptr) {
      ::operator delete(end_memory_, std::align_val_t(telar_ring_end_align()));
    }
    channels_->Release();
  }

  static void OnDrop(void* context, const void* data, uint32_t length) {
    End* self = static_cast<End*>(context);
    uint32_t header[kHeaderBytes / sizeof(uint32_t)];
    if (length < sizeof header) return;
    std::memcpy(header, data, sizeof header);
    if ((header[0] & self->drop_mask_) != self->drop_bits_) return;
    self->dropped_.insert(self->dropped_.end(), header, header + sizeof header / sizeof header[0]);
  }

  static void OnEnvironmentEnd(void* data) {
    End* self = static_cast<End*>(data);
    self->has_hook_ = false;
    self->Detach();
  }

  napi_env env_;
  Channels* channels_;
  void* end_memory_ = nullptr;
  telar_ring_end* end_ = nullptr;
  napi_ref memory_ref_ = nullptr;
  bool has_hook_ = false;
  uint32_t drop_mask_ = 0;
  uint32_t drop_bits_ = 0;
  std::vector<uint32_t> dropped_;  // the words of the headers
};

// Every result is a status; it is negated where the call can also return a count.
int32_t Negative(telar_status status) { return -static_cast<int32_t>(status); }

// send(start, length) -> status: sends one record from the scratch memory
napi_value Send(napi_env env, napi_callback_info info) {
  Call<End, 2> call(env, info);
  uint32_t length = call.Uint32(1);
  unsigned char* data = call.self->channels()->Scratch(call.Uint32(0), length);
  if (data == nullptr) return call.Return(static_cast<uint32_t>(TELAR_INVALID));
  return call.Return(
      static_cast<uint32_t>(call.self->Notify(telar_ring_send(call.self->end(), data, length))));
}

// sendBytes(bytes: Uint8Array) -> status: sends one record
napi_value SendBytes(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  unsigned char* data = nullptr;
  size_t length = 0;
  if (!ReadBytes(env, call.argument[0], &data, &length)) return ThrowBytes(env);
  if (length > UINT32_MAX) return call.Return(static_cast<uint32_t>(TELAR_TOO_LARGE));
  telar_status status = telar_ring_send(call.self->end(), data, static_cast<uint32_t>(length));
  return call.Return(static_cast<uint32_t>(call.self->Notify(status)));
}

// sendWithHeader(word, bytes: Uint8Array) -> status: sends one record, a header of kHeaderBytes and
// the bytes
napi_value SendWithHeader(napi_env env, napi_callback_info info) {
  Call<End, 2> call(env, info);
  const uint32_t header[kHeaderBytes / sizeof(uint32_t)] = {call.Uint32(0)};
  unsigned char* data = nullptr;
  size_t length = 0;
  if (!ReadBytes(env, call.argument[1], &data, &length)) return ThrowBytes(env);
  if (length > UINT32_MAX) return call.Return(static_cast<uint32_t>(TELAR_TOO_LARGE));
  telar_status status = telar_ring_send_parts(call.self->end(), header, sizeof header, data,
                                              static_cast<uint32_t>(length));
  return call.Return(static_cast<uint32_t>(call.self->Notify(status)));
}

// sendMany(count) -> how many records of the first `count` runs in info were sent, or a negative
// status. The records lie at the start of the scratch memory. info[kDropped]: how many records this
// call dropped.
napi_value SendMany(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  uint32_t count = call.Uint32(0);
  const telar_ring_run* runs = call.self->runs();
  uint64_t total = 0;
  if (count > kBatch) return call.Return(Negative(TELAR_INVALID));
  for (uint32_t i = 0; i < count; i++) {
    if (runs[i].records > kBatch) return call.Return(Negative(TELAR_INVALID));
    uint64_t granules =
        (static_cast<uint64_t>(runs[i].bytes) + TELAR_RING_GRANULE - 1) / TELAR_RING_GRANULE;
    total += runs[i].records * granules * TELAR_RING_GRANULE;
  }
  unsigned char* data = call.self->channels()->Scratch(0, total);
  if (data == nullptr) return call.Return(Negative(TELAR_INVALID));
  uint32_t sent = 0;
  uint64_t dropped = telar_ring_dropped(call.self->end());
  telar_status status = telar_ring_send_many(call.self->end(), data, runs, count, &sent);
  status = call.self->Notify(status);
  call.self->info()[kDropped] =
      static_cast<uint32_t>(telar_ring_dropped(call.self->end()) - dropped);
  return call.Return(status == TELAR_OK ? static_cast<int32_t>(sent) : Negative(status));
}

// Repeats an attempt for up to `spin` nanoseconds while there is no record.
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

// receive(spinNs) -> length of the record, which now lies at the start of the scratch memory, or a
// negative status. TOO_LARGE: it has to be claimed.
napi_value Receive(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  Channels* channels = call.self->channels();
  uint32_t spin = call.Uint32(0);
  uint32_t most =
      channels->scratch_length() < kMaxCopyBytes ? channels->scratch_length() : kMaxCopyBytes;
  uint32_t length = 0;
  telar_status status = RepeatFor(spin, [&] {
    return telar_ring_receive(call.self->end(), channels->Scratch(0, 0), most, &length);
  });
  status = call.self->Notify(status);
  return call.Return(status == TELAR_OK ? static_cast<int32_t>(length) : Negative(status));
}

// receiveMany(max) -> how many runs of records now lie in the scratch memory, laid out as for
// sendMany, or a negative status
napi_value ReceiveMany(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  Channels* channels = call.self->channels();
  uint32_t max = call.Uint32(0);
  uint32_t most =
      channels->scratch_length() < kMaxBatchBytes ? channels->scratch_length() : kMaxBatchBytes;
  uint32_t count = 0;
  telar_status status =
      telar_ring_receive_many(call.self->end(), channels->Scratch(0, 0), most, call.self->runs(),
                              max < kBatch ? max : kBatch, &count);
  status = call.self->Notify(status);
  return call.Return(status == TELAR_OK ? static_cast<int32_t>(count) : Negative(status));
}

// reserve(length) -> status; the place is in info
napi_value Reserve(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  telar_ring_place place;
  telar_status status = telar_ring_reserve(call.self->end(), call.Uint32(0), &place);
  return call.Return(static_cast<uint32_t>(call.self->NotifyPlace(status, place)));
}

// commit(ticket, used) -> status
napi_value Commit(napi_env env, napi_callback_info info) {
  Call<End, 2> call(env, info);
  telar_status status = telar_ring_commit(call.self->end(), call.Uint32(0), call.Uint32(1));
  return call.Return(static_cast<uint32_t>(call.self->Notify(status)));
}

// discard(ticket) -> status
napi_value Discard(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  telar_status status = telar_ring_discard(call.self->end(), call.Uint32(0));
  return call.Return(static_cast<uint32_t>(call.self->Notify(status)));
}

// claim(spinNs) -> status; the place is in info
napi_value Claim(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  telar_ring_place place;
  telar_status status =
      RepeatFor(call.Uint32(0), [&] { return telar_ring_claim(call.self->end(), &place); });
  return call.Return(static_cast<uint32_t>(call.self->NotifyPlace(status, place)));
}

// release(ticket) -> status
napi_value ReleaseClaim(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  telar_status status = telar_ring_release(call.self->end(), call.Uint32(0));
  return call.Return(static_cast<uint32_t>(call.self->Notify(status)));
}

// wait(side, need): the bell rings when another try may succeed
napi_value Wait(napi_env env, napi_callback_info info) {
  Call<End, 2> call(env, info);
  telar_ring_wait(call.self->end(), static_cast<telar_ring_side>(call.Uint32(0)), call.Uint32(1));
  return nullptr;
}

// waitCancel(side): call it after wait() and waitSync()
napi_value WaitCancel(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  telar_ring_wait_cancel(call.self->end(), static_cast<telar_ring_side>(call.Uint32(0)));
  call.self->Notify(TELAR_OK);
  return nullptr;
}

// waitSync(side, need): stores in info the value of the event word that Atomics.wait has to expect
napi_value WaitSync(napi_env env, napi_callback_info info) {
  Call<End, 2> call(env, info);
  int32_t event = 0;
  telar_ring_wait_sync(call.self->end(), static_cast<telar_ring_side>(call.Uint32(0)),
                       call.Uint32(1), &event);
  call.self->info()[kEvent] = static_cast<uint32_t>(event);
  return nullptr;
}

// watchDrops(mask, bits): see takeDropped
napi_value WatchDrops(napi_env env, napi_callback_info info) {
  Call<End, 2> call(env, info);
  call.self->WatchDrops(call.Uint32(0), call.Uint32(1));
  return nullptr;
}

// takeDropped() -> the words of the headers of the watched records that were dropped since the last
// call, an array
napi_value TakeDropped(napi_env env, napi_callback_info info) {
  Call<End, 0> call(env, info);
  const std::vector<uint32_t> words = call.self->TakeDropped();
  napi_value list = nullptr;
  napi_create_array_with_length(env, words.size(), &list);
  for (size_t i = 0; i < words.size(); i++) {
    napi_set_element(env, list, static_cast<uint32_t>(i), call.Return(words[i]));
  }
  return list;
}

// isDeserted(side) -> boolean
napi_value IsDeserted(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  return call.Return(
      telar_ring_is_deserted(call.self->end(), static_cast<telar_ring_side>(call.Uint32(0))));
}

// attach() -> index of the endpoint, or a negative status
napi_value Attach(napi_env env, napi_callback_info info) {
  Call<End, 0> call(env, info);
  telar_status status = call.self->Attach();
  return call.Return(status == TELAR_OK
                         ? static_cast<int32_t>(telar_ring_endpoint(call.self->end()))
                         : Negative(status));
}

// listen(): from now on the thread hears announcements of the buffers that records name
napi_value Listen(napi_env env, napi_callback_info info) {
  Call<End, 0> call(env, info);
  telar_ring_listen(call.self->end());
  return nullptr;
}

// listener(endpoint) -> the number of its thread if that thread listens, otherwise 0
napi_value Listener(napi_env env, napi_callback_info info) {
  Call<End, 1> call(env, info);
  return call.Return(telar_ring_listener(call.self->end(), call.Uint32(0)));
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
  call.self->Notify(TELAR_OK);
  return nullptr;
}

// abort()
napi_value AbortRing(napi_env env, napi_callback_info info) {
  Call<End, 0> call(env, info);
  telar_ring_abort(call.self->end());
  call.self->Notify(TELAR_OK);
  return nullptr;
}

// state() -> 0 open, 1 closed, 2 aborted
napi_value State(napi_env env, napi_callback_info info) {
  Call<End, 0> call(env, info);
  return call.Return(static_cast<uint32_t>(telar_ring_state_read(call.self->end())));
}

// stats() -> { sent, sentBytes, received, receivedBytes, dropped, droppedBytes, size, sizeBytes,
// used }
napi_value Stats(napi_env env, napi_callback_info info) {
  Call<End, 0> call(env, info);
  telar_ring_stats stats;
  telar_ring_stats_read(call.self->end(), &stats);
  napi_value result = nullptr;
  napi_create_object(env, &result);
  const struct {
    const char* name;
    uint64_t value;
  } figures[] = {{"sent", stats.sent},         {"sentBytes", stats.sent_bytes},
                 {"received", stats.received}, {"receivedBytes", stats.received_bytes},
                 {"dropped", stats.dropped},   {"droppedBytes", stats.dropped_bytes},
                 {"size", stats.size},         {"sizeBytes", stats.size_bytes},
                 {"used", stats.used}};
  for (const auto& figure : figures) {
    Define(env, result, figure.name, call.Return(static_cast<double>(figure.value)));
  }
  return result;
}

}  // namespace

napi_value OpenEnd(napi_env env, napi_callback_info info) {
  Call<Channels, 1> call(env, info);
  End* end = new End(env, call.self);
  napi_value api = nullptr;
  telar_status status = end->Open(call.argument[0]);
  if (status != TELAR_OK || napi_create_object(env, &api) != napi_ok) {
    end->Release();
    return call.Return(Negative(status));
  }
  Define(env, api, "capacity", call.Return(telar_ring_capacity(end->end())));
  Define(env, api, "flags", call.Return(telar_ring_flags(end->end())));
  Define(env, api, "maxRecord", call.Return(telar_ring_max_record(end->end())));
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
  Bind(env, api, "watchDrops", WatchDrops, end);
  Bind(env, api, "takeDropped", TakeDropped, end);
  Bind(env, api, "isDeserted", IsDeserted, end);
  Bind(env, api, "attach", Attach, end);
  Bind(env, api, "detach", Detach, end);
  Bind(env, api, "listen", Listen, end);
  Bind(env, api, "listener", Listener, end);
  Bind(env, api, "close", CloseRing, end);
  Bind(env, api, "abort", AbortRing, end);
  Bind(env, api, "state", State, end);
  Bind(env, api, "stats", Stats, end);
  end->Release();  // the functions hold references now
  return api;
}

}  // namespace telar
