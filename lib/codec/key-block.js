'use strict'

// The keys of an object, packed: for each key its length in one byte, then its characters in one
// byte each. A first byte of 254 or 255 means that the length follows in four bytes; the characters
// then have one byte each (254) or two bytes each (255).

const { Buffer, Int32Array, Math } = require('../base/globals')
const { kNotLatin1 } = require('./latin1')

const kLongLatin1 = 254
const kLongUtf16 = 255

function keyBlockSize (keys) {
  let size = 0
  for (const key of keys) {
    if (kNotLatin1.test(key)) size += 5 + 2 * key.length
    else size += (key.length < kLongLatin1 ? 1 : 5) + key.length
  }
  return size
}

function writeKeyBlock (keys, buffer, offset) {
  for (const key of keys) {
    const length = key.length
    if (kNotLatin1.test(key)) {
      buffer[offset] = kLongUtf16
      buffer.writeUInt32LE(length, offset + 1)
      buffer.ucs2Write(key, offset + 5, 2 * length)
      offset += 5 + 2 * length
    } else if (length < kLongLatin1) {
      buffer[offset] = length
      buffer.latin1Write(key, offset + 1, length)
      offset += 1 + length
    } else {
      buffer[offset] = kLongLatin1
      buffer.writeUInt32LE(length, offset + 1)
      buffer.latin1Write(key, offset + 5, length)
      offset += 5 + length
    }
  }
  return offset
}

// The keys and the offset after them, or null when they do not fit before `end`.
function readKeyBlock (count, buffer, offset, end) {
  // Each key takes a byte at least, so an impossible count is refused before any work.
  if (count > end - offset) return null
  const keys = []
  for (let i = 0; i < count; i++) {
    if (offset >= end) return null
    let length = buffer[offset++]
    let two = false
    if (length >= kLongLatin1) {
      if (offset + 4 > end) return null
      two = length === kLongUtf16
      length = buffer.readUInt32LE(offset)
      offset += 4
    }
    const next = offset + (two ? 2 * length : length)
    if (next > end) return null
    keys.push(two ? buffer.ucs2Slice(offset, next) : buffer.latin1Slice(offset, next))
    offset = next
  }
  return { keys, offset }
}

// A block in memory of its own, padded with zeros to whole words. Both caches compare such words.
function packKeys (keys) {
  const buffer = Buffer.alloc((keyBlockSize(keys) + 3) & ~3)
  writeKeyBlock(keys, buffer, 0)
  return new Int32Array(buffer.buffer, buffer.byteOffset, buffer.length >>> 2)
}

// Never 0, which on the wire means "do not cache".
function hashWords (words, count) {
  let hash = count
  for (let i = 0; i < words.length; i++) {
    hash = Math.imul(hash ^ words[i], 0x9E3779B1)
    hash ^= hash >>> 15
  }
  return hash === 0 ? 1 : hash
}

module.exports = { keyBlockSize, writeKeyBlock, readKeyBlock, packKeys, hashWords }
