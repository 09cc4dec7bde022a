'use strict'

const { DOMException, Object, Promise } = require('../base/globals')
const { TelarError, createError } = require('../base/errors')
const { setOwn } = require('../base/own')
const { RecordWriter } = require('./record-writer')
const { kHeaderBytes } = require('./record')
const { WaitQueue, Waiter, isTransient } = require('./wait-queue')
const { chargeTurn, constants } = require('./thread')

const { DROPPED, OK, kSenders } = constants

// Sends a record that was encoded when the call was made.
class PacketSender extends Waiter {
  #packet

  constructor (resolve, reject, packet) {
    super(resolve, reject)
    this.#packet = packet
  }

  get need () { return this.#packet.bytes.length }

  attempt (writer) {
    const status = writer.pushPacket(this.#packet)
    if (status === OK) this.resolve()
    return status
  }
}

// Sends the values of a list. They are encoded when there is room for them.
class ListSender extends Waiter {
  need = 0
  #list
  #sent

  constructor (resolve, reject, list, sent) {
    super(resolve, (error) => reject(withCount(error, this.#sent)))
    this.#list = list
    this.#sent = sent
  }

  attempt (writer) {
    this.#sent = pushAll(writer, this.#list, this.#sent)
    if (writer.status === OK) this.resolve()
    else this.need = writer.lastBytes
    return writer.status
  }
}

// Sends bytes, which are copied when there is room for them.
class BytesSender extends Waiter {
  #bytes
  #length

  constructor (resolve, reject, bytes) {
    super(resolve, reject)
    this.#bytes = bytes
    this.#length = bytes.length
  }

  get need () { return this.#length + kHeaderBytes }

  attempt (writer) {
    if (this.#bytes.length !== this.#length) {
      throw createError('ERR_TELAR_INVALID_ARGUMENT', 'bytes must not be changed or transferred ' +
        'until sendBytes() is done; while the call waited for room, their length changed from ' +
        `${this.#length} to ${this.#bytes.length}`)
    }
    const status = writer.pushBytes(this.#bytes)
    if (status === OK) this.resolve()
    return status
  }
}

// Reserves room, when there is enough.
class ReservationSender extends Waiter {
  need

  constructor (resolve, reject, length) {
    super(resolve, reject)
    this.need = length
  }

  attempt (writer) {
    const reservation = writer.reserveOrDrop(this.need)
    if (reservation !== null) this.resolve(reservation)
    return writer.status
  }
}

// Sends the values of the list from index `sent` on. Returns how many of the list have been sent,
// or dropped, by now. If these are not all, writer.status says why.
function pushAll (writer, list, sent) {
  writer.status = OK
  while (sent < list.length && writer.status === OK) {
    try {
      sent += writer.pushMany(list, sent)
    } catch (error) {
      throw withCount(error, sent)
    }
  }
  return sent
}

// Adds the number of values that were sent before the error, unless user code threw it.
function withCount (error, sent) {
  const isOwnError = error instanceof TelarError || error instanceof DOMException
  if (isOwnError && !Object.hasOwn(error, 'sent')) setOwn(error, 'sent', sent)
  return error
}

// Whether a send is over: the record is in the channel, or was dropped because there was no room.
const isSettled = (status) => status === OK || status === DROPPED

const done = Promise.resolve()

// This thread's sending side of a channel.
class Senders extends WaitQueue {
  #writer

  constructor (ring) {
    super(ring, kSenders, 'ERR_TELAR_CHANNEL_NO_RECEIVER')
    this.#writer = new RecordWriter(ring)
  }

  send (value, limits) {
    const writer = this.#writer
    let packet
    try {
      if (this.isEmpty) {
        const status = writer.push(value)
        if (isSettled(status)) return chargeTurn(writer.lastBytes) ?? done
        if (!isTransient(status)) return Promise.reject(this.ring.failure(status, kSenders))
        packet = writer.keep(value)
      } else {
        packet = writer.pack(value)
      }
    } catch (error) {
      return Promise.reject(error)
    }
    return new Promise((resolve, reject) => {
      this.add(new PacketSender(resolve, reject, packet), limits, 'send()')
    })
  }

  trySend (value) {
    return this.flush() && this.#isDone(this.#writer.push(value))
  }

  sendSync (value, timeout) {
    const writer = this.#writer
    let packet = null
    this.#blockUntilDone(() => {
      if (packet !== null) return writer.pushPacket(packet)
      const status = writer.push(value)
      if (isTransient(status)) packet = writer.keep(value)
      return status
    }, timeout, 'sendSync()')
  }

  sendMany (list, limits) {
    const writer = this.#writer
    let sent = 0
    if (this.isEmpty) {
      try {
        sent = pushAll(writer, list, 0)
      } catch (error) {
        return Promise.reject(error)
      }
      if (writer.status === OK) return chargeTurn(writer.lastBytes) ?? done
    }
    return new Promise((resolve, reject) => {
      this.add(new ListSender(resolve, reject, list, sent), limits, 'sendMany()')
    })
  }

  // Returns how many values have been sent.
  trySendMany (list) {
    if (!this.flush()) return 0
    const writer = this.#writer
    const before = writer.dropped
    const sent = pushAll(writer, list, 0)
    if (sent === 0) this.#isDone(writer.status)
    return sent - (writer.dropped - before)
  }

  sendManySync (list, timeout) {
    const writer = this.#writer
    let sent = 0
    try {
      this.#blockUntilDone(() => {
        sent = pushAll(writer, list, sent)
        return writer.status
      }, timeout, 'sendManySync()')
    } catch (error) {
      throw withCount(error, sent)
    }
  }

  sendBytes (bytes, limits) {
    const writer = this.#writer
    if (this.isEmpty) {
      const status = writer.pushBytes(bytes)
      if (isSettled(status)) return chargeTurn(writer.lastBytes) ?? done
    }
    return new Promise((resolve, reject) => {
      this.add(new BytesSender(resolve, reject, bytes), limits, 'sendBytes()')
    })
  }

  trySendBytes (bytes) {
    return this.flush() && this.#isDone(this.#writer.pushBytes(bytes))
  }

  sendBytesSync (bytes, timeout) {
    this.#blockUntilDone(() => this.#writer.pushBytes(bytes), timeout, 'sendBytesSync()')
  }

  reserve (length, limits) {
    return new Promise((resolve, reject) => {
      this.add(new ReservationSender(resolve, reject, length), limits, 'reserve()')
    })
  }

  // Returns null if there is no room now.
  tryReserve (length) {
    if (!this.flush()) return null
    const reservation = this.#writer.reserve(length)
    this.#isDone(this.#writer.status)
    return reservation
  }

  reserveSync (length, timeout) {
    let reservation
    this.#blockUntilDone(() => {
      reservation = this.#writer.reserveOrDrop(length)
      return this.#writer.status
    }, timeout, 'reserveSync()')
    return reservation
  }

  // ---- for WaitQueue ----

  attempt (waiter) {
    return waiter.attempt(this.#writer)
  }

  // ----

  // The thread waits for room for the record that it tried last.
  #blockUntilDone (attempt, timeout, call) {
    const need = () => this.#writer.lastBytes
    this.#isDone(this.block(attempt, need, timeout, call))
  }

  // True or false: whether the record was sent. Throws the error for any other status.
  #isDone (status) {
    if (status === OK) return true
    if (status === DROPPED || isTransient(status)) return false
    throw this.ring.failure(status, kSenders)
  }
}

module.exports = { Senders }
