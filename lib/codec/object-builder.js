'use strict'

// Makes the function that reads one object of a known shape. A literal with all the keys
// gives the object its hidden class at once, and each store after it is monomorphic: three
// times as fast as storing by computed key, which is what the codec does where this is not
// allowed (--disallow-code-generation-from-strings) or not worth it yet.
//
// Keys go into the source through JSON.stringify; "__proto__" is computed, which makes it
// a key like any other. No other part of the source varies.

let allowed = true

function makeBuilder (keys) {
  if (!allowed) return null
  const literal = keys.map(key => key === '__proto__' ? '["__proto__"]: undefined' : `${JSON.stringify(key)}: undefined`)
  const stores = keys.map(key => `object[${JSON.stringify(key)}] = reader.value()`)
  try {
    // eslint-disable-next-line no-new-func
    return new Function('reader', `'use strict'
const object = { ${literal.join(', ')} }
reader.remember(object)
${stores.join('\n')}
return object`)
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
    allowed = false
    return null
  }
}

module.exports = { makeBuilder }
