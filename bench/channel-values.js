'use strict'

// The messages that bench/channel.js sends: how to make one, how to write a number into it and read
// it back, and how to check that the rest has arrived. `batch`: the number of messages in one call
// or burst. `window`: the maximum number of messages in flight through a port.

function bytes (length) {
  return {
    make: () => new Uint8Array(length).fill(7),
    put (message, number) {
      message[0] = number
      message[1] = number >>> 8
      message[2] = number >>> 16
      message[3] = number >>> 24
      return message
    },
    get: (message) =>
      message[0] + message[1] * 2 ** 8 + message[2] * 2 ** 16 + message[3] * 2 ** 24,
    isWhole: (message) => message.length === length && message[length - 1] === 7
  }
}

function record (rest, isRestWhole) {
  return {
    batch: 256,
    window: 4096,
    make: () => structuredClone({
      id: 0,
      name: 'Ada Lovelace',
      email: 'ada@example.org',
      active: true,
      score: 0.5,
      ...rest
    }),
    put (message, number) {
      message.id = number
      return message
    },
    get: (message) => message.id,
    isWhole: (message) =>
      message.name.length === 12 &&
      message.email.length === 15 &&
      message.active &&
      message.score === 0.5 &&
      isRestWhole(message)
  }
}

const values = {
  integer: {
    batch: 256,
    window: 4096,
    make: () => 0,
    put: (_, number) => number,
    get: (message) => message,
    isWhole: () => true
  },

  // Each of these has about 100 bytes as JSON.
  object: record({ city: 'London, Marylebone' }, ({ city }) => city.length === 18),
  nested: record({ tags: ['first', 'second'] }, ({ tags }) => tags[1] === 'second'),

  kilobyte: { batch: 64, window: 512, ...bytes(1024) },
  kilobyteBuffer: { batch: 64, window: 512, ...bytes(1024), make: () => Buffer.alloc(1024, 7) },
  large: { batch: 8, window: 64, ...bytes(64 * 1024) }
}

module.exports = { values }
