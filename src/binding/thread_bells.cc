#include "thread_bells.h"

#include <mutex>
#include <unordered_map>

namespace telar {

namespace {

struct Table {
  std::mutex lock;
  std::unordered_map<uint32_t, Doorbell*> bells;
};

// Never destroyed: other threads may still run while the process exits.
Table& Bells() {
  static Table* table = new Table();
  return *table;
}

}  // namespace

void AddThreadBell(uint32_t thread, Doorbell* bell) {
  bell->AddReference();
  std::lock_guard<std::mutex> guard(Bells().lock);
  Bells().bells[thread] = bell;
}

void RemoveThreadBell(uint32_t thread) {
  Doorbell* bell;
  {
    std::lock_guard<std::mutex> guard(Bells().lock);
    auto found = Bells().bells.find(thread);
    if (found == Bells().bells.end()) return;
    bell = found->second;
    Bells().bells.erase(found);
  }
  bell->Release();
}

void RingThreadBell(uint32_t thread) {
  std::lock_guard<std::mutex> guard(Bells().lock);
  auto found = Bells().bells.find(thread);
  if (found != Bells().bells.end()) found->second->Ring();
}

}  // namespace telar
