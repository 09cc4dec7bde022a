'use strict'

// What the threads that use a channel tell each other about the memories that its records
// name, by a BroadcastChannel of its own: nobody else hears of them. A thread that sends a
// memory announces it first. A receiver that does not know a number asks, and each of the
// others gives it the memory, or says that it has none.
//
// A record that names a SharedArrayBuffer does not keep it alive. So the sender holds it
// until a receiver has said that it arrived, and so does each thread that was there when it
// was announced: the sender may end before the record is taken. All of them let go when the
// ring is closed and empty, aborted, or given up. A thread that gives it up while records
// are on their way answers until they are there, if something else keeps the memory alive.

const { Map, Object, Set } = require('../base/globals')
const { BroadcastChannel, receiveMessageOnPort } = require('node:worker_threads')
const { bufferRegistry } = require('./buffer-registry')

// Another version of telar in this process speaks another dialect.
const kName = 'telar:memory:2:'

// What a message may say, each of its own: none comes from a polluted prototype.
const kNothing = Object.freeze({
  request: undefined, token: undefined, named: undefined, denied: undefined, place: undefined
})

class Announcements {
  #ring
  #port = null
  // What is on its way, by a token that no other record has.
  #held = new Map()
  // id → the questions for it: { found, denied }
  #wanted = new Map()
  #hasLeft = false

  constructor (ring) {
    this.#ring = ring
  }

  // Unreferenced: whoever waits for an answer keeps the process alive by itself.
  open () {
    this.#hasLeft = false
    if (this.#port !== null) return
    this.#port = new BroadcastChannel(`${kName}${this.#ring.id}`)
    this.#port.onmessage = ({ data }) => this.#take(data)
    this.#port.unref()
  }

  close () {
    this.#hasLeft = true
    for (const token of this.#held.keys()) this.#held.set(token, null)
    this.#closeIfDone()
  }

  #closeIfDone () {
    if (!this.#hasLeft || this.#held.size > 0) return
    this.#port?.close()
    this.#port = null
  }

  // Nothing of what was announced is going to be received any more.
  clear () {
    this.#held.clear()
    this.#closeIfDone()
  }

  // Before the record is sent. `named`: id → SharedArrayBuffer.
  announce (token, named) {
    this.#held.set(token, [...named.values()])
    this.#post({ token, named })
  }

  // The record of that token has been read.
  acknowledge (token) {
    this.#held.delete(token)
    this.#post({ token })
  }

  // Asks the others: found(buffer) once one of them has given it, denied(place) for each that
  // has not got it; from the event loop or from drain(). The result takes the question back.
  request (id, found, denied) {
    let questions = this.#wanted.get(id)
    if (questions === undefined) this.#wanted.set(id, questions = new Set())
    const question = { found, denied }
    questions.add(question)
    this.ask(id)
    return () => {
      questions.delete(question)
      if (questions.size === 0 && this.#wanted.get(id) === questions) this.#wanted.delete(id)
    }
  }

  ask (id) {
    this.#post({ request: id })
  }

  // Reads what has come, for threads whose event loop does not turn.
  drain () {
    while (this.#port !== null) {
      const received = receiveMessageOnPort(this.#port)
      if (received === undefined) return
      this.#take(received.message)
    }
  }

  // With all members, whatever it says: see own.js.
  #post (message) {
    this.#port?.postMessage({ ...kNothing, ...message })
  }

  #take ({ request, token, named, denied, place }) {
    if (request !== undefined) return this.#answer(request)
    if (denied !== undefined) return this.#refuse(denied, place)
    if (named === undefined) {
      this.#held.delete(token)
      return this.#closeIfDone()
    }
    if (this.#hasLeft) return
    if (token !== undefined) this.#held.set(token, [...named.values()])
    for (const [id, buffer] of named) this.#tell(id, buffer)
  }

  #tell (id, buffer) {
    bufferRegistry.learn(id, buffer)
    const questions = this.#wanted.get(id)
    if (questions === undefined) return
    this.#wanted.delete(id)
    for (const { found } of questions) found(buffer)
  }

  #refuse (id, place) {
    const questions = this.#wanted.get(id)
    if (questions === undefined) return
    for (const { denied } of questions) denied(place)
  }

  #answer (id) {
    const buffer = bufferRegistry.find(id, 0)
    if (buffer !== undefined) this.#post({ named: new Map([[id, buffer]]) })
    else this.#post({ denied: id, place: this.#ring.place })
  }
}

module.exports = { Announcements }
