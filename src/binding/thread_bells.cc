#include "thread_bells.h"

#include <mutex>
#include <unordered_map>

namespace telar {

namespace {

struct Table {
  std::mutex lock;
  std::unordered_multimap<uint32_t, Doorbell*> bells;
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
  Bells().bells.emplace(thread, bell);
}

void RemoveThreadBell(uint32_t thread, Doorbell* bell) {
  {
    std::lock_guard<std::mutex> guard(Bells().lock);
    auto range = Bells().bells.equal_range(thread);
    auto found = range.first;
    while (found != range.second && found->second != bell) ++found;
    if (found == range.second) return;
    Bells().bells.erase(found);
  }
  bell->Release();
}

void RingThreadBell(uint32_t thread) {
  std::lock_guard<std::mutex> guard(Bells().lock);
  auto range = Bells().bells.equal_range(thread);
  for (auto bell = range.first; bell != range.second; ++bell) bell->second->Ring();
}

}  // namespace telar
