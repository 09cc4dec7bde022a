'use strict'

// The list of the classes whose objects live in several threads. It is required by the files that
// may be the first to receive such an object: the faces, and the file that a worker runs. A class
// is loaded when the first object of it arrives.

const { registerClasses } = require('./shared/registry')

registerClasses({
  __proto__: null,
  Barrier: () => require('./sync/barrier').Barrier,
  Channel: () => require('./channel/channel').Channel,
  Condition: () => require('./sync/condition').Condition,
  Counter: () => require('./sync/counter').Counter,
  Latch: () => require('./sync/latch').Latch,
  Mutex: () => require('./sync/mutex').Mutex,
  Once: () => require('./sync/once').Once,
  RwLock: () => require('./sync/rw-lock').RwLock,
  Semaphore: () => require('./sync/semaphore').Semaphore
})
