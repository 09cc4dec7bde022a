// cpus.h - how many CPUs this process may keep busy, as os.h counts them.
#ifndef TELAR_BINDING_CPUS_H
#define TELAR_BINDING_CPUS_H

#include "os/os.h"

namespace telar {

// Read once: pools and locks must not disagree about the machine they run on.
// Any thread.
inline unsigned Cpus() {
  static const unsigned cpus = telar_os_cpus();
  return cpus;
}

}  // namespace telar

#endif
