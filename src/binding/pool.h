// pool.h - one pool's core: the scheduler and the slab, with their memory.
//
// Owner and workers live in different environments and find the pool by a
// number, so that JavaScript never holds a pointer. Reference-counted: the
// memory goes when the owner and every attached worker have let go.
#ifndef TELAR_BINDING_POOL_H
#define TELAR_BINDING_POOL_H

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "doorbell.h"
#include "core/sched.h"

namespace telar {

struct PoolConfig {
  uint32_t slots;
  uint32_t workers;
  uint32_t concurrency;
  bool timing;
  uint64_t region_offset;  // of the payload blocks in the shared memory, bytes
  uint64_t region_bytes;
};

class Pool {
 public:
  // Null when the configuration is invalid or memory is short.
  static std::shared_ptr<Pool> Create(const PoolConfig& config, Doorbell* owner_bell);
  // Null when no such pool is open.
  static std::shared_ptr<Pool> Find(uint32_t id);
  ~Pool();

  // Takes the pool out of the registry.
  void Unregister();

  // The bell that the scheduler rings for a worker, from its thread's start
  // until that worker is retired (null).
  void SetBell(uint32_t worker, Doorbell* bell);

  uint32_t id() const { return id_; }
  telar_sched* sched() { return sched_; }
  telar_slab* slab() { return slab_; }

 private:
  Pool() = default;
  static void Wake(void* pool, uint32_t worker);

  uint32_t id_ = 0;
  Doorbell* owner_bell_ = nullptr;
  std::mutex bells_lock_;         // a bell is rung under it: so it cannot go in between
  std::vector<Doorbell*> bells_;  // by worker
  void* sched_memory_ = nullptr;
  void* slab_memory_ = nullptr;
  telar_sched* sched_ = nullptr;
  telar_slab* slab_ = nullptr;
};

}  // namespace telar

#endif
