#include "pool.h"

#include <cstdlib>
#include <mutex>
#include <new>
#include <unordered_map>

#include "cpus.h"

namespace telar {

namespace {

struct Registry {
  std::mutex lock;
  uint32_t last_id = 0;
  std::unordered_map<uint32_t, std::weak_ptr<Pool>> pools;
};

// Never destroyed: workers may still use it while the process exits.
Registry& registry() {
  static Registry* instance = new Registry();
  return *instance;
}

// Zeroed pages directly from the system, so that unused parts cost nothing.
void* AllocateAligned(size_t bytes, size_t align, void** memory) {
  *memory = std::calloc(1, bytes + align);
  if (*memory == nullptr) return nullptr;
  uintptr_t at = (reinterpret_cast<uintptr_t>(*memory) + align - 1) / align * align;
  return reinterpret_cast<void*>(at);
}

}  // namespace

std::shared_ptr<Pool> Pool::Create(const PoolConfig& config, Doorbell* owner_bell) {
  std::shared_ptr<Pool> pool(new (std::nothrow) Pool());
  if (!pool) return nullptr;

  telar_slab_config slab{};
  slab.region_offset = static_cast<uint32_t>(config.region_offset);
  slab.region_bytes = config.region_bytes;
  size_t slab_bytes = telar_slab_size(&slab);
  if (slab_bytes == 0) return nullptr;
  void* slab_at = AllocateAligned(slab_bytes, telar_sched_align(), &pool->slab_memory_);
  if (slab_at == nullptr || telar_slab_init(slab_at, &slab, &pool->slab_) != TELAR_OK) {
    return nullptr;
  }

  telar_sched_config sched{};
  sched.slots = config.slots;
  sched.workers = config.workers;
  sched.concurrency = config.concurrency;
  sched.cpus = Cpus();
  sched.timing = config.timing;
  sched.slab = pool->slab_;
  sched.wake = Wake;
  sched.memory = WorkerMemory;
  sched.context = pool.get();
  size_t sched_bytes = telar_sched_size(&sched);
  if (sched_bytes == 0) return nullptr;
  void* sched_at = AllocateAligned(sched_bytes, telar_sched_align(), &pool->sched_memory_);
  if (sched_at == nullptr || telar_sched_init(sched_at, &sched, &pool->sched_) != TELAR_OK) {
    return nullptr;
  }

  owner_bell->AddReference();
  pool->owner_bell_ = owner_bell;
  Registry& r = registry();
  std::lock_guard<std::mutex> guard(r.lock);
  do {
    pool->id_ = ++r.last_id;
  } while (pool->id_ == 0 || r.pools.count(pool->id_) != 0);
  r.pools[pool->id_] = pool;
  return pool;
}

std::shared_ptr<Pool> Pool::Find(uint32_t id) {
  Registry& r = registry();
  std::lock_guard<std::mutex> guard(r.lock);
  auto found = r.pools.find(id);
  return found == r.pools.end() ? nullptr : found->second.lock();
}

void Pool::Unregister() {
  Registry& r = registry();
  std::lock_guard<std::mutex> guard(r.lock);
  r.pools.erase(id_);
}

void Pool::SetBell(uint32_t worker, Doorbell* bell) {
  if (bell != nullptr) bell->AddReference();
  std::lock_guard<std::mutex> guard(bells_lock_);
  if (bells_.size() <= worker) bells_.resize(worker + 1, nullptr);
  if (bells_[worker] != nullptr) bells_[worker]->Release();
  bells_[worker] = bell;
  ended_.resize(bells_.size(), false);
  ended_[worker] = false;
}

void Pool::SetEnded(uint32_t worker) {
  {
    std::lock_guard<std::mutex> guard(bells_lock_);
    if (worker < ended_.size()) ended_[worker] = true;
  }
  Wake(this, TELAR_SCHED_NONE);
}

uint32_t Pool::StateOf(uint32_t worker) {
  std::lock_guard<std::mutex> guard(bells_lock_);
  if (worker >= bells_.size() || bells_[worker] == nullptr) return 0;
  return ended_[worker] ? 2 : 1;
}

void Pool::Wake(void* data, uint32_t worker) {
  Pool* pool = static_cast<Pool*>(data);
  if (worker == TELAR_SCHED_NONE) {
    pool->owner_bell_->Ring();
    return;
  }
  std::lock_guard<std::mutex> guard(pool->bells_lock_);
  if (worker < pool->bells_.size() && pool->bells_[worker] != nullptr) pool->bells_[worker]->Ring();
}

// Called in the owner's thread.
void* Pool::WorkerMemory(void* data, uint32_t) {
  void* memory = nullptr;
  void* at = AllocateAligned(telar_sched_worker_size(), telar_sched_align(), &memory);
  if (at != nullptr) static_cast<Pool*>(data)->worker_memory_.push_back(memory);
  return at;
}

Pool::~Pool() {
  for (Doorbell* bell : bells_) {
    if (bell != nullptr) bell->Release();
  }
  if (owner_bell_ != nullptr) owner_bell_->Release();
  for (void* memory : worker_memory_) std::free(memory);
  std::free(sched_memory_);
  std::free(slab_memory_);
}

}  // namespace telar
