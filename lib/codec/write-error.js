'use strict'

const { DOMException, Object, QuotaExceededError } = require('../base/globals')
const tags = require('./tags')
const {
  kDomException, kQuotaExceededError, kAggregateError, kSuppressedError, fieldBit
} = require('./error-fields')
const { kRepeated } = require('./seen')
const { isStackOverflow } = require('./stack-overflow')

const { kError, kMaxDepth, kTagBits } = tags
const { keys, hasOwn, getPrototypeOf, getOwnPropertyDescriptor } = Object
const { propertyIsEnumerable } = Object.prototype

// Writes more of an error than structured clone, which keeps class, message, stack and cause: also
// the name, the enumerable properties, and the errors inside an AggregateError or SuppressedError.
// `native`: the prototype of the nearest built-in class, of any realm; `index`: that of the class.
function writeError (writer, error, index, native) {
  const record = new ErrorRecord(error, index)
  if (!record.text('name', nameOf(error, native))) return false
  if (!record.text('message', messageOf(error))) return false
  record.stack()
  record.own('cause')
  if (index === kAggregateError) record.own('errors')
  if (index === kSuppressedError) {
    record.own('error')
    record.own('suppressed')
  }
  return record.write(writer)
}

// Name and message are in internal slots, and Node derives the code from the name.
function writeDOMException (writer, exception) {
  const { prototype } = DOMException
  return writeFromSlots(writer, exception, kDomException, record => {
    record.text('name', slot(exception, prototype, 'name'))
    record.text('message', slot(exception, prototype, 'message'))
    record.stack()
  })
}

function writeQuotaExceededError (writer, exception) {
  const { prototype } = QuotaExceededError
  return writeFromSlots(writer, exception, kQuotaExceededError, record => {
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
    // The object only has the prototype of such an exception, not its slots.
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

  // False for a value that is neither a string nor undefined: structured clone converts those.
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
    if (!writer.enter() || !writer.word(this.#bits << kTagBits | kError)) return false
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

// Whether a property is written among the enumerable ones, in their order, and so needs no field.
function isListed (error, key) {
  return propertyIsEnumerable.call(error, key)
}

// Structured clone drops all further properties of an error. The codec drops only those that cannot
// be encoded (a socket, a function), and undoes what it had written of them.
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
    // Any other error comes from an accessor that structured clone would not run. It is ignored.
    if (thrown === kRepeated || isStackOverflow(thrown)) throw thrown
  }
  // Not remembered if only the depth or the memory was lacking: elsewhere it may be possible.
  if (writer.depth <= kMaxDepth && !writer.full) seen.refuse(value)
  return false
}

// The name to write. It is `error.name`, or the name of the constructor if a subclass sets no
// `name` on its prototype or its instances.
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
  const isUsable = typeof className === 'string' && className !== '' && className !== name
  return isUsable ? className : undefined
}

// The message may be an own property, or be computed by an accessor of a subclass.
function messageOf (error) {
  if (isListed(error, 'message')) return undefined
  const { message } = error
  return hasOwn(error, 'message') || message !== '' ? message : undefined
}

module.exports = { writeError, writeDOMException, writeQuotaExceededError }
