'use strict'

// The errors of telar. `table` is the only list of codes. A test compares the type declarations
// and the documentation with it. Users match on `code`; messages may change.

const {
  AggregateError, Error, Function, Object, RangeError, Symbol, TypeError
} = require('./globals')
const { types } = require('node:util')
const { own, setOwn } = require('./own')

// A process may hold several copies and versions of a package side by side, and Node may load the
// CommonJS and the ES module face of each. A registered symbol makes `instanceof TelarError` true
// for the errors of all of them, and for the TypeError and RangeError variants too.
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

class TelarAggregateError extends AggregateError {
  code
  results = [] // what the calls that did not fail have returned

  constructor (code, message, options) {
    super([], message, options)
    this.code = code
  }
}

class AbortError extends TelarError {
  // `cause` is an own property even when the reason is undefined: callers recognize an abort
  // without a reason by it.
  constructor (reason, what) {
    super('ERR_TELAR_ABORTED', table.ERR_TELAR_ABORTED.message(what), { cause: reason })
  }
}

// On the prototypes, so that the constructor writes the code and nothing else, and so that stacks
// start with the name of the kind of error.
for (const [Class, name] of [
  [TelarError, 'TelarError'],
  [TelarTypeError, 'TypeError'],
  [TelarRangeError, 'RangeError'],
  [TelarAggregateError, 'AggregateError'],
  [AbortError, 'AbortError']
]) {
  setOwn(Class.prototype, 'name', name, false)
  Object.defineProperty(Class.prototype, kTelarError, { __proto__: null, value: true })
}

