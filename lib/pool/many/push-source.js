'use strict'

// The items of a map, from a stream that is written to. See source.js.

const { Math } = require('../../base/globals')
const { kEnd, kLater } = require('./source')

class PushSource {
  onItem = null
  #room
  #items = []
  #at = 0 // of the next item in the list
  #onRoom = null
  #isEnded = false
  #failure = null // `{ error }`
  #isClosed = false

  // `room`: how many items may wait here before a writer has to wait; at least one, or no writer
  // would ever go on.
  constructor (room) {
    this.#room = Math.max(1, room)
  }

  // onRoom(error): called once, when more may be written.
  push (items, onRoom) {
    if (this.#isClosed) return onRoom()
    for (const item of items) this.#items.push(item) // they may be too many for arguments
    this.#onRoom = onRoom
    this.onItem()
    this.#checkRoom()
  }

  #checkRoom () {
    const onRoom = this.#onRoom
    if (onRoom === null || this.#items.length - this.#at >= this.#room) return
    this.#onRoom = null
    onRoom()
  }

  end () {
    this.#isEnded = true
    this.onItem()
  }

  fail (error) {
    this.#failure = { error }
    this.onItem()
  }

  // To be called when the stream is destroyed, so that its last write is called back.
  release (error) {
    const onRoom = this.#onRoom
    this.#onRoom = null
    onRoom?.(error)
  }

  take () {
    if (this.#failure !== null) throw this.#failure.error
    if (this.#at === this.#items.length) return this.#isEnded ? kEnd : kLater
    const item = this.#items[this.#at]
    this.#items[this.#at++] = undefined
    if (this.#at === this.#items.length) {
      this.#items = []
      this.#at = 0
    }
    this.#checkRoom()
    return item
  }

  close () {
    this.#isClosed = true
    this.#items = []
    this.#at = 0
    return null
  }
}

module.exports = { PushSource }
