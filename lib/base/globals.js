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

// The file that this code is in: this one, or the bundle that a bundler has copied it into. A
// bundle that is an ES module has no `__filename`, and some bundlers put the name of the source
// there.
const path = require('node:path')
const codeFile = typeof __filename === 'string' && path.isAbsolute(__filename)
  ? __filename
  : fileOfThisFunction()

function fileOfThisFunction () {
  const { prepareStackTrace, stackTraceLimit } = Error
  Error.prepareStackTrace = (_, sites) => sites[0].getFileName()
  Error.stackTraceLimit = 1
  const name = new Error().stack
  Error.stackTraceLimit = stackTraceLimit
  Error.prepareStackTrace = prepareStackTrace
  return name.startsWith('file:') ? require('node:url').fileURLToPath(name) : name
}

// Runs the queues of process.nextTick() and of microtasks until both are empty, as Node does
// between two timers: what a task leaves in them must not run during the next task. Node has no
// public call for that. This one costs a third of an `await`, and an `await` would run only the
// microtasks that are queued already.
const runTicks = withoutWarning(process._tickCallback)

// With --pending-deprecation the property is a function that warns (DEP0134) and calls the original
// one, which is its prototype.
function withoutWarning (run) {
  if (run === undefined) return undefined // in Deno, which own-files.js refuses
  const inner = Object.getPrototypeOf(run)
  return inner === nodeGlobals.Function.prototype ? run : inner
}

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
  Proxy,
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
  WeakSet,
  WebAssembly: optional(globalThis, 'WebAssembly'), // absent with --jitless

  AbortController: nodeGlobals.AbortController,
  Buffer: require('node:buffer').Buffer,
  DOMException: nodeGlobals.DOMException,
  QuotaExceededError: optional(nodeGlobals, 'QuotaExceededError'), // since Node 26
  codeFile,
  nextTick: process.nextTick,
  // Bundlers replace `require` by a function that knows only the files of the bundle.
  nodeRequire: require('node:module').createRequire(codeFile),
  nodeGlobals,
  process,
  queueMicrotask: nodeGlobals.queueMicrotask,
  runTicks,
  structuredClone: nodeGlobals.structuredClone
}
