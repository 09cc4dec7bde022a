'use strict'

// Counting the words of a large text, through channels.
//
// Instead of: reading the whole text and splitting one huge string, in one thread. Or a worker for
// each part of the text, where all parts have to be cut and posted before the first worker can
// start.
//
// Here the text is streamed through a channel: writable() makes a stream for pipeline(). Each
// thread of the pool takes pieces of the text from the channel, counts the words, and sends its
// table to another channel. A piece ends at the end of a line, so that no word is cut. The capacity
// of the channels limits the memory that is used.

const { Readable } = require('node:stream')
const { pipeline } = require('node:stream/promises')
const { isMainThread } = require('node:worker_threads')
const { Channel, Pool } = require('telar')

const kThreads = 2
const kVerses = 20_000

async function count ({ pieces, tables }) {
  const table = new Map()
  for await (const piece of pieces) {
    for (const [word] of piece.matchAll(/\p{L}+/gu)) table.set(word, (table.get(word) ?? 0) + 1)
  }
  await tables.send(table)
}

// Stands for fs.createReadStream() of a file that is larger than the memory.
function * text () {
  for (let n = 0; n < kVerses; n++) yield 'the warp and the weft make the cloth\n'
}

// Makes pieces of a few kilobytes, each of whole lines.
async function * inWholeLines (chunks) {
  let rest = ''
  for await (const chunk of chunks) {
    rest += chunk
    const end = rest.lastIndexOf('\n') + 1
    if (end < 8192) continue
    yield rest.slice(0, end)
    rest = rest.slice(end)
  }
  if (rest !== '') yield rest
}

async function main () {
  const pieces = new Channel({ capacity: 256 * 1024 })
  const tables = new Channel()
  const pool = new Pool({ filename: __filename, minThreads: kThreads, maxThreads: kThreads })
  const counters = Array.from({ length: kThreads }, () => pool.run({ pieces, tables }))

  await pipeline(Readable.from(text()), inWholeLines, pieces.writable())
  await Promise.all(counters)
  tables.close()

  const total = new Map()
  for await (const table of tables) {
    for (const [word, n] of table) total.set(word, (total.get(word) ?? 0) + n)
  }
  const byCount = [...total].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  for (const [word, n] of byCount.slice(0, 3)) console.log(`${n} ${word}`)
  await pool.close()
}

module.exports = count
if (isMainThread) main()
