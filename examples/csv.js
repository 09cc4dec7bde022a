'use strict'

// Parsing a CSV file of a million rows in a pipeline, with a progress bar.
//
// Instead of: parsing in the main thread, which answers nothing meanwhile. Or one run() for each
// line, whose promises all exist at once, and whose tasks cost more than the parsing.
//
// Here transform() is a stage of pipeline(). Small lines are sent to the workers together. The file
// is read no faster than its rows are written, so the memory stays the same for any number of rows.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Readable, Writable } = require('node:stream')
const { pipeline } = require('node:stream/promises')
const { isMainThread } = require('node:worker_threads')
const { Pool } = require('telar')

const kRows = Number(process.env.ROWS ?? 1_000_000)

function parse (line) {
  const [id, name, cents] = line.split(',')
  return { id: Number(id), name: JSON.parse(name), price: Number(cents) / 100 }
}

function * csv () {
  let part = ''
  for (let id = 1; id <= kRows; id++) {
    part += `${id},"item ${id}",${id % 1000}\n`
    if (part.length < 65_536 && id < kRows) continue
    yield part
    part = ''
  }
}

async function * lines (chunks) {
  let rest = ''
  for await (const chunk of chunks) {
    const whole = (rest + chunk).split('\n')
    rest = whole.pop()
    yield * whole
  }
}

// On a terminal only.
function showProgress (share) {
  if (!process.stderr.isTTY) return
  const done = Math.floor(share * 40)
  const bar = '#'.repeat(done).padEnd(40, '.')
  process.stderr.write(`\r[${bar}] ${Math.floor(share * 100)} %${share === 1 ? '\n' : ''}`)
}

async function main () {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'telar-csv-'))
  const file = path.join(folder, 'items.csv')
  await pipeline(Readable.from(csv()), fs.createWriteStream(file))
  const { size } = fs.statSync(file)

  const pool = new Pool({ filename: __filename })
  const source = fs.createReadStream(file)
  let count = 0
  let total = 0
  await pipeline(source, lines, pool.transform(), new Writable({
    objectMode: true,
    write ({ price }, encoding, callback) {
      total += price
      if (++count % 10_000 === 0) showProgress(source.bytesRead / size)
      callback()
    }
  }))
  showProgress(1)
  console.log(`${count} rows, ${total.toFixed(2)} in all`)
  await pool.close()
  fs.rmSync(folder, { recursive: true })
}

module.exports = parse
if (isMainThread) main()
