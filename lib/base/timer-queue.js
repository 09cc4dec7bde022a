'use strict'

// Timers, ordered by the time at which they are due: a binary heap (Williams 1964). Each timer
// knows its place in the heap, so any timer can be removed in O(log n). Thousands of calls with a
// timeout may wait at a time, and most of them end before their timeout expires.

class TimerQueue {
  // Timers: objects with `due` and `place`. `place` is -1 for a timer that is not in the queue.
  #heap = []

  // When the first timer is due, or Infinity.
  get due () { return this.#heap.length > 0 ? this.#heap[0].due : Infinity }

  get first () { return this.#heap[0] }

  add (timer) {
    timer.place = this.#heap.push(timer) - 1
    this.#moveUp(timer)
  }

  // False: the timer was not in the queue.
  remove (timer) {
    const { place } = timer
    if (place < 0) return false
    timer.place = -1
    const last = this.#heap.pop()
    if (last === timer) return true
    this.#put(last, place)
    this.#moveUp(last)
    this.#moveDown(last)
    return true
  }

  #put (timer, place) {
    this.#heap[place] = timer
    timer.place = place
  }

  #moveUp (timer) {
    let { place } = timer
    while (place > 0) {
      const parent = this.#heap[(place - 1) >> 1]
      if (parent.due <= timer.due) break
      const above = parent.place
      this.#put(parent, place)
      place = above
    }
    this.#put(timer, place)
  }

  #moveDown (timer) {
    const heap = this.#heap
    let { place } = timer
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1].due < heap[child].due) child++
      if (heap[child].due >= timer.due) break
      this.#put(heap[child], place)
      place = child
    }
    this.#put(timer, place)
  }
}

module.exports = { TimerQueue }
