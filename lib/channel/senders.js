'use strict'

const { DOMException, Object, Promise } = require('../base/globals')
const { TelarError, createError } = require('../base/errors')
const { setOwn } = require('../base/own')
const { Outlet } = require('./record-writer')
const { kHeaderBytes } = require('./record')
const { Side, Waiter, isTransient } = require('./wait-queue')
const { constants, spend } = require('./thread')

const { OK, kSenders } = constants

// A record that was encoded when its call was made.
class PacketSender extends Waiter {
  #packet

  constructor (resolve, reject, packet) {
    super(resolve, reject)
    this.#packet = packet
  }

  get need () { return this.#packet.bytes.length }

  attempt (outlet) {
    const status = outlet.pushPacket(this.#packet)
    if (status === OK) this.resolve()
    return status
  }
}

// Many values, encoded as there is room for them.
class ListSender extends Waiter {
  need = 0
  #list
  #sent

  constructor (resolve, reject, list, sent) {
    super(resolve, (error) => reject(withCount(error, this.#sent)))
    this.#list = list
    this.#sent = sent
  }

  attempt (outlet) {
    this.#sent = pushAll(outlet, this.#list, this.#sent)
    if (outlet.status === OK) this.resolve()
    else this.need = outlet.spent
    return outlet.status
  }
}

// Bytes, copied when there is room for them.
class BytesSender extends Waiter {
  #bytes
  #length

  constructor (resolve, reject, bytes) {
    super(resolve, reject)
    this.#bytes = bytes
    this.#length = bytes.length
  }

  get need () { return this.#length + kHeaderBytes }

  attempt (outlet) {
    if (this.#bytes.length !== this.#length) {
      throw createError('ERR_TELAR_INVALID_ARGUMENT', 'bytes must be left alone, and not be transferred, until sendBytes() is done; ' +
        `${this.#length} became ${this.#bytes.length} while they waited for room`)
    }
    const status = outlet.pushBytes(this.#bytes)
    if (status === OK) this.resolve()
    return status
  }
}

class ReservationSender extends Waiter {
  need

  constructor (resolve, reject, length) {
    super(resolve, reject)
    this.need = length
  }

  attempt (outlet) {
    const reservation = outlet.reserve(this.need)
    if (reservation !== null) this.resolve(reservation)
    return outlet.status
  }
}

// How many of the list are sent now; all, or outlet.status is not OK.
function pushAll (outlet, list, sent) {
  outlet.status = OK
  while (sent < list.length && outlet.status === OK) {
    try {
      sent += outlet.pushMany(list, sent)
    } catch (error) {
      throw withCount(error, sent)
    }
  }
  return sent
}

// Who sends many has to know how far it came.
function withCount (error, sent) {
  if ((error instanceof TelarError || error instanceof DOMException) && !Object.hasOwn(error, 'sent')) setOwn(error, 'sent', sent)
  return error
}

const done = Promise.resolve()

// This thread's sending side of a channel.
class Senders extends Side {
  #outlet

  constructor (ring) {
    super(ring, kSenders, 'ERR_TELAR_CHANNEL_NO_RECEIVER')
    this.#outlet = new Outlet(ring)
  }

  send (value, signal) {
    const outlet = this.#outlet
    let packet
    try {
      if (signal === null && this.isEmpty) {
        const status = outlet.push(value)
        if (status === OK) return spend(outlet.spent) ?? done
        if (!isTransient(status)) return Promise.reject(this.ring.failure(status, kSenders))
        packet = outlet.keep(value)
      } else {
        packet = outlet.pack(value)
      }
    } catch (error) {
      return Promise.reject(error)
    }
    return new Promise((resolve, reject) => this.add(new PacketSender(resolve, reject, packet), signal))
  }

  trySend (value) {
    return this.isClear() && this.#isDone(this.#outlet.push(value))
  }

  sendSync (value, timeout) {
    const outlet = this.#outlet
    let packet = null
    this.#blockUntilDone(() => {
      if (packet !== null) return outlet.pushPacket(packet)
      const status = outlet.push(value)
      if (isTransient(status)) packet = outlet.keep(value)
      return status
    }, timeout, 'sendSync()')
  }

  sendMany (list, signal) {
    const outlet = this.#outlet
    let sent = 0
    if (signal === null && this.isEmpty) {
      try {
        sent = pushAll(outlet, list, 0)
      } catch (error) {
        return Promise.reject(error)
      }
      if (outlet.status === OK) return spend(outlet.spent) ?? done
    }
    return new Promise((resolve, reject) => this.add(new ListSender(resolve, reject, list, sent), signal))
  }

  // How many went in.
  trySendMany (list) {
    if (!this.isClear()) return 0
    const sent = pushAll(this.#outlet, list, 0)
    if (sent === 0) this.#isDone(this.#outlet.status)
    return sent
  }

  sendManySync (list, timeout) {
    const outlet = this.#outlet
    let sent = 0
    try {
      this.#blockUntilDone(() => {
        sent = pushAll(outlet, list, sent)
        return outlet.status
      }, timeout, 'sendManySync()')
    } catch (error) {
      throw withCount(error, sent)
    }
  }

  sendBytes (bytes, signal) {
    const outlet = this.#outlet
    if (signal === null && this.isEmpty) {
      const status = outlet.pushBytes(bytes)
      if (status === OK) return spend(outlet.spent) ?? done
    }
    return new Promise((resolve, reject) => this.add(new BytesSender(resolve, reject, bytes), signal))
  }

  trySendBytes (bytes) {
    return this.isClear() && this.#isDone(this.#outlet.pushBytes(bytes))
  }

  sendBytesSync (bytes, timeout) {
    this.#blockUntilDone(() => this.#outlet.pushBytes(bytes), timeout, 'sendBytesSync()')
  }

  reserve (length, signal) {
    return new Promise((resolve, reject) => this.add(new ReservationSender(resolve, reject, length), signal))
  }

  // null: no room now.
  tryReserve (length) {
    if (!this.isClear()) return null
    const reservation = this.#outlet.reserve(length)
    this.#isDone(this.#outlet.status)
    return reservation
  }

  reserveSync (length, timeout) {
    let reservation
    this.#blockUntilDone(() => {
      reservation = this.#outlet.reserve(length)
      return this.#outlet.status
    }, timeout, 'reserveSync()')
    return reservation
  }

  // ---- for Side ----

  attempt (waiter) {
    return waiter.attempt(this.#outlet)
  }

  // ----

  // What it needs is what was tried last.
  #blockUntilDone (attempt, timeout, call) {
    this.#isDone(this.block(attempt, () => this.#outlet.spent, timeout, call))
  }

  #isDone (status) {
    if (status === OK) return true
    if (isTransient(status)) return false
    throw this.ring.failure(status, kSenders)
  }
}

module.exports = { Senders }
