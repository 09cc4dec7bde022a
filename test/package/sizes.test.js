'use strict'

// Files stay small enough to be read in one sitting: a file that grows beyond its bound usually
// does a second job.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')

const root = path.join(__dirname, '..', '..')

// Lines of a file, at most. The engine lists the parts of a pool, and has a bound of its own.
const kBounds = [
  { folder: 'lib', pattern: /\.m?js$/, lines: 400 },
  { folder: 'src', pattern: /\.(?:c|h|cc)$/, lines: 450 }
]
const kOwnBounds = { 'lib/pool/engine.js': 450 }

// A file may be longer where its first comment says why.
const kReason = /^.{0,3}LONG +\S.{20}/m

function filesOf (folder) {
  return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = `${folder}/${entry.name}`
    return entry.isDirectory() ? filesOf(name) : [name]
  })
}

function isTooLong (name, text, lines) {
  const head = text.split('\n', 40).join('\n')
  return text.split('\n').length - 1 > (kOwnBounds[name] ?? lines) && !kReason.test(head)
}

for (const { folder, pattern, lines } of kBounds) {
  test(`no file of ${folder} has more than ${lines} lines without saying why`, () => {
    const files = filesOf(folder).filter((name) => pattern.test(name))
    assert.ok(files.length > 20)
    const long = files.filter((name) => {
      return isTooLong(name, fs.readFileSync(path.join(root, name), 'utf8'), lines)
    })
    assert.deepEqual(long, [])
  })
}

test('a file that is too long is found unless a comment at its top gives a reason', () => {
  const text = 'x\n'.repeat(401)
  assert.equal(isTooLong('lib/pool/pool.js', text, 400), true)
  assert.equal(isTooLong('lib/pool/engine.js', text, 400), false)
  assert.equal(isTooLong('lib/pool/pool.js', 'x\n'.repeat(400), 400), false)
  const reason = '// LONG    a table of Unicode, one line a character\n'
  assert.equal(isTooLong('lib/a.js', reason + text, 400), false)
})
