'use strict'

// Functions made for the objects of one shape. Keys go into the source through JSON.stringify; no other part of it
// varies but numbers.

const { Array, EvalError, Function, JSON, Map } = require('../base/globals')
const { MAX_NUMBER_WORDS, putNumber } = require('./numbers')
const { FALSE, TRUE, OBJECT, TAG_BITS } = require('./tags')

// Making one costs some 30 µs: for shapes that come again.
const USES_BEFORE_CODE = 16
// What the functions of one encoder, or of one decoder, may take.
const MAX_CODE_BYTES = 4 * 1024 * 1024
// Longer key blocks would make a long source and gain little.
const MAX_WRITTEN_WORDS = 64

let allowed = true

// What a function takes as V8 keeps it, source and compiled code, about.
function codeBytes (keyCount) {
  return (4 + keyCount) * 1024
}

// The functions that one encoder or one decoder has made, by key block. None is given up: V8 keeps the code of a
// function long after that is garbage, so what is bounded is how many are made, not how many are in use.
class MadeFunctions {
  #bytes = 0
  #made = new Map()

  // For such a block of so many keys: the function made before, or by make() now; null: none.
  get (hash, words, keyCount, make) {
    const known = this.#made.get(hash)
    if (known !== undefined) return isSame(known.words, words) ? known.run : null
    const bytes = codeBytes(keyCount)
    if (this.#bytes + bytes > MAX_CODE_BYTES) return null
    const run = make()
    if (run === null) return null
    this.#bytes += bytes
    this.#made.set(hash, { words, run })
    return run
  }
}

function isSame (words, others) {
  return words.length === others.length && words.every((word, i) => word === others[i])
}

// null where that is not allowed (--disallow-code-generation-from-strings).
function generate (parameters, lines) {
  if (!allowed) return null
  try {
    return new Function(...parameters, ["'use strict'", ...lines].join('\n'))
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
    allowed = false
    return null
  }
}

// The function that reads one object. A literal with all the keys gives the object its hidden class at once,
// and each store after it is monomorphic: three times as fast as storing by computed key. "__proto__" is
// computed, which makes it a key like any other.
function makeBuilder (keys) {
  const literal = keys.map(key => key === '__proto__' ? '["__proto__"]: undefined' : `${JSON.stringify(key)}: undefined`)
  return generate(['reader'], [
    `const object = { ${literal.join(', ')} }`,
    'reader.remember(object)',
    ...keys.map(key => `object[${JSON.stringify(key)}] = reader.value()`),
    'return object'
  ])
}

// The function that writes the properties of an object whose keys are known to be these, as
// ValueWriter.properties() does. The key block is in the source, and where the writer is stays in variables of the function as
// long as values are short: in four fifths of the time.
function makeWriter (keys, block, hash) {
  if (block.length > MAX_WRITTEN_WORDS) return null
  const leave = call => `writer.pos = pos
  if (!${call}) return false;
  ({ words, pos, end } = writer)`
  const write = key => {
    const name = JSON.stringify(key)
    return `value = object[${name}]
if (typeof value === 'string') next = strings.put(words, pos, end, value)
else if (typeof value === 'number' && pos + ${MAX_NUMBER_WORDS} <= end) next = putNumber(words, pos, value)
else if (typeof value === 'boolean' && pos < end) {
  words[pos] = value ? ${TRUE} : ${FALSE}
  next = pos + 1
} else next = -1
if (next >= 0) pos = next
else {
  ${leave(`writer.property(object, ${name}, value)`)}
}`
  }
  const makeFunction = generate(['putNumber'], [
    'return function (writer, object) {',
    'if (!writer.reserve(3)) return false',
    'const { strings } = writer',
    'let { words, pos, end } = writer',
    'const head = pos - writer.base',
    'pos += 3',
    'let value, next',
    ...keys.map(write),
    `if (pos + ${block.length} > end) {
  ${leave(`writer.reserve(${block.length})`)}
}`,
    ...Array.from(block, (word, index) => `words[pos + ${index}] = ${word}`),
    `writer.pos = pos + ${block.length}`,
    'const at = writer.base + head',
    `words[at] = ${keys.length << TAG_BITS | OBJECT}`,
    `words[at + 1] = ${hash}`,
    'words[at + 2] = pos - at - 3',
    'return true',
    '}'
  ])
  return makeFunction === null ? null : makeFunction(putNumber)
}

module.exports = { MadeFunctions, makeBuilder, makeWriter, USES_BEFORE_CODE }
