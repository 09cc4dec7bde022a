'use strict'

// The promises of this thread that sleep on one word: one sleep of the platform for all of
// them. Of those in line only the first one looks when it is woken, and who has had its turn
// lets the next one look: as long as the first has to wait, the others have to as well. (Where
// that does not hold, waiter.isOrdered says so, and all of them look.)
//
// A sleep that has begun counts whatever has become of the word: it is woken by whoever
// notifies. So one is enough for those who come later, who have announced themselves.
//
// Nobody looks again just because time passes, or ten thousand promises would keep a thread
// busy. Wake-ups are lost only with threads that end, and the end of any thread has all lines
// look (../base/time.js, onThreadEnd). To be safe, each looks now and then as well, less and less
// often (../base/slices.js).
//
// The platform cannot take a sleep back: one whose line has become empty goes on until its time
// is over, and serves those who come in the meantime. It may be older than theirs would be, and
// so get the wake-up that was for a waiter of another thread; then it passes that on.

const { Atomics, Map, Set, WeakMap } = require('../base/globals')
const { sliceAfter } = require('../base/slices')
const { afterTurn, now, onThreadEnd } = require('../base/time')

// Sleeps in a row that do not begin since the word changes, before the event loop gets its turn.
const kTriesInARow = 16

// words → index → Sleepers
const lines = new WeakMap()
// Those with somebody in line.
const occupied = new Set()

class Sleepers {
  #words
  #index
  #first = null
  #last = null
  #since = 0
  // Of the sleep under way: a number, when it ends by itself, and whether those are gone for whom
  // it began.
  #sleep = 0
  #end = -1
  #isLeftOver = false
  #isServing = false

  constructor (words, index) {
    this.#words = words
    this.#index = index
  }

  // False: the word has changed since the sleeper looked.
  add (sleeper) {
    if (this.#first === null) this.#since = now()
    // Behind others: their sleep is there already, or about to be.
    if (this.#first === null && !this.#isServing && !this.#fallAsleep(sleeper.waiter)) return false
    sleeper.line = this
    sleeper.previous = this.#last
    sleeper.next = null
    if (this.#last === null) {
      this.#first = sleeper
      occupied.add(this)
    } else {
      this.#last.next = sleeper
    }
    this.#last = sleeper
    return true
  }

  // The next one has its turn: what the sleeper was woken for may have been left.
  remove (sleeper) {
    this.#unlink(sleeper)
    if (sleeper.previous === null && this.#first !== null) this.serve()
  }

  #unlink (sleeper) {
    const { previous, next } = sleeper
    if (previous === null) this.#first = next
    else previous.next = next
    if (next === null) this.#last = previous
    else next.previous = previous
    sleeper.line = null
    if (this.#first !== null) return
    occupied.delete(this)
    this.#isLeftOver = true
  }

  serve () {
    if (this.#isServing) return // who is in line when that comes to an end has its turn
    this.#isServing = true
    try {
      for (let tries = 0; tries < kTriesInARow; tries++) {
        const first = this.#serveLine()
        if (first === null || this.#fallAsleep(first.waiter)) return
      }
    } finally {
      this.#isServing = false
    }
    afterTurn(() => this.serve())
  }

  // The first one that has to wait on here, or null.
  #serveLine () {
    for (let first; (first = this.#first) !== null;) {
      if (!this.#isStaying(first)) continue
      if (!first.waiter.isOrdered) this.#serveRest()
      if (this.#first === first) return first
    }
    return null
  }

  #serveRest () {
    const rest = []
    let sleeper = this.#first
    while ((sleeper = sleeper.next) !== null) rest.push(sleeper)
    for (const sleeper of rest) {
      if (sleeper.line === this) this.#isStaying(sleeper)
    }
  }

  // Lets it look. False: it is not in this line any more.
  #isStaying (sleeper) {
    if (!sleeper.poll()) {
      const { words, index } = sleeper.waiter
      if (words === this.#words && index === this.#index) return true
      if (sleeper.line === this) this.#unlink(sleeper)
      sleeper.sleep()
    } else if (sleeper.line === this) {
      this.#unlink(sleeper)
    }
    return false
  }

  // False: the word is not what the waiter expects.
  #fallAsleep ({ expected, slice }) {
    const time = now()
    const most = sliceAfter(slice, time - this.#since)
    if (this.#end > time && this.#end <= time + most) return true // there is one already
    const { async, value } = Atomics.waitAsync(this.#words, this.#index, expected, most)
    if (!async) return false
    const sleep = this.#sleep + 1
    value.then((outcome) => this.#wake(sleep, outcome))
    this.#sleep = sleep // not before: a full stack may have thrown
    this.#end = time + most
    this.#isLeftOver = false
    return true
  }

  #wake (sleep, outcome) {
    const isLeftOver = sleep !== this.#sleep || this.#isLeftOver
    if (sleep === this.#sleep) this.#end = -1
    else if (outcome !== 'ok') return
    const first = this.#first
    if (first !== null) this.serve()
    // Of no use to anybody here. Not for a sleep of theirs: two threads where nobody can get on
    // would wake each other for ever.
    if (outcome === 'ok' && isLeftOver && this.#first === first) {
      Atomics.notify(this.#words, this.#index, 1)
    }
  }
}

// False: the word has changed since the sleeper looked. A sleeper: look() is true when it is
// settled, sleep() sleeps on what its waiter says then; line, previous and next are kept here.
function fallAsleep (sleeper) {
  const { words, index } = sleeper.waiter
  let byIndex = lines.get(words)
  if (byIndex === undefined) lines.set(words, byIndex = new Map())
  let line = byIndex.get(index)
  if (line === undefined) byIndex.set(index, line = new Sleepers(words, index))
  return line.add(sleeper)
}

onThreadEnd(() => {
  for (const line of [...occupied]) line.serve()
})

module.exports = { fallAsleep }
