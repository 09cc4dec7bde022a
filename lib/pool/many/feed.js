'use strict'

// Sends the input of a task of stream() on a channel.

const { Reflect, Promise } = require('../../base/globals')
const { Source, kEnd, kLater, silence } = require('./source')

const { apply } = Reflect
const promiseThen = Promise.prototype.then

class Feed {
  #channel
  #source
  #isOver = false
  #isSending = false

  constructor (iterable, channel) {
    this.#channel = channel
    this.#source = new Source(iterable)
    this.#source.onItem = () => this.send()
  }

  // Sends what there is, as long as the channel has room.
  send () {
    if (this.#isSending) return
    this.#isSending = true
    try {
      while (!this.#isOver && this.#sendOne());
    } catch (error) { // of the source, or of a value that cannot be sent
      silence(this.#source.close())
      this.#end(error)
    } finally {
      this.#isSending = false
    }
  }

  // False: to be continued by the source, or by the channel.
  #sendOne () {
    const item = this.#source.take()
    if (this.#isOver || item === kLater) return false
    if (item === kEnd) {
      this.#isOver = true
      silence(this.#channel.close())
      return false
    }
    if (this.#channel.trySend(item)) return true
    apply(promiseThen, this.#channel.send(item), [() => this.send(), (error) => this.stop(error)])
    return false
  }

  // Nobody reads any more.
  stop (error) {
    silence(this.#source.close())
    this.#end(error)
  }

  #end (error) {
    if (this.#isOver) return
    this.#isOver = true
    this.#channel.abort(error)
  }
}

module.exports = { Feed }
