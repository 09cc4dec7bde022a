// cpus.h - how many CPUs this process may keep busy, as counted by os.h.
#ifndef TELAR_BINDING_CPUS_H
#define TELAR_BINDING_CPUS_H

#include "os/os.h"

namespace telar {

// Read once, so that pools and locks always use the same number. Any thread.
inline unsigned Cpus() {
  static const unsigned cpus = telar_os_cpus();
  return cpus;
}

}  // namespace telar

#endif
