'use strict'

// A function that workers call often, and that is not the pool's own: its entry in the function
// table is kept until the pool closes. So its tasks take the fast path, like those without options.

class PinnedFunction {
  filename
  name
  entry = -1 // see entryIn()
  #functions = null

  constructor (filename, name) {
    this.filename = filename
    this.name = name
  }

  // Its entry in the table of the native pool that is open now; below 0: there was no room.
  entryIn (functions) {
    if (this.#functions !== functions) {
      this.#functions = functions
      this.entry = functions.pin(this.filename, this.name)
    }
    return this.entry
  }
}

// A function that is called with any number of arguments. Several travel as an array, which the
// worker spreads; one travels as it is, so that it costs no more than the value of run(), and may
// be moved. Each way is a function of its own for the workers (worker/own-functions.js).
class CalledFunction {
  #single
  #spread

  constructor (single, spread) {
    this.#single = single
    this.#spread = spread
  }

  // `calls`: see calls.js.
  run (calls, args, options) {
    return args.length === 1
      ? calls.run(this.#single, args[0], options)
      : calls.run(this.#spread, args, options)
  }

  stream (calls, args, options) {
    return args.length === 1
      ? calls.stream(args[0], options, this.#single)
      : calls.stream(args, options, this.#spread)
  }

  runSync (calls, args, options) {
    return args.length === 1
      ? calls.runSync(args[0], options, this.#single)
      : calls.runSync(args, options, this.#spread)
  }
}

module.exports = { CalledFunction, PinnedFunction }
