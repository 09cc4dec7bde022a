'use strict'

// What telar uses of the language and of Node, taken when it is loaded. Tests replace what
// stands in the global scope (stubs, fakes), and so may a task: telar goes on with what was
// there before. No other file of lib/ uses a global; the linter holds that. Time is in time.js.

// A test runner may load telar into a context of its own. The classes of the language are those
// of that context, as in the values that telar is given there. What is Node's may be missing
// there, or be a substitute: it is taken from Node's own context.
const isOwnContext = Object.getPrototypeOf(require('node:path')) !== Object.prototype
// Some of that Node makes when it is first asked for: by a script of its own context, for
// Node 22 and newer abort the process where one of another context asks.
const nodeGlobals = isOwnContext
  ? require('node:vm').runInThisContext('DOMException, globalThis.QuotaExceededError, globalThis')
  : globalThis
const process = isOwnContext ? nodeGlobals.process : require('node:process')

// What not every version has must not be looked for on Object.prototype.
function optional (globals, name) {
  return Object.hasOwn(globals, name) ? globals[name] : undefined
}

module.exports = {
  AggregateError,
  Array,
  ArrayBuffer,
  Atomics,
  BigInt,
  BigInt64Array,
  BigUint64Array,
  Boolean,
  DataView,
  Date,
  Error,
  EvalError,
  FinalizationRegistry,
  Float16Array: optional(globalThis, 'Float16Array'), // since Node 24
  Float32Array,
  Float64Array,
  Function,
  Int16Array,
  Int32Array,
  Int8Array,
  JSON,
  Map,
  Math,
  Number,
  Object,
  Promise,
  RangeError,
  ReferenceError,
  Reflect,
  RegExp,
  Set,
  SharedArrayBuffer,
  String,
  SuppressedError: optional(globalThis, 'SuppressedError'), // since Node 24
  Symbol,
  SyntaxError,
  TypeError,
  URIError,
  Uint16Array,
  Uint32Array,
  Uint8Array,
  Uint8ClampedArray,
  WeakMap,
  WeakRef,

  AbortController: nodeGlobals.AbortController,
  Buffer: require('node:buffer').Buffer,
  DOMException: nodeGlobals.DOMException,
  QuotaExceededError: optional(nodeGlobals, 'QuotaExceededError'), // since Node 26
  nextTick: process.nextTick,
  nodeGlobals,
  process,
  queueMicrotask: nodeGlobals.queueMicrotask,
  structuredClone: nodeGlobals.structuredClone
}
