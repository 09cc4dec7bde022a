'use strict'

// The reason for which a channel was aborted, so that other threads can read it. It is stored in
// the last bytes of the channel's memory. The first word there says whether no reason has been
// written, one is being written, or one can be read.

const { Atomics, Error, Int32Array, String, Uint8Array } = require('../base/globals')
const { types } = require('node:util')
const { Decoder, Encoder } = require('../codec')
const { kReasonBytes } = require('./memory')

const kHeaderBytes = 16

const kFree = 0
const kWriting = 1
const kWritten = 2

const kMaxTextLength = 500

class Reason {
  bytes
  limit = kReasonBytes
  #words

  constructor (memory) {
    this.bytes = new Uint8Array(memory, memory.byteLength - kReasonBytes, kReasonBytes)
    this.#words = new Int32Array(memory, memory.byteLength - kReasonBytes, kHeaderBytes >>> 2)
  }

  // To be called before the ring is aborted. Only the first reason is kept. A reason that is too
  // large, or that the codec cannot encode, is reduced to its text.
  write (reason) {
    if (reason === undefined) return
    if (Atomics.compareExchange(this.#words, 0, kFree, kWriting) !== kFree) return
    const encoder = new Encoder(this)
    let length = -1
    try {
      length = encoder.encode(reason, kHeaderBytes)
    } catch {} // thrown by an accessor of the reason
    if (length < 0) length = this.#encodeText(encoder, reason)
    this.#words[1] = length
    Atomics.store(this.#words, 0, kWritten)
  }

  #encodeText (encoder, reason) {
    const isError = types.isNativeError(reason) || reason instanceof Error
    const error = isError ? new Error(textOf(reason.message)) : textOf(reason)
    // The stack alone may be too large.
    if (isError) error.stack = `${error.name}: ${error.message}`
    return encoder.encode(error, kHeaderBytes)
  }

  // Undefined if there is no reason, or if the thread that wrote it ended before it was done.
  read () {
    if (Atomics.load(this.#words, 0) !== kWritten) return undefined
    try {
      return new Decoder(this).decode(kHeaderBytes, kHeaderBytes + (this.#words[1] >>> 0))
    } catch {
      return undefined
    }
  }

  // The encoder calls this when it needs more memory. There is none.
  grow () {
    return -1
  }
}

function textOf (value) {
  try {
    return String(value).slice(0, kMaxTextLength)
  } catch {
    return undefined
  }
}

module.exports = { Reason }
