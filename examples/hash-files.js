'use strict'

// Hashing the files of a directory.
//
// Instead of: Promise.all() over all files, which opens all of them at once. Or a loop that hashes
// one file after the other.
//
// Here map() takes the names from the directory as fast as the workers hash, and gives the hashes
// in the order of the names. Leaving the loop would cancel the rest.

const { createHash } = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { isMainThread } = require('node:worker_threads')
const { Pool } = require('telar')

function hash (file) {
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex')
}

function * filesOf (folder) {
  for (const name of fs.readdirSync(folder).sort()) yield path.join(folder, name)
}

async function main () {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'telar-hash-'))
  for (let i = 10; i < 30; i++) fs.writeFileSync(path.join(folder, `${i}.txt`), `file ${i}\n`)

  const pool = new Pool({ filename: __filename })
  const sum = createHash('sha256')
  let count = 0
  for await (const digest of pool.map(filesOf(folder))) {
    if (count++ < 2) console.log(digest.slice(0, 16))
    sum.update(digest)
  }
  console.log(`${count} files, ${sum.digest('hex').slice(0, 16)} of all`)
  await pool.close()
  fs.rmSync(folder, { recursive: true })
}

module.exports = hash
if (isMainThread) main()
