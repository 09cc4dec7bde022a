// pool.h - the native part of one pool: the scheduler and the slab, with their memory.
//
// Owner and workers live in different environments. They find the pool by a number, so that
// JavaScript never holds a pointer. The pool is reference-counted: its memory is freed when the
// owner and all attached workers have released it.
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
  uint64_t region_offset;  // of the payload blocks in the shared memory, in bytes
  uint64_t region_bytes;
};

class Pool {
 public:
  // Null if the configuration is invalid or there is too little memory.
  static std::shared_ptr<Pool> Create(const PoolConfig& config, Doorbell* owner_bell);
  // Null if no such pool is open.
  static std::shared_ptr<Pool> Find(uint32_t id);
  ~Pool();

  // Removes the pool from the registry.
  void Unregister();

  // Sets the bell that the scheduler rings for a worker, from the start of the worker's thread
  // until the worker is retired (null).
  void SetBell(uint32_t worker, Doorbell* bell);

  // The environment of a worker has ended: its thread calls nothing of the pool any more. Wakes the
  // owner. Called in the thread of the worker.
  void SetEnded(uint32_t worker);
  // 0: no thread has attached as this worker; 1: one has; 2: and its environment has ended.
  uint32_t StateOf(uint32_t worker);

  uint32_t id() const { return id_; }
  telar_sched* sched() { return sched_; }
  telar_slab* slab() { return slab_; }

 private:
  Pool() = default;
  static void Wake(void* pool, uint32_t worker);
  static void* WorkerMemory(void* pool, uint32_t worker);

  uint32_t id_ = 0;
  Doorbell* owner_bell_ = nullptr;
  std::mutex bells_lock_;  // held while a bell is rung, so the bell cannot be freed meanwhile
  std::vector<Doorbell*> bells_;      // indexed by worker
  std::vector<bool> ended_;           // the same; see SetEnded
  std::vector<void*> worker_memory_;  // one for each index that was used
  void* sched_memory_ = nullptr;
  void* slab_memory_ = nullptr;
  telar_sched* sched_ = nullptr;
  telar_slab* slab_ = nullptr;
};

}  // namespace telar

#endif
