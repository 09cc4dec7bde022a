'use strict'

// Generates functions for the objects of one shape. Keys are put into the source by
// JSON.stringify(); apart from them only numbers vary.

const { Array, EvalError, Function, JSON, Map } = require('../base/globals')
const { kMaxNumberWords, putNumber } = require('./numbers')
const { kFalse, kTrue, kObject, kTagBits } = require('./tags')

// Generating a function costs some 30 µs, so a shape has to be used this often first.
const kUsesBeforeCode = 16
// Limit for the functions of one encoder, or of one decoder.
const kMaxCodeBytes = 4 * 1024 * 1024
// Longer key blocks would make a long source and gain little.
const kMaxWrittenWords = 64

let allowed = true

// About how much memory a function takes in V8: source and compiled code.
function codeBytes (keyCount) {
  return (4 + keyCount) * 1024
}

// The functions that one encoder or one decoder has generated, by key block. None is ever dropped:
// V8 keeps the code of a function long after the function is garbage. So the limit is for those
// that were generated, not for those in use.
class GeneratedFunctions {
  #bytes = 0
  #generated = new Map()

  // The function for a key block of `keyCount` keys: generated before, or now by make(). Null:
  // there is none.
  get (hash, words, keyCount, make) {
    const known = this.#generated.get(hash)
    if (known !== undefined) return isSame(known.words, words) ? known.run : null
    const bytes = codeBytes(keyCount)
    if (this.#bytes + bytes > kMaxCodeBytes) return null
    const run = make()
    if (run === null) return null
    this.#bytes += bytes
    this.#generated.set(hash, { words, run })
    return run
  }
}

function isSame (words, others) {
  return words.length === others.length && words.every((word, i) => word === others[i])
}

// Null where code generation is forbidden (--disallow-code-generation-from-strings).
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

// The function that reads one object. A literal with all the keys gives the object its hidden class
// at once, and each store after it is monomorphic: three times as fast as storing by computed key.
// "__proto__" is a computed key of the literal, which makes it an ordinary property.
function makeBuilder (keys) {
  const literal = keys.map(key => {
    return key === '__proto__' ? '["__proto__"]: undefined' : `${JSON.stringify(key)}: undefined`
  })
  return generate(['reader'], [
    `const object = { ${literal.join(', ')} }`,
    'reader.remember(object)',
    ...keys.map(key => `object[${JSON.stringify(key)}] = reader.value()`),
    'return object'
  ])
}

// The function that writes the properties of an object with exactly these keys, like
// ValueWriter.properties(). The key block is in the source, and as long as values are short the
// cursor of the writer is kept in local variables: this takes four fifths of the time.
function makeWriter (keys, block, hash) {
  if (block.length > kMaxWrittenWords) return null
  const leave = call => `writer.pos = pos
  if (!${call}) return false;
  ({ words, pos, end } = writer)`
  const isNumberThatFits = `typeof value === 'number' && pos + ${kMaxNumberWords} <= end`
  const write = key => {
    const name = JSON.stringify(key)
    return `value = object[${name}]
if (typeof value === 'string') next = strings.put(words, pos, end, value)
else if (${isNumberThatFits}) next = putNumber(words, pos, value)
else if (typeof value === 'boolean' && pos < end) {
  words[pos] = value ? ${kTrue} : ${kFalse}
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
    `words[at] = ${keys.length << kTagBits | kObject}`,
    `words[at + 1] = ${hash}`,
    'words[at + 2] = pos - at - 3',
    'return true',
    '}'
  ])
  return makeFunction === null ? null : makeFunction(putNumber)
}

module.exports = { GeneratedFunctions, makeBuilder, makeWriter, kUsesBeforeCode }
