'use strict'

// move(value) marks a value to be transferred instead of copied. The public symbols are those that
// Piscina registers. So objects that implement them for Piscina, and files that get them from
// Symbol.for(), work unchanged.

const { Buffer, Object, Set, Symbol } = require('../base/globals')
const {
  isArrayBuffer, isArrayBufferView, isProxy, isSharedArrayBuffer
} = require('node:util/types')
const { own, setOwn } = require('../base/own')
const { isPooled } = require('../codec/buffer-pool')
const { describe } = require('../base/describe')
const { createError } = require('../base/errors')

// Since Node 21.
const isMarkedAsUntransferable = own(require('node:worker_threads'), 'isMarkedAsUntransferable')

const kTransferable = Symbol.for('Piscina.transferable')
const kValue = Symbol.for('Piscina.valueOf')
const kQueueOptions = Symbol.for('Piscina.queueOptions')
// A registered symbol too: a worker file may load another copy of telar than the pool did.
const kMovable = Symbol.for('telar.movable')

// Structured clone throws for a symbol. The description is part of the message, which continues
// with "could not be cloned".
const kMisplaced = Symbol('What move() returned, as a part of a value: use transferList there. It')

const kToMove = 'an ArrayBuffer, a view on one, a MessagePort, a FileHandle, a stream, or an ' +
  'object with both transferableSymbol and valueSymbol'

// The results of Object.prototype.toString() for objects that no version of Node transfers. Objects
// of Node's own classes may give the same; they are recognized by their symbols.
const kNeverMoved = new Set([
  'Object', 'Array', 'Arguments', 'Map', 'Set', 'WeakMap', 'WeakSet', 'WeakRef', 'Date', 'RegExp',
  'Error', 'Promise', 'Boolean', 'Number', 'String', 'Symbol', 'BigInt'
].map((name) => `[object ${name}]`))

// The object to transfer, and the value that the receiver gets. They differ for a view: its buffer
// is transferred.
class Moved {
  #transferable
  #value

  constructor (value) {
    this.#transferable = isArrayBufferView(value) ? value.buffer : value
    this.#value = value
  }

  // Undefined: it is not a Moved.
  static transferableOf (value) {
    return #transferable in value ? value.#transferable : undefined
  }

  get [kTransferable] () { return this.#transferable }
  get [kValue] () { return this.#value }
  get [kMovable] () { return true }
}

// Inside another value a Moved has no effect: its clone would be {}, and the value would be lost.
// The symbol makes structured clone throw instead.
class MovedOrRefused extends Moved {
  misplaced = kMisplaced
}

function isTransferable (value) {
  return typeof value === 'object' && value !== null && kTransferable in value && kValue in value
}

function isMovable (value) {
  return isTransferable(value) && value[kMovable] === true
}

// Not enumerable, so that the mark does not appear when the object is printed or spread.
function markMovable (value) {
  setOwn(value, kMovable, true, false)
}

// Whether a value is a Buffer in a pool. Many Buffers share that memory, and Node does not transfer
// it.
function isInPool (value) {
  if (!Buffer.isBuffer(value) || value.byteLength >= value.buffer.byteLength) return false
  const { buffer } = value
  return isMarkedAsUntransferable?.(buffer) ??
    (isPooled(buffer) || buffer.byteLength === Buffer.poolSize)
}

// Whether a value may be marked by move(). True also if a getter or a proxy throws: who reads the
// mark then handles that.
function isMarked (value) {
  return typeof value === 'object' && value !== null && mayBeMarked(value)
}

function mayBeMarked (value) {
  try {
    return value[kMovable] === true
  } catch {
    return true
  }
}

// The ArrayBuffer that move() has wrapped, or whose view it has; null for anything else. Runs no
// code of the user.
function movedBuffer (value) {
  if (typeof value !== 'object' || value === null) return null
  const buffer = Moved.transferableOf(value)
  return isArrayBuffer(buffer) ? buffer : null
}

function move (value) {
  if (typeof value === 'object' && value !== null && !isTransferable(value)) check(value)
  return mark(value, MovedOrRefused)
}

// move() of Piscina: a value that cannot be transferred fails when it is sent, and a value that was
// moved as a part of another one is lost without an error.
function moveUnchecked (value) {
  return mark(value, Moved)
}

function mark (value, Class) {
  if (typeof value !== 'object' || value === null || isInPool(value)) return value
  if (!isTransferable(value)) return new Class(value)
  markMovable(value)
  return value
}

function check (value) {
  const buffer = isArrayBufferView(value) ? value.buffer : value
  if (isArrayBuffer(buffer)) return
  if (isSharedArrayBuffer(buffer)) {
    throw refusal(value, 'Shared memory is not moved: pass it without move(), and both threads ' +
      'use it')
  }
  if (isNeverMoved(buffer)) {
    throw refusal(value, 'To move parts of a value, name them in the transferList of run(), or ' +
      'move an object whose transferableSymbol gives the parts and whose valueSymbol gives the ' +
      'value. Without move() a value is copied')
  }
}

function isNeverMoved (value) {
  if (isProxy(value)) return true
  return kNeverMoved.has(Object.prototype.toString.call(value)) && !isOfNode(value)
}

// Objects of Node that can be transferred, and some that can only be cloned, have methods for that
// whose keys are symbols.
function isOfNode (value) {
  for (let object = value; object !== null; object = Object.getPrototypeOf(object)) {
    if (Object.getOwnPropertySymbols(object).some(isMessagingSymbol)) return true
  }
  return false
}

function isMessagingSymbol ({ description }) {
  return description?.startsWith('messaging_')
}

function refusal (value, advice) {
  const problem = `Expected move() to get ${kToMove}, but received ${describe(value)}`
  return createError('ERR_TELAR_INVALID_ARGUMENT', `${problem}. ${advice}`)
}

module.exports = {
  isMarked,
  isMovable,
  isTransferable,
  kMovable,
  kQueueOptions,
  kTransferable,
  kValue,
  markMovable,
  move,
  moveUnchecked,
  movedBuffer
}
