'use strict'

// Counting the words of a text with a task that takes an input, and gives many values.
//
// Instead of: a task that gets the whole text, and returns one large table. Or messages in both
// directions, with a protocol for the end, for errors and for a side that is too fast.
//
// Here the task is a generator. It reads `task.input` line by line, and yields each new word at
// once, then the counts. Both directions have backpressure. An error on either side reaches the
// other one, and leaving the loop ends the task.

const { isMainThread } = require('node:worker_threads')
const { Pool } = require('telar')

async function * countWords (shortest, task) {
  const counts = new Map()
  for await (const line of task.input) {
    for (const [word] of line.matchAll(/\p{L}+/gu)) {
      if (word.length < shortest) continue
      if (!counts.has(word)) yield { found: word }
      counts.set(word, (counts.get(word) ?? 0) + 1)
    }
  }
  for (const [word, count] of counts) yield { word, count }
}

// Stands for the lines of a large file: readline.createInterface() is an async iterable, too.
function * lines () {
  for (let n = 0; n < 20_000; n++) yield 'the warp and the weft make the cloth'
}

async function main () {
  const pool = new Pool({ filename: __filename, maxThreads: 1 })
  const found = []
  for await (const { found: word, ...entry } of pool.stream(4, { input: lines() })) {
    if (word === undefined) console.log(`${entry.count} ${entry.word}`)
    else found.push(word)
  }
  console.log(`found ${found.join(', ')}`)
  await pool.close()
}

module.exports = countWords
if (isMainThread) main()