const table = Object.freeze({
  ERR_TELAR_ABORTED: {
    type: AbortError,
    message: (what = 'task') => `The ${what} has been aborted`,
    when: 'The signal of a task or of a waiting call fired, or the pool closed before the task ' +
      'started. `cause` is the reason.'
  },
  ERR_TELAR_BROADCAST: {
    type: TelarAggregateError,
    message: (failed, total) => `The task of broadcast() failed on ${failed} of ${total} workers`,
    when: 'The task of `broadcast()` failed on some of the workers. `errors` has their errors, ' +
      '`results` the results of the others.'
  },
  ERR_TELAR_CHANNEL_ABORTED: {
    type: TelarError,
    message: () => 'The channel has been aborted',
    cause: (reason) => reason,
    when: 'A thread called `abort()` on the channel. `cause` is a copy of the reason, where that ' +
      'could be copied.'
  },
  ERR_TELAR_CHANNEL_CLOSED: {
    type: TelarError,
    message: () => 'The channel is closed: nothing more can be sent',
    when: 'A call tried to send on a channel that has been closed.'
  },
  ERR_TELAR_CHANNEL_ENDS: {
    type: TelarError,
    message: (message) => message,
    when: 'A second thread sends on a channel made for one producer or receives from one made ' +
      'for one consumer, more than 256 threads use a channel, or one has more than 16 ' +
      'reservations or claims open.'
  },
  ERR_TELAR_CHANNEL_NO_RECEIVER: {
    type: TelarError,
    message: () => 'The channel is full, and every thread that has received from it has ended ' +
      'or detached',
    when: 'A sender waits for room, and no thread is left that receives.'
  },
  ERR_TELAR_CHANNEL_NO_SENDER: {
    type: TelarError,
    message: () => 'The channel is empty, and every thread that has sent on it has ended or ' +
      'detached without close()',
    when: 'A receiver waits for a value, and no thread is left that sends.'
  },
  ERR_TELAR_CLOSE_TIMEOUT: {
    type: TelarError,
    message: () => 'Close operation timed out',
    when: 'Emitted as an `error` event: tasks were still running when `closeTimeout` expired; ' +
      'the pool was destroyed.'
  },
  ERR_TELAR_CORRUPT_PAYLOAD: {
    type: TelarTypeError,
    message: (expected, received, offset) =>
      `Expected ${expected} at byte ${offset} of the payload but received ${received}. ` +
      'Something wrote to the shared memory of the pool; look for code that keeps a view on it.',
    when: 'A value in shared memory could not be read back: something else wrote there.'
  },
  ERR_TELAR_CORRUPT_STATE: {
    type: TelarError,
    message: (kind, expected, received) =>
      `Expected ${expected} in the shared memory of a ${kind} but found ${received}. ` +
      'Something else wrote there; look for code that keeps a view on it.',
    when: 'The shared memory of a lock or channel holds what telar never wrote: something else ' +
      'wrote there.'
  },
  ERR_TELAR_DEADLOCK: {
    type: TelarError,
    message: (kind) =>
      `This thread holds the ${kind} already, so waiting for it here would never end. ` +
      'Unlock it first, or wait with the asynchronous form if another task of this thread ' +
      'holds it.',
    when: 'A synchronous call would wait for a lock that its own thread holds.'
  },
  ERR_TELAR_DISPOSED: {
    type: TelarError,
    message: (what) => `The ${what} has been given back`,
    when: 'A reservation or a claim of a channel was used after commit(), discard(), release() ' +
      'or detach().'
  },
  ERR_TELAR_FILENAME_MISSING: {
    type: TelarError,
    message: () => 'filename must be provided to run() or in options object',
    when: 'Neither the pool nor the call of `run()` names the file that exports the task ' +
      'function.'
  },
  ERR_TELAR_INVALID_ARGUMENT: {
    type: TelarTypeError,
    message: (message) => message,
    when: 'An option or argument has a type or value that is not allowed. The message says what ' +
      'was expected and what was received.'
  },
  ERR_TELAR_LOST_MESSAGE: {
    type: TelarError,
    message: () => 'A value that was sent by MessagePort did not arrive: something else read ' +
      'from the port of the pool',
    when: 'A value that was sent by MessagePort did not arrive.'
  },
  ERR_TELAR_MEMORY_LIMIT: {
    type: TelarError,
    message: (limit, seen) => 'The worker reached its memory limit: its JavaScript heap had ' +
      `${seen === undefined ? 'no room left below the limit of V8' : `${seen} MB`}, and ` +
      `memoryLimit.heapMb is ${limit}. Let tasks hold less at a time, or raise the limit`,
    cause: (limit, seen, cause) => cause,
    when: 'The worker of a task used more than `memoryLimit`. It was replaced.'
  },
  ERR_TELAR_MEMORY_LOST: {
    type: TelarError,
    message: () => 'A record of the channel names a SharedArrayBuffer by its number, and the ' +
      'only thread that had it has ended',
    when: 'A record names shared memory that no thread has any more, because its sender ended ' +
      'before the record was received.'
  },
  ERR_TELAR_NATIVE_LOAD: {
    type: TelarError,
    message: (report) => report,
    when: 'The native library could not be loaded. The message lists each path that was tried, ' +
      'and why it failed.'
  },
  ERR_TELAR_NOT_BYTES: {
    type: TelarTypeError,
    message: () => 'Expected a record of bytes but the next one is a value that was sent with ' +
      'send(): take it with receive()',
    when: 'The next record for `receiveBytes()` is a value. It is kept for the next `receive()` ' +
      'of this thread.'
  },
  ERR_TELAR_NO_HANDLER: {
    type: TelarError,
    message: (filename, details) => `No handler function exported from ${filename}: ${details}`,
    when: 'The file of a task exports no function of the given name. The message says what it ' +
      'exports.'
  },
  ERR_TELAR_NO_QUEUE: {
    type: TelarError,
    message: () => 'No task queue available and all Workers are busy',
    when: '`maxQueue` is 0 and every worker is busy.'
  },
  ERR_TELAR_NO_WORKER_FILE: {
    type: TelarError,
    message: (files) => 'The file that workers run was not found. A bundler has copied the code ' +
      'of telar into a bundle, so that file must be there, too, under one of these names:\n' +
      `${files}\n` +
      'Bundle it as an entry with the name "telar-worker" (its path: require("telar/files")' +
      '.worker), or set the environment variable TELAR_WORKER to where it is. ' +
      'docs/bundlers.md has the lines for each bundler.',
    when: 'A bundler has copied the code of telar into a bundle, and no `telar-worker.js` is ' +
      'beside it; or the file that `TELAR_WORKER` names does not exist. See ' +
      '[bundlers.md](bundlers.md).'
  },
  ERR_TELAR_NOT_HELD: {
    type: TelarError,
    message: (kind) => `The ${kind} is not held by this guard or, in a call without a guard, by ` +
      'this thread',
    when: 'The caller unlocks a lock, or releases a permit, that it does not hold: it was ' +
      'unlocked before, or another thread holds it.'
  },
  ERR_TELAR_NOT_SHARED: {
    type: TelarTypeError,
    message: (kind, received) =>
      `Expected a ${kind}, or a clone of one from another thread, but received ${received}`,
    when: '`from()` got something other than an object of its class or a clone of one.'
  },
  ERR_TELAR_OPTION_CONFLICT: {
    type: TelarRangeError,
    message: (message) => message,
    when: 'Two options exclude each other, such as `minThreads` above `maxThreads`.'
  },
  ERR_TELAR_OTHER_COPY: {
    type: TelarError,
    message: (what, why) =>
      `The ${what} was made by another copy of telar in this process, which this copy cannot ` +
      `work with: ${why}. Let all packages use one installation; "npm ls telar" lists them.`,
    when: 'A lock, a channel or a pool comes from a copy of telar with another version or ' +
      'another native library.'
  },
  ERR_TELAR_OUTER_NAME: {
    type: TelarError,
    message: (name, names) => `The function ${name} uses ${names}, which it does not ` +
      'declare. It runs in another thread, without the variables around it. Pass values as ' +
      "arguments, and modules as imports: exec({ fn, imports: { fs: 'node:fs' } })",
    when: 'A function that was given to `exec()` or `define()` uses a variable from outside of ' +
      'itself. The message names it.'
  },
  ERR_TELAR_OUT_OF_RANGE: {
    type: TelarRangeError,
    message: (message) => message,
    when: 'A number is beyond what the object counts: permits above the maximum of a Semaphore, ' +
      'for example.'
  },
  ERR_TELAR_QUEUE_FULL: {
    type: TelarError,
    message: () => 'Task queue is at limit',
    when: 'The number of waiting tasks has reached `maxQueue`.'
  },
  ERR_TELAR_RECORD_TOO_LARGE: {
    type: TelarRangeError,
    message: (bytes, maximum) => `A record of ${bytes} bytes is larger than the channel takes: ` +
      `${maximum} bytes, half of its capacity`,
    when: 'A value, or a reservation, would need more than half of the ring. Make the channel ' +
      'with a larger `capacity`, or send in parts.'
  },
  ERR_TELAR_TERMINATED: {
    type: TelarError,
    message: () => 'Terminating worker thread',
    when: 'The pool was destroyed, or the worker was ended on purpose, before the task was done.'
  },
  ERR_TELAR_TIMEOUT: {
    type: TelarError,
    message: (call, timeout) => `${call} timed out after ${timeout} ms`,
    when: 'The `timeout` of a waiting call, or the `teardownTimeout` of a pool, expired. Or a ' +
      'task was over its `timeout` or `queueTimeout`: then `phase` is `\'run\'` or `\'queue\'`.'
  },
  ERR_TELAR_TOO_MANY_THREADS: {
    type: TelarError,
    message: (kind, maximum) => `${maximum} living threads have read under this ${kind}, which ` +
      'is its maximum; use fewer threads, or a Mutex',
    when: 'More threads use an RwLock for reading at the same time than it has room for.'
  },
  ERR_TELAR_UNKNOWN_OPTION: {
    type: TelarTypeError,
    message (name, hint) {
      const question = hint === undefined ? '' : `; did you mean ${hint}?`
      return `${name} is not a known option${question}`
    },
    when: 'An option is misspelled or does not exist.'
  },
  ERR_TELAR_UNREADABLE_VALUE: {
    type: TelarError,
    message: (cause) => 'A value arrived by MessagePort, but this thread could not deserialize ' +
      `it: ${cause?.message}. Send only values that both threads can make: a worker may have a ` +
      'smaller stack, less memory and fewer classes',
    cause: (cause) => cause,
    when: 'A value arrived by MessagePort and could not be deserialized there: it is nested too ' +
      'deep for the stack of a worker with `resourceLimits`, for example. `cause` is the error ' +
      'of the platform.'
  },
  ERR_TELAR_UNSUPPORTED_RUNTIME: {
    type: TelarError,
    message: (message) => message,
    when: "`require('telar')` in Deno or on a big-endian processor, or the option `memoryLimit` " +
      'in Bun.'
  },
  ERR_TELAR_WORKER_EXITED: {
    type: TelarError,
    message: (exitCode, tasks) => `worker exited with code: ${exitCode}` +
      (tasks === undefined ? '' : ` while it ran ${tasks}`),
    when: 'A worker ended by itself, by `process.exit()` for example, before its task was done.'
  }
})

// The error of `code`, its message made from `details`.
function createError (code, ...details) {
  const entry = table[code]
  const { type: Class } = entry
  if (Class === AbortError) return new AbortError(...details)
  const cause = own(entry, 'cause')?.(...details)
  const options = cause === undefined ? undefined : { cause }
  return new Class(code, entry.message(...details), options)
}

// An error of telar that was made in a worker arrives as a copy. Makes `instanceof TelarError`
// true for it again.
function recognize (error) {
  const isOfTelar = types.isNativeError(error) && typeof error.code === 'string' &&
    Object.hasOwn(table, error.code)
  if (isOfTelar) {
    Object.defineProperty(error, kTelarError, { __proto__: null, value: true })
  }
  return error
}

// Made in bulk, one for each of thousands of tasks, so without the lookup in the table and
// without the rest parameter.
const createTerminated = () => new TelarError('ERR_TELAR_TERMINATED', 'Terminating worker thread')

module.exports = {
  AbortError,
  TelarAggregateError,
  TelarError,
  TelarRangeError,
  TelarTypeError,
  createError,
  createTerminated,
  recognize,
  table
}
