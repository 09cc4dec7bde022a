'use strict'

// Compares the codec with v8.serialize and JSON: the nanoseconds of one encode and one decode of
// common values. Usage: node bench/codec.js [name of a value]. All values run in one process, so V8
// has optimized the code for all of them. For figures with the code optimized for one value only,
// give its name.

const v8 = require('node:v8')
const { isDeepStrictEqual } = require('node:util')
const { Encoder, Decoder } = require('../lib/codec')

const INLINE = 256
const ROUND_MICROSECONDS = 10000
const ROUNDS = 16

// Memory like that of a slot: an inline area, and one block for all larger values.
class Memory {
  bytes = new Uint8Array(new SharedArrayBuffer(8 << 20))
  limit = INLINE

  reset () {
    this.limit = INLINE
  }

  grow (start, used, needed, wanted) {
    if (start !== 0) return -1
    const block = 4096
    this.bytes.copyWithin(block, 0, used)
    this.limit = block + Math.max(wanted, 4 << 20)
    return block
  }
}

function smallObject (i) {
  return {
    id: 42 + i,
    name: 'John Smith',
    a: 'xxxxxxxx',
    b: 'a value',
    c: 'short',
    nested: { x: i, y: 2.5, ok: true, tag: 'nested' }
  }
}

const shapes = {
  int: i => i,
  double: i => i + 0.5,
  'string of 20': i => `a string of 20 ch ${10 + i % 64}`,
  'string of 20, the same': () => 'a string of 20 chars',
  'string of 64 KB': () => 'x'.repeat(65536),
  'two-byte string of 64 KB': () => 'ж'.repeat(32768),
  'small object': smallObject,
  'array of 10 ints': i => Array.from({ length: 10 }, (_, n) => n * i),
  'array of 1000 ints': i => Array.from({ length: 1000 }, (_, n) => n * i),
  'array of 100 small objects': () => Array.from({ length: 100 }, (_, i) => smallObject(i)),
  'dictionary of 20 changing keys': i =>
    Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`key ${i * 20 + n}`, n])),
  'Map of a Date and a Set': i => new Map([['date', new Date(i)], ['set', new Set([1, 'two', i])]]),
  error: i => Object.assign(new TypeError(`message ${i}`), { code: 'ERR_SOMETHING' }),
  'Uint8Array of 1 KB': () => new Uint8Array(1024).fill(7),
  'Buffer of 1 KB': () => Buffer.alloc(1024, 7),
  'Uint8Array of 64 KB': () => new Uint8Array(65536).fill(7),
  'Uint8Array of 1 MB': () => new Uint8Array(1 << 20).fill(7)
}

const codec = () => {
  const memory = new Memory()
  const encoder = new Encoder(memory)
  const decoder = new Decoder(memory)
  return {
    encode (value) {
      memory.reset()
      const size = encoder.encode(value, 0)
      if (size === -1) throw new Error('the codec left the value to the platform')
      return size
    },
    decode: size => decoder.decode(encoder.start, encoder.start + size)
  }
}

const rivals = {
  telar: codec,
  'v8.serialize': () => ({ encode: v8.serialize, decode: v8.deserialize }),
  JSON: () => ({ encode: JSON.stringify, decode: JSON.parse })
}

// Measures CPU time, so that other processes on the machine do not count. Returns the lower
// quartile of many short rounds, which excludes the compiler but not the garbage collector.
function measure (arguments_, run) {
  const rounds = []
  let calls = 16
  while (rounds.length < ROUNDS) {
    const begin = process.cpuUsage()
    for (let i = 0; i < calls; i++) run(arguments_[i & (arguments_.length - 1)])
    const { user, system } = process.cpuUsage(begin)
    if (user + system < ROUND_MICROSECONDS) calls *= 2
    else rounds.push((user + system) * 1000 / calls)
  }
  return rounds.sort((a, b) => a - b)[ROUNDS >> 2]
}

function isCarriedByJson (value) {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value)
}

function row (name, make) {
  const values = Array.from({ length: 64 }, (_, i) => make(i))
  const cells = [name.padEnd(32)]
  for (const [rivalName, rival] of Object.entries(rivals)) {
    if (rivalName === 'JSON' && !isCarriedByJson(values[0])) {
      cells.push(format(NaN), format(NaN))
      continue
    }
    const { encode, decode } = rival()
    cells.push(format(measure(values, encode)))
    if (rival === codec) {
      // The memory holds only one encoding at a time.
      const size = encode(values[1])
      cells.push(format(measure([size], decode)))
    } else {
      cells.push(format(measure(values.map(encode), decode)))
    }
  }
  console.log(cells.join(''))
}

function format (ns) {
  return (Number.isFinite(ns) ? ns.toFixed(ns < 100 ? 1 : 0) : '-').padStart(11)
}

console.log(`node ${process.version}, ns per call`)
const heads = Object.keys(rivals).map(name => `${name} enc`.padStart(11) + 'dec'.padStart(11))
console.log(''.padEnd(32) + heads.join(''))
const [only] = process.argv.slice(2)
if (only !== undefined && shapes[only] === undefined) {
  const names = Object.keys(shapes).map(name => `"${name}"`)
  console.error(`Expected one of ${names.join(', ')} but received "${only}"`)
  process.exitCode = 1
} else {
  for (const [name, make] of Object.entries(shapes)) {
    if (only === undefined || only === name) row(name, make)
  }
}
