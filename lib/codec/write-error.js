'use strict'

const tags = require('./tags')
const { errorClasses } = require('./platform')
const { DOM_EXCEPTION, AGGREGATE_ERROR, SUPPRESSED_ERROR, fieldBit } = require('./error-fields')
const { isStackOverflow } = require('./stack-overflow')

const { ERROR, TAG_BITS } = tags
const { keys, hasOwn, getPrototypeOf, getOwnPropertyDescriptor } = Object
const { propertyIsEnumerable } = Object.prototype

const classOf = new Map()
errorClasses.forEach((Class, index) => {
  if (Class !== undefined) classOf.set(Class.prototype, index)
})

// Beyond structured clone, which keeps class, message, stack and cause: the name, the
// enumerable properties, and what AggregateError and SuppressedError hold.
function writeError (writer, error) {
  const prototype = getPrototypeOf(error)
  let native = prototype
  while (native !== null && !classOf.has(native)) native = getPrototypeOf(native)
  // An error of another realm, or of none.
  if (native === null) return false
  const index = classOf.get(native)
  const record = new ErrorRecord(error, index)
  if (!record.text('name', nameOf(error, prototype, native))) return false
  if (!record.text('message', messageOf(error))) return false
  record.stack()
  record.own('cause')
  if (index === AGGREGATE_ERROR) record.own('errors')
  if (index === SUPPRESSED_ERROR) {
    record.own('error')
    record.own('suppressed')
  }
  return record.write(writer)
}

// Name and message lie in internal slots, and node makes the code from the name.
function writeDOMException (writer, exception) {
  const record = new ErrorRecord(exception, DOM_EXCEPTION)
  const { prototype } = globalThis.DOMException
  try {
    record.text('name', getOwnPropertyDescriptor(prototype, 'name').get.call(exception))
    record.text('message', getOwnPropertyDescriptor(prototype, 'message').get.call(exception))
  } catch {
    // It only looks like one.
    return false
  }
  record.stack()
  record.own('cause')
  return record.write(writer)
}

class ErrorRecord {
  #error
  #bits
  #values = []

  constructor (error, index) {
    this.#error = error
    this.#bits = index
  }

  // False for what is neither a string nor absent: how that becomes one is not ours to say.
  text (key, value) {
    if (value === undefined) return true
    if (typeof value !== 'string') return false
    this.#add(key, value)
    return true
  }

  stack () {
    const { stack } = this.#error
    if (typeof stack === 'string') this.#add('stack', stack)
  }

  own (key) {
    if (hasOwn(this.#error, key) && !isListed(this.#error, key)) this.#add(key, this.#error[key])
  }

  write (writer) {
    if (!writer.enter() || !writer.word(this.#bits << TAG_BITS | ERROR)) return false
    for (const value of this.#values) {
      if (!writer.value(value)) return false
    }
    if (!this.#writeProperties(writer)) return false
    writer.leave()
    return true
  }

  #add (key, value) {
    this.#bits |= fieldBit(key)
    this.#values.push(value)
  }

  #writeProperties (writer) {
    if (!writer.word(0)) return false
    const at = writer.pos - 1 - writer.base
    let count = 0
    for (const key of keys(this.#error)) {
      if (key === 'stack') continue
      if (writeIfPossible(writer, this.#error, key)) count++
      else if (writer.full) return false
    }
    writer.words[writer.base + at] = count
    return true
  }
}

// Among its enumerable properties, in their order: no field is needed.
function isListed (error, key) {
  return propertyIsEnumerable.call(error, key)
}

// The platform would drop all of an error's properties; here only those are dropped that
// cannot travel (a socket, a function), as if they had not been tried.
function writeIfPossible (writer, error, key) {
  const size = writer.pos - writer.base
  const seen = writer.seen.count
  const { depth } = writer
  try {
    if (writer.string(key) && writer.value(error[key])) return true
  } catch (thrown) {
    // Of an accessor that the platform would not run: not the caller's concern.
    if (isStackOverflow(thrown)) throw thrown
  }
  writer.pos = writer.base + size
  writer.depth = depth
  writer.seen.truncate(seen)
  return false
}

// The name that the error gives. A subclass that names neither itself nor its instances
// has only that of its constructor to be told by.
function nameOf (error, prototype, native) {
  if (isListed(error, 'name')) return undefined
  const { name } = error
  if (hasOwn(error, 'name') || name !== native.name) return name
  if (prototype === native) return undefined
  const constructor = getOwnPropertyDescriptor(prototype, 'constructor')?.value
  const className = typeof constructor === 'function' ? constructor.name : ''
  return typeof className === 'string' && className !== '' && className !== name ? className : undefined
}

// A message that a subclass computes counts as well as an own one.
function messageOf (error) {
  if (isListed(error, 'message')) return undefined
  const { message } = error
  return hasOwn(error, 'message') || message !== '' ? message : undefined
}

module.exports = { writeError, writeDOMException }
