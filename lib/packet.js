'use strict'

// A value that the codec knows, but that found no room in shared memory: it is
// encoded in memory of its own and sent by port. So what arrives does not depend
// on how large a value is, or on how full the memory was.

const { isUsed, revive } = require('./shared')

const kFirstBytes = 64 * 1024
// The codec counts in 32-bit integers. Beyond, the platform clones.
const kMostBytes = 2 ** 30

// Encodes into an ArrayBuffer that grows.
class PacketMemory {
  bytes = new Uint8Array(kFirstBytes)
  limit = kFirstBytes

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
}

// The message for a port, and what to transfer with it. `isFull`: the codec
// knows the value; the others are the platform's to clone, and may have shared
// objects inside, whose classes the clone strips.
function pack (message, value, isFull, transferList) {
  if (!isFull) return [isUsed() ? { message, value, isStripped: true } : { message, value }, transferList]
  const { Encoder } = require('./codec')
  const memory = new PacketMemory()
  const encoder = new Encoder(memory)
  const length = encoder.encode(value, 0)
  if (length < 0) return [{ message, value }, transferList]
  const packet = memory.bytes.subarray(0, length)
  return [{ message, packet }, [packet.buffer]]
}

function unpack ({ value, isStripped, packet }) {
  if (packet === undefined) return isStripped === true ? revive(value) : value
  const { Decoder } = require('./codec')
  return new Decoder({ bytes: packet }).decode(0, packet.length)
}

module.exports = { pack, unpack }
