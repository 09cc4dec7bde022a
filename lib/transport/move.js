'use strict'

// move(value): "transfer this, do not copy it". The two public symbols are
// Piscina's registered ones, so objects that implement them for Piscina, and
// files that got them from Symbol.for(), work unchanged.

const { Buffer, Object, Set, Symbol } = require('../base/globals')
const { isArrayBufferView, isProxy, isSharedArrayBuffer } = require('node:util/types')
const { own, setOwn } = require('../base/own')
const { isPooled } = require('../codec/buffer-pool')
const { createError, describe } = require('../base/errors')

const isMarkedAsUntransferable = own(require('node:worker_threads'), 'isMarkedAsUntransferable') // since Node 21

const kTransferable = Symbol.for('Piscina.transferable')
const kValue = Symbol.for('Piscina.valueOf')
const kQueueOptions = Symbol.for('Piscina.queueOptions')
// Registered too: a worker file may load another copy of telar than the pool's.
const kMovable = Symbol.for('telar.movable')

// Structured clone refuses a symbol, and its message shows the first and last words of the description.
const kMisplaced = Symbol('What move() returned, as a part of a value: use transferList there. It')

const kToMove = 'an ArrayBuffer, a view on one, a MessagePort, a FileHandle, a stream, or an object with both ' +
  'transferableSymbol and valueSymbol'

// What Object.prototype.toString says of objects that no version of Node transfers. Those of Node's own classes
// that say the same are known by their symbols.
const kNeverMoved = new Set(['Object', 'Array', 'Arguments', 'Map', 'Set', 'WeakMap', 'WeakSet', 'WeakRef', 'Date', 'RegExp',
  'Error', 'Promise', 'Boolean', 'Number', 'String', 'Symbol', 'BigInt'].map((name) => `[object ${name}]`))

// What to transfer, and the value that stands for it on the other side: they
// differ for a view, whose buffer is what can be transferred.
class Moved {
  #transferable
  #value

  constructor (value) {
    this.#transferable = isArrayBufferView(value) ? value.buffer : value
    this.#value = value
  }

  get [kTransferable] () { return this.#transferable }
  get [kValue] () { return this.#value }
}

// A clone of a Moved, where nobody asks for what is moved, would be {}: the value would be lost.
class MovedOrRefused extends Moved {
  misplaced = kMisplaced
}

function isTransferable (value) {
  return typeof value === 'object' && value !== null && kTransferable in value && kValue in value
}

function isMovable (value) {
  return isTransferable(value) && value[kMovable] === true
}

// Hidden, or the mark would show up when the object is printed or spread.
function markMovable (value) {
  setOwn(value, kMovable, true, false)
}

// Its memory belongs to many Buffers, and Node does not transfer it.
function isInPool (value) {
  if (!Buffer.isBuffer(value) || value.byteLength >= value.buffer.byteLength) return false
  return isMarkedAsUntransferable?.(value.buffer) ?? (isPooled(value.buffer) || value.buffer.byteLength === Buffer.poolSize)
}

function move (value) {
  if (typeof value === 'object' && value !== null && !isTransferable(value)) check(value)
  return mark(value, MovedOrRefused)
}

// Piscina's: what cannot be transferred is found out when it is sent, and what is lost is not.
function moveUnchecked (value) {
  return mark(value, Moved)
}

function mark (value, Class) {
  if (typeof value !== 'object' || value === null || isInPool(value)) return value
  const movable = isTransferable(value) ? value : new Class(value)
  markMovable(movable)
  return movable
}

function check (value) {
  const buffer = isArrayBufferView(value) ? value.buffer : value
  if (isSharedArrayBuffer(buffer)) {
    throw refusal(value, 'Its memory is shared, and stays so: pass it without move(), and both threads have it')
  }
  if (isNeverMoved(buffer)) {
    throw refusal(value, 'To move parts of a value, name them in the transferList of run(), or move an object whose ' +
      'transferableSymbol gives the parts and whose valueSymbol gives the value. Without move() a value is copied')
  }
}

function isNeverMoved (value) {
  return isProxy(value) || (kNeverMoved.has(Object.prototype.toString.call(value)) && !isOfNode(value))
}

// Objects of Node that can be transferred, and some that can only be cloned, have methods for that under symbols.
function isOfNode (value) {
  for (let object = value; object !== null; object = Object.getPrototypeOf(object)) {
    if (Object.getOwnPropertySymbols(object).some(({ description }) => description?.startsWith('messaging_'))) return true
  }
  return false
}

function refusal (value, advice) {
  return createError('ERR_TELAR_INVALID_ARGUMENT', `Expected move() to get ${kToMove}, but received ${describe(value)}. ${advice}`)
}

module.exports = { isMovable, isTransferable, kMovable, kQueueOptions, kTransferable, kValue, markMovable, move, moveUnchecked }
