'use strict'

const { DOMException, Object, QuotaExceededError } = require('../base/globals')
const tags = require('./tags')
const { DOM_EXCEPTION, QUOTA_EXCEEDED_ERROR, AGGREGATE_ERROR, SUPPRESSED_ERROR, fieldBit } = require('./error-fields')
const { REPEATED } = require('./seen')
const { isStackOverflow } = require('./stack-overflow')

const { ERROR, MAX_DEPTH, TAG_BITS } = tags
const { keys, hasOwn, getPrototypeOf, getOwnPropertyDescriptor } = Object
const { propertyIsEnumerable } = Object.prototype

// Beyond structured clone, which keeps class, message, stack and cause: the name, the
// enumerable properties, and what AggregateError and SuppressedError hold.
// `native`: the prototype of the nearest class of the language, of whatever realm; `index`: which one that is.
function writeError (writer, error, index, native) {
  const record = new ErrorRecord(error, index)
  if (!record.text('name', nameOf(error, native))) return false
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
  const { prototype } = DOMException
  return writeFromSlots(writer, exception, DOM_EXCEPTION, record => {
    record.text('name', slot(exception, prototype, 'name'))
    record.text('message', slot(exception, prototype, 'message'))
    record.stack()
  })
}

function writeQuotaExceededError (writer, exception) {
  const { prototype } = QuotaExceededError
  return writeFromSlots(writer, exception, QUOTA_EXCEEDED_ERROR, record => {
    record.text('message', slot(exception, DOMException.prototype, 'message'))
    record.stack()
    record.number('quota', slot(exception, prototype, 'quota'))
    record.number('requested', slot(exception, prototype, 'requested'))
  })
}

function writeFromSlots (writer, exception, index, take) {
  const record = new ErrorRecord(exception, index)
  try {
    take(record)
  } catch (thrown) {
    if (isStackOverflow(thrown)) throw thrown
    // It only looks like one.
    return false
  }
  record.own('cause')
  return record.write(writer)
}

function slot (exception, prototype, key) {
  return getOwnPropertyDescriptor(prototype, key).get.call(exception)
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

  number (key, value) {
    if (value !== null) this.#add(key, value)
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
  const { depth, seen } = writer
  const size = writer.pos - writer.base
  const known = seen.mark()
  const isWritten = writeProperty(writer, error, key)
  if (!isWritten) {
    writer.pos = writer.base + size
    writer.depth = depth
    seen.truncate(known)
  }
  seen.release()
  return isWritten
}

function writeProperty (writer, error, key) {
  const { seen } = writer
  let value
  try {
    value = error[key]
    if (!seen.isRefused(value) && writer.string(key) && writer.value(value)) return true
  } catch (thrown) {
    // Of an accessor that the platform would not run: not the caller's concern.
    if (thrown === REPEATED || isStackOverflow(thrown)) throw thrown
  }
  // Nearer to the top, or with more memory, it may be possible.
  if (writer.depth <= MAX_DEPTH && !writer.full) seen.refuse(value)
  return false
}

// The name that the error gives. A subclass that names neither itself nor its instances
// has only that of its constructor to be told by.
function nameOf (error, native) {
  if (isListed(error, 'name')) return undefined
  const { name } = error
  if (name !== native.name || hasOwn(error, 'name')) return name
  const prototype = getPrototypeOf(error)
  for (let named = prototype; named !== native && named !== null; named = getPrototypeOf(named)) {
    if (hasOwn(named, 'name')) return name
  }
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

module.exports = { writeError, writeDOMException, writeQuotaExceededError }
