'use strict'

// Every error that telar itself makes. `table` is the one list of codes: the
// constructors, the type declarations and the documentation follow it, and a
// test holds them together. Match on `code`; messages may get clearer.

const {
  Array, Error, Function, JSON, Object, RangeError, String, Symbol, TypeError
} = require('./globals')
const { types } = require('node:util')
const { own, setOwn } = require('./own')

// Node loads CommonJS and ES module faces, several copies and several versions
// of a package side by side. A registered symbol makes `instanceof TelarError`
// true for all of them, and for the TypeError and RangeError variants too.
const kTelarError = Symbol.for('telar.error')

class TelarError extends Error {
  code

  constructor (code, message, options) {
    super(message, options)
    this.code = code
  }

  static [Symbol.hasInstance] (value) {
    if (this !== TelarError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && value[kTelarError] === true
  }
}

class TelarTypeError extends TypeError {
  code

  constructor (code, message, options) {
    super(message, options)
    this.code = code
  }
}

class TelarRangeError extends RangeError {
  code

  constructor (code, message, options) {
    super(message, options)
    this.code = code
  }
}

class AbortError extends TelarError {
  // `cause` is set even when the reason is undefined: `new Error(m, { cause: undefined })`
  // has an own `cause`, and callers tell "aborted without a reason" by it.
  constructor (reason, what) {
    super('ERR_TELAR_ABORTED', table.ERR_TELAR_ABORTED.message(what), { cause: reason })
  }
}

// On the prototypes, so that making an error writes nothing but its code, and
// so that stacks start with a name that says what kind of error it is.
for (const [Class, name] of [
  [TelarError, 'TelarError'],
  [TelarTypeError, 'TypeError'],
  [TelarRangeError, 'RangeError'],
  [AbortError, 'AbortError']
]) {
  setOwn(Class.prototype, 'name', name, false)
  Object.defineProperty(Class.prototype, kTelarError, { __proto__: null, value: true })
}

const table = Object.freeze({
  ERR_TELAR_ABORTED: {
    type: AbortError,
    message: (what = 'task') => `The ${what} has been aborted`,
    when: 'The signal of a task or of a waiting call fired, or the pool closed before the task started. `cause` is the reason.'
  },
  ERR_TELAR_CHANNEL_ABORTED: {
    type: TelarError,
    message: () => 'The channel has been aborted',
    cause: (reason) => reason,
    when: 'Somebody called `abort()` on the channel. `cause` is a copy of the reason, where that could be copied.'
  },
  ERR_TELAR_CHANNEL_CLOSED: {
    type: TelarError,
    message: () => 'The channel is closed: nothing more can be sent',
    when: 'Something was to be sent on a channel that has been closed.'
  },
  ERR_TELAR_CHANNEL_ENDS: {
    type: TelarError,
    message: (message) => message,
    when: 'A second thread sends on a channel made for one producer or receives from one made for one consumer, ' +
      'more than 256 threads use a channel, or one has more than 16 reservations or claims open.'
  },
  ERR_TELAR_CHANNEL_NO_RECEIVER: {
    type: TelarError,
    message: () => 'The channel is full, and every thread that has received from it has ended or detached',
    when: 'A sender waits for room, and nobody is left who would make any.'
  },
  ERR_TELAR_CHANNEL_NO_SENDER: {
    type: TelarError,
    message: () => 'The channel is empty, and every thread that has sent on it has ended or detached without close()',
    when: 'A receiver waits for something, and nobody is left who would send it.'
  },
  ERR_TELAR_CLOSE_TIMEOUT: {
    type: TelarError,
    message: () => 'Close operation timed out',
    when: 'Emitted as an `error` event: tasks still ran when `closeTimeout` was over; the pool was destroyed.'
  },
  ERR_TELAR_CORRUPT_PAYLOAD: {
    type: TelarTypeError,
    message: (expected, received, offset) => `Expected ${expected} at byte ${offset} of the payload but received ${received}. ` +
      'Something wrote to the shared memory of the pool; look for code that keeps a view on it.',
    when: 'A value in shared memory could not be read back: something else wrote there.'
  },
  ERR_TELAR_CORRUPT_STATE: {
    type: TelarError,
    message: (kind, expected, received) => `Expected ${expected} in the shared memory of a ${kind} but found ${received}. ` +
      'Something else wrote there; look for code that keeps a view on it.',
    when: 'The shared memory of a lock or channel holds what telar never wrote: something else wrote there.'
  },
  ERR_TELAR_DEADLOCK: {
    type: TelarError,
    message: (kind) => `This thread holds the ${kind} already, so waiting for it here would never end. ` +
      'Unlock it first, or wait with the asynchronous form if another task of this thread holds it.',
    when: 'A synchronous call would wait for a lock that its own thread holds.'
  },
  ERR_TELAR_DISPOSED: {
    type: TelarError,
    message: (what) => `The ${what} has been given back`,
    when: 'A reservation or a claim of a channel was used after commit(), discard(), release() or detach().'
  },
  ERR_TELAR_FILENAME_MISSING: {
    type: TelarError,
    message: () => 'filename must be provided to run() or in options object',
    when: 'Neither the pool nor the call of `run()` names the file that exports the task function.'
  },
  ERR_TELAR_INVALID_ARGUMENT: {
    type: TelarTypeError,
    message: (message) => message,
    when: 'An option or argument has a type or value that is not allowed. The message says what was expected and what came.'
  },
  ERR_TELAR_LOST_MESSAGE: {
    type: TelarError,
    message: () => 'A value that was sent by MessagePort did not arrive: something else read from the port of the pool',
    when: 'A value that travels by MessagePort is not there.'
  },
  ERR_TELAR_MEMORY_LOST: {
    type: TelarError,
    message: () => 'A SharedArrayBuffer came through a channel by its number, and the only thread that knew it has ended',
    when: 'A record names shared memory that no thread has any more, since its sender ended before the record was received.'
  },
  ERR_TELAR_NATIVE_LOAD: {
    type: TelarError,
    message: (report) => report,
    when: 'The native library could not be loaded. The message lists each path that was tried, and why it failed.'
  },
  ERR_TELAR_NOT_BYTES: {
    type: TelarTypeError,
    message: () => 'Expected a record of bytes but the next one was sent by send(): receive() takes it',
    when: '`receiveBytes()` came upon a value. It is kept for the next `receive()` of this thread.'
  },
  ERR_TELAR_NO_HANDLER: {
    type: TelarError,
    message: (filename, details) => `No handler function exported from ${filename}: ${details}`,
    when: 'The file of a task exports no function of the given name. The message says what it exports.'
  },
  ERR_TELAR_NO_QUEUE: {
    type: TelarError,
    message: () => 'No task queue available and all Workers are busy',
    when: '`maxQueue` is 0 and every worker is busy.'
  },
  ERR_TELAR_NOT_HELD: {
    type: TelarError,
    message: (kind) => `The ${kind} is not held: neither by this guard, nor, where there is no guard, by this thread`,
    when: 'A lock was to be unlocked, or a permit released, by who does not hold it: it was unlocked before, or by another thread.'
  },
  ERR_TELAR_NOT_SHARED: {
    type: TelarTypeError,
    message: (kind, received) => `Expected a ${kind}, or what arrived of one in another thread, but received ${received}`,
    when: '`from()` got something else than an object of its class, or a clone of one.'
  },
  ERR_TELAR_OPTION_CONFLICT: {
    type: TelarRangeError,
    message: (message) => message,
    when: 'Two options exclude each other, such as `minThreads` above `maxThreads`.'
  },
  ERR_TELAR_OTHER_COPY: {
    type: TelarError,
    message: (what, why) => `The ${what} was made by another copy of telar in this process, which this one cannot work with: ${why}. ` +
      'Let all packages use one installation; "npm ls telar" lists them.',
    when: 'A lock, a channel or a pool comes from a copy of telar with another version or another native library.'
  },
  ERR_TELAR_OUT_OF_RANGE: {
    type: TelarRangeError,
    message: (message) => message,
    when: 'A number is beyond what the object counts: permits above the maximum of a Semaphore, for example.'
  },
  ERR_TELAR_QUEUE_FULL: {
    type: TelarError,
    message: () => 'Task queue is at limit',
    when: 'As many tasks wait as `maxQueue` allows.'
  },
  ERR_TELAR_RECORD_TOO_LARGE: {
    type: TelarRangeError,
    message: (bytes, most) => `A record of ${bytes} bytes is larger than the channel takes: ${most} bytes, half of its capacity`,
    when: 'A value, or a reservation, would need more than half of the ring. Make the channel with a larger `capacity`, or send in parts.'
  },
  ERR_TELAR_TERMINATED: {
    type: TelarError,
    message: () => 'Terminating worker thread',
    when: 'The pool was destroyed, or the worker was ended on purpose, before the task was done.'
  },
  ERR_TELAR_TIMEOUT: {
    type: TelarError,
    message: (call, timeout) => `${call} timed out after ${timeout} ms`,
    when: 'The `timeout` of a waiting call was over.'
  },
  ERR_TELAR_TOO_MANY_THREADS: {
    type: TelarError,
    message: (kind, most) => `${most} living threads have read under this ${kind}, which is as many as it knows; use fewer threads, or a Mutex`,
    when: 'More threads at a time use an RwLock for reading than it has places for.'
  },
  ERR_TELAR_UNKNOWN_OPTION: {
    type: TelarTypeError,
    message: (name, hint) => `${name} is not a known option${hint === undefined ? '' : `; did you mean ${hint}?`}`,
    when: 'An option is misspelt or does not exist.'
  },
  ERR_TELAR_UNREADABLE_VALUE: {
    type: TelarError,
    message: (cause) => `A value came by MessagePort, and this thread could not deserialize it: ${cause?.message}. ` +
      'Send what both threads can make: the stack and the memory that a worker has, and the classes that it knows, may be fewer',
    cause: (cause) => cause,
    when: 'A value that travels by MessagePort arrived, and could not be deserialized there: it is nested too deep for the ' +
      'stack of a worker with `resourceLimits`, for example. `cause` is what the platform said.'
  },
  ERR_TELAR_WORKER_EXITED: {
    type: TelarError,
    message: (exitCode) => `worker exited with code: ${exitCode}`,
    when: 'A worker ended by itself, by `process.exit()` for example, before its task was done.'
  }
})

// The error of `code`, its message made from `details`.
function createError (code, ...details) {
  const entry = table[code]
  if (entry.type === AbortError) return new AbortError(...details)
  const cause = own(entry, 'cause')?.(...details)
  return new entry.type(code, entry.message(...details), cause === undefined ? undefined : { cause }) // eslint-disable-line new-cap
}

// An error of telar's that was made in a worker arrives as a copy: makes it what
// it was for `instanceof TelarError`.
function recognise (error) {
  if (types.isNativeError(error) && typeof error.code === 'string' && Object.hasOwn(table, error.code)) {
    Object.defineProperty(error, kTelarError, { __proto__: null, value: true })
  }
  return error
}

// Those that come in bulk, one for each of thousands of tasks, skip the look-up
// and the rest parameter.
const createTerminated = () => new TelarError('ERR_TELAR_TERMINATED', 'Terminating worker thread')

const kLongest = 40

// What a caller passed, for the end of a message: `received 'x'`, `received an instance of Date`.
function describe (value) {
  switch (typeof value) {
    case 'string':
      return value.length > kLongest ? `${JSON.stringify(value.slice(0, kLongest))}… (${value.length} characters)` : JSON.stringify(value)
    case 'bigint':
      return `${value}n`
    case 'symbol':
      return String(value)
    case 'function':
      return value.name ? `function ${value.name}` : 'an anonymous function'
    case 'object': {
      if (value === null) return 'null'
      if (Array.isArray(value)) return `an array of ${value.length}`
      const name = constructorName(value)
      return name === undefined || name === 'Object' ? 'an object' : `an instance of ${name}`
    }
    default:
      return Object.is(value, -0) ? '-0' : String(value)
  }
}

// A proxy or a getter of the caller's may throw: a message must not replace
// the error that it describes.
function constructorName (value) {
  try {
    const name = value.constructor?.name
    return typeof name === 'string' && name !== '' ? name : undefined
  } catch {
    return undefined
  }
}

module.exports = {
  AbortError,
  TelarError,
  TelarRangeError,
  TelarTypeError,
  createError,
  createTerminated,
  describe,
  recognise,
  table
}
