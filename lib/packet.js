'use strict'

// A value that the codec knows, but that found no room in shared memory, or is a
// result with a large buffer: it is encoded in memory of its own and sent by port. So
// what arrives does not depend on how large a value is, or on how full the memory was.

const { isUsed, revive } = require('./shared')
const { kAttachBytes } = require('./slot')

const kFirstBytes = 4096
// The codec counts in 32-bit integers. Beyond, the platform clones.
const kMostBytes = 2 ** 30

// Encodes into an ArrayBuffer that grows.
class PacketMemory {
  bytes = new Uint8Array(kFirstBytes)
  limit = kFirstBytes
  attachFrom = kAttachBytes
  attachments = []

  grow (start, used, needed) {
    if (needed > kMostBytes) return -1
    let bytes
    try {
      bytes = new Uint8Array(Math.ceil(needed / 8) * 8)
    } catch { // more than there is
      return -1
    }
    bytes.set(this.bytes.subarray(start, start + used))
    this.bytes = bytes
    this.limit = bytes.length
    return 0
  }

  attach (buffer) {
    return this.attachments.push(buffer) - 1
  }
}

// A value as a message for a port: `[message, transferList]`. `isFull`: the codec knows
// the value. The others are the platform's to clone, and may have shared objects inside,
// whose classes the clone strips.
function pack (value, isFull, transferList) {
  const packed = isFull ? encode(value) : null
  if (packed !== null) return packed
  return [isUsed() ? { value, isStripped: true } : { value }, transferList]
}

function encode (value) {
  const { Encoder } = require('./codec')
  const memory = new PacketMemory()
  const length = new Encoder(memory).encode(value, 0)
  if (length < 0) return null
  const packet = memory.bytes.subarray(0, length)
  const { attachments } = memory
  return [{ packet, attachments }, [packet.buffer, ...attachments]]
}

function unpack ({ value, isStripped, packet, attachments }) {
  if (packet === undefined) return isStripped === true ? revive(value) : value
  const { Decoder } = require('./codec')
  return new Decoder({ bytes: packet, attachments }).decode(0, packet.length)
}

module.exports = { pack, unpack }
