'use strict'

// Every class whose objects live in several threads. Whatever may be the first to meet one requires
// this file: the faces, and the file that a worker runs.

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
