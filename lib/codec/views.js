'use strict'

// The views of a thread on the shared region: as words, and as bytes with the string methods of
// Buffer. They are made again only when the transport passes another Uint8Array.

const { Buffer, Int32Array, TypeError, Uint8Array } = require('../base/globals')

// Word and byte offsets are computed in 32-bit integers.
const kMaxRegion = 2 ** 30

function viewsOn (bytes) {
  if (!(bytes instanceof Uint8Array) || bytes.byteOffset % 8 !== 0 || bytes.length > kMaxRegion) {
    throw new TypeError('Expected memory.bytes to be a Uint8Array at a multiple of 8 bytes, of ' +
      `at most ${kMaxRegion} bytes, but received ${describe(bytes)}`)
  }
  return {
    words: new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2),
    buffer: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }
}

function describe (bytes) {
  return bytes instanceof Uint8Array
    ? `a Uint8Array of ${bytes.length} bytes at offset ${bytes.byteOffset}`
    : `${bytes}`
}

module.exports = { viewsOn, kMaxRegion }
