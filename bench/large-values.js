'use strict'

// The values that bench:large sends. A value has as many parts as it needs to take about the given
// number of megabytes as JSON. In a value with a buffer, the bytes of the buffer count as they are.

const MEGABYTE = 1e6

const many = (length, make) => Array.from({ length }, (_, i) => make(i))

// Returns how many parts take the given number of megabytes, estimated from a sample of them.
function count (make, megabytes) {
  const sample = many(1000, (i) => make(i * 997))
  return Math.ceil(megabytes * MEGABYTE / (JSON.stringify(sample).length / sample.length))
}

const fill = (make) => (megabytes) => many(count(make, megabytes), make)

const record = (i) => ({ id: i, name: `user ${i}` })
const row = (i) => [i, `row ${i}`, i / 8, i % 3 === 0, null]
const text = (i) => `a text of some forty characters, number ${i}`
const number = (i) => i % 2 === 0 ? i : i / 7
const entry = (i) => [`key ${i}`, i]

const values = {
  records: fill(record),
  rows: fill(row),
  strings: fill(text),
  numbers: fill(number),
  map: (megabytes) => new Map(fill(entry)(megabytes)),
  buffer: (megabytes) => ({
    data: new Uint8Array(megabytes * MEGABYTE * 0.9).fill(7),
    records: fill(record)(megabytes * 0.1)
  })
}

// Returns the length and a sample of the parts of a value, as a string. If two digests are equal,
// the values are considered equal.
function digest (value) {
  const list = value instanceof Map ? [...value] : value.records ?? value
  const step = Math.max(1, Math.floor(list.length / 100))
  const parts = list.filter((_, i) => i % step === 0 || i === list.length - 1)
  return JSON.stringify([list.length, parts, value.data?.length, value.data?.at(-1)])
}

module.exports = { values, digest }
