'use strict'

// Why a channel was aborted, for those in other threads: the last bytes of its memory.
// A word says whether they are free, being written, or there.

const { Atomics, Error, Int32Array, String, Uint8Array } = require('../base/globals')
const { types } = require('node:util')
const { Decoder, Encoder } = require('../codec')

const kReasonBytes = 4096
const kHeaderBytes = 16

const kFree = 0
const kWriting = 1
const kWritten = 2

class Reason {
  bytes
  limit = kReasonBytes
  #words

  constructor (memory) {
    this.bytes = new Uint8Array(memory, memory.byteLength - kReasonBytes, kReasonBytes)
    this.#words = new Int32Array(memory, memory.byteLength - kReasonBytes, kHeaderBytes >>> 2)
  }

  // Before the ring is aborted. The first one counts; what is too large or no value of the
  // codec is reduced to its text.
  write (reason) {
    if (reason === undefined || Atomics.compareExchange(this.#words, 0, kFree, kWriting) !== kFree) return
    const encoder = new Encoder(this)
    let length = -1
    try {
      length = encoder.encode(reason, kHeaderBytes)
    } catch {} // of an accessor in it
    if (length < 0) length = this.#encodeText(encoder, reason)
    this.#words[1] = length
    Atomics.store(this.#words, 0, kWritten)
  }

  #encodeText (encoder, reason) {
    const isError = types.isNativeError(reason) || reason instanceof Error
    const error = isError ? new Error(textOf(reason.message)) : textOf(reason)
    // A stack alone may be as long as what did not fit.
    if (isError) error.stack = `${error.name}: ${error.message}`
    return encoder.encode(error, kHeaderBytes)
  }

  // undefined: there is none, or its thread ended while it wrote it.
  read () {
    if (Atomics.load(this.#words, 0) !== kWritten) return undefined
    try {
      return new Decoder(this).decode(kHeaderBytes, kHeaderBytes + (this.#words[1] >>> 0))
    } catch {
      return undefined
    }
  }

  // For the encoder: there is no more.
  grow () {
    return -1
  }
}

const kLongestText = 500

function textOf (value) {
  try {
    return String(value).slice(0, kLongestText)
  } catch {
    return undefined
  }
}

module.exports = { Reason, kReasonBytes }
