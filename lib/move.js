'use strict'

// move(value): "transfer this, do not copy it". The two public symbols are
// Piscina's registered ones, so objects that implement them for Piscina, and
// files that got them from Symbol.for(), work unchanged.

const { isArrayBufferView } = require('node:util/types')
const { isMarkedAsUntransferable } = require('node:worker_threads') // since Node 21
const { isPooled } = require('./codec/buffer-pool')

const kTransferable = Symbol.for('Piscina.transferable')
const kValue = Symbol.for('Piscina.valueOf')
const kQueueOptions = Symbol.for('Piscina.queueOptions')
// Registered too: a worker file may load another copy of telar than the pool's.
const kMovable = Symbol.for('telar.movable')

// What to transfer, and the value that stands for it on the other side: they
// differ for a view, whose buffer is what can be transferred.
class Moved {
  #transferable
  #value

  constructor (transferable, value) {
    this.#transferable = transferable
    this.#value = value
  }

  get [kTransferable] () { return this.#transferable }
  get [kValue] () { return this.#value }
}

function isTransferable (value) {
  return typeof value === 'object' && value !== null && kTransferable in value && kValue in value
}

function isMovable (value) {
  return isTransferable(value) && value[kMovable] === true
}

// Hidden, or the mark would show up when the object is printed or spread.
function markMovable (value) {
  Object.defineProperty(value, kMovable, { value: true, writable: true, configurable: true, enumerable: false })
}

// Its memory belongs to many Buffers, and Node does not transfer it.
function isInPool (value) {
  if (!Buffer.isBuffer(value) || value.byteLength >= value.buffer.byteLength) return false
  return isMarkedAsUntransferable?.(value.buffer) ?? (isPooled(value.buffer) || value.buffer.byteLength === Buffer.poolSize)
}

function move (value) {
  if (typeof value !== 'object' || value === null || isInPool(value)) return value
  let movable = value
  if (!isTransferable(value)) {
    movable = isArrayBufferView(value) ? new Moved(value.buffer, value) : new Moved(value, value)
  }
  markMovable(movable)
  return movable
}

module.exports = { isMovable, isTransferable, kMovable, kQueueOptions, kTransferable, kValue, markMovable, move }
