'use strict'

// An object of every class that Node has, with every prototype that it may be given. What the codec
// takes must come out as structuredClone() makes it, but for the differences that docs/values.md
// lists.

const assert = require('node:assert/strict')
const asyncHooks = require('node:async_hooks')
const nodeCrypto = require('node:crypto')
const { EventEmitter } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { createHistogram } = require('node:perf_hooks')
const { test } = require('node:test')
const { types } = require('node:util')
const v8 = require('node:v8')
const vm = require('node:vm')
const { Codec, difference } = require('../fixtures/codec')

const emptyModule = Buffer.from('0061736d01000000', 'hex')
const certificate = fs.readFileSync(path.join(__dirname, '..', 'fixtures', 'certificate.pem'))

// A maker throws if this version of Node lacks the class, and is then left out.
const makers = {
  object: () => ({ a: 1 }),
  'empty object': () => ({}),
  array: () => [1, 2],
  arguments: () => (function () { return arguments })(1),
  Date: () => new Date(5),
  RegExp: () => /a/g,
  Map: () => new Map([[1, 2]]),
  Set: () => new Set([1]),
  WeakMap: () => new WeakMap(),
  WeakSet: () => new WeakSet(),
  WeakRef: () => new WeakRef({}),
  FinalizationRegistry: () => new FinalizationRegistry(() => {}),
  Promise: () => Promise.resolve(1),
  Number: () => Object(1),
  String: () => Object('ab'),
  Boolean: () => Object(true),
  BigInt: () => Object(1n),
  Symbol: () => Object(Symbol('s')),
  TypeError: () => new TypeError('m'),
  ArrayBuffer: () => new Uint8Array([1, 2]).buffer,
  'resizable ArrayBuffer': () => new ArrayBuffer(2, { maxByteLength: 8 }),
  SharedArrayBuffer: () => new SharedArrayBuffer(4),
  Uint8Array: () => new Uint8Array([1, 2]),
  'empty Uint8Array': () => new Uint8Array(0),
  Int32Array: () => new Int32Array([1]),
  BigInt64Array: () => new BigInt64Array([1n]),
  'Uint8Array on shared memory': () => new Uint8Array(new SharedArrayBuffer(2)),
  DataView: () => new DataView(new ArrayBuffer(3)),
  generator: () => (function * () {})(),
  'async generator': () => (async function * () {})(),
  'array iterator': () => [1][Symbol.iterator](),
  'Map iterator': () => new Map([[1, 2]]).entries(),
  'Set iterator': () => new Set([1]).values(),
  'string iterator': () => 'ab'[Symbol.iterator](),
  'match iterator': () => 'ab'.matchAll(/a/g),
  'iterator helper': () => [1].values().map((x) => x),
  'Intl.Collator': () => new Intl.Collator(),
  'Intl.DateTimeFormat': () => new Intl.DateTimeFormat(),
  'Intl.NumberFormat': () => new Intl.NumberFormat(),
  'Intl.Locale': () => new Intl.Locale('en'),
  'Intl.Segmenter': () => new Intl.Segmenter(),
  'Intl.DurationFormat': () => new Intl.DurationFormat('en'),
  'WebAssembly.Module': () => new WebAssembly.Module(emptyModule),
  'WebAssembly.Instance': () => new WebAssembly.Instance(new WebAssembly.Module(emptyModule)),
  'WebAssembly.Memory': () => new WebAssembly.Memory({ initial: 1 }),
  'WebAssembly.Global': () => new WebAssembly.Global({ value: 'i32' }, 1),
  'raw JSON': () => JSON.rawJSON('1'),
  DisposableStack: () => new DisposableStack(), // eslint-disable-line no-undef
  Temporal: () => globalThis.Temporal.Now.instant(),
  proxy: () => new Proxy({}, {}),
  function: () => () => {},
  instance: () => new (class A { x = 1 })(),
  'instance with a private field': () => new (class A { #x = 1; get x () { return this.#x } })(),
  Blob: () => new Blob(['a']),
  MessagePort: () => new MessageChannel().port1,
  URL: () => new URL('http://localhost/'),
  URLSearchParams: () => new URLSearchParams('a=1'),
  Headers: () => new Headers(),
  Event: () => new Event('x'),
  EventTarget: () => new EventTarget(),
  AbortController: () => new AbortController(),
  AbortSignal: () => new AbortController().signal,
  TextEncoder: () => new TextEncoder(),
  ReadableStream: () => new ReadableStream(),
  KeyObject: () => nodeCrypto.createSecretKey(Buffer.from('ab')),
  Hash: () => nodeCrypto.createHash('sha1'),
  X509Certificate: () => new nodeCrypto.X509Certificate(certificate),
  BlockList: () => new net.BlockList(),
  SocketAddress: () => new net.SocketAddress(),
  Socket: () => new net.Socket(),
  Histogram: () => createHistogram(),
  EventEmitter: () => new EventEmitter(),
  Stats: () => fs.statSync(__dirname),
  Script: () => new vm.Script('1'),
  'vm context': () => vm.createContext({ a: 1 }),
  Serializer: () => new v8.Serializer(),
  AsyncResource: () => new asyncHooks.AsyncResource('x'),
  'Map of another realm': () => vm.runInNewContext('new Map([[1, 2]])'),
  'object of another realm': () => vm.runInNewContext('({ a: 1 })'),
  'Error of another realm': () => vm.runInNewContext('new Error("m")')
}

const dressed = (prototype) => (object) => Object.setPrototypeOf(object, prototype)
const { prototype: OtherObjectPrototype } = vm.runInNewContext('Object')
const changes = {
  'as it is': (object) => object,
  frozen: Object.freeze,
  'with a property': (object) => Object.assign(object, { extra: 1 }),
  'dressed as nothing': dressed(null),
  'dressed as a plain object': dressed(Object.prototype),
  'dressed as a plain object of another realm': dressed(OtherObjectPrototype),
  'dressed as nothing, with a property': (object) =>
    dressed(null)(Object.assign(object, { extra: 1 })),
  'dressed as a plain object, with a property': (object) =>
    dressed(Object.prototype)(Object.assign(object, { extra: 1 })),
  'dressed as nothing, frozen': (object) => Object.freeze(dressed(null)(object)),
  ...Object.fromEntries([
    Array, Map, Date, Error, RegExp, Uint8Array, ArrayBuffer, Promise, class Own {},
    class OwnSet extends Set {}
  ].map((Class) => [`dressed as an instance of ${Class.name}`, dressed(Class.prototype)]))
}

// Whether docs/values.md lists the object. If it is dressed as a plain object, the codec recognizes
// it only if JavaScript has a test for its class. The codec makes these tests only for an object
// with no own properties or with elements only.
const isListed = (object) => {
  const prototype = Object.getPrototypeOf(object)
  if (JSON.isRawJSON?.(object)) return false
  if (prototype !== null && prototype !== Object.prototype && prototype !== OtherObjectPrototype) {
    return false
  }
  const keys = Object.keys(object)
  return (keys.length > 0 && keys[0] !== '0') || !isRecognized(object)
}

const isRecognized = (object) => ArrayBuffer.isView(object) ||
  types.isAnyArrayBuffer(object) || types.isMap(object) || types.isSet(object) ||
  types.isWeakMap(object) || types.isWeakSet(object) || types.isPromise(object) ||
  types.isBoxedPrimitive(object) || types.isGeneratorObject(object) ||
  types.isMapIterator(object) || types.isSetIterator(object)

const attempt = (run) => {
  try {
    return { value: run() }
  } catch (error) {
    return { error }
  }
}

function check (object, how) {
  const codec = new Codec()
  const size = codec.encode(object)
  if (size === -1) return
  const own = codec.decode(size)
  if (isListed(object)) {
    assert.equal(Object.getPrototypeOf(own), Object.prototype, how)
    assert.deepEqual(Object.keys(own), Object.keys(object), how)
    return
  }
  const platform = attempt(() => structuredClone(object))
  assert.equal(platform.error, undefined, how)
  if (types.isNativeError(object)) {
    assert.equal(own.message, platform.value.message, how)
    assert.equal(Object.getPrototypeOf(own), Object.getPrototypeOf(platform.value), how)
  } else {
    assert.equal(difference(own, platform.value), null, how)
  }
}

for (const [name, make] of Object.entries(makers)) {
  test(`the codec agrees with the platform, whatever the prototype: ${name}`, () => {
    for (const [how, change] of Object.entries(changes)) {
      const made = attempt(() => change(make()))
      // Some versions lack the class, and some objects refuse another prototype.
      if (made.error === undefined) check(made.value, how)
    }
  })
}
