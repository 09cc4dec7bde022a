'use strict'

// The globals of the language and of Node that telar uses, read when it is loaded. Tests replace
// globals (with stubs and fakes), and a task may do so too: telar keeps using the originals. No
// other file of lib/ uses a global; the linter checks that. Time is in time.js.

// A test runner may load telar into a context of its own. Then the classes of the language are
// those of that context, like those of the values that telar is given there. The globals of Node
// may be missing there, or be substitutes, so they are taken from Node's own context.
const isOwnContext = Object.getPrototypeOf(require('node:path')) !== Object.prototype
// Node creates some of its globals when they are first read. A script of Node's own context reads
// them: Node 22 and newer abort the process when code of another context does.
const nodeGlobals = isOwnContext
  ? require('node:vm').runInThisContext('DOMException, globalThis.QuotaExceededError, globalThis')
  : globalThis
const process = isOwnContext ? nodeGlobals.process : require('node:process')

// For a global that not every version has. It must not be found on Object.prototype.
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
