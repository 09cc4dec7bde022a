'use strict'

// The rooms of lib use each other only downwards, as CONTRIBUTING.md says. test_layers.sh checks
// the same for C.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { breaches, sources } = require('../fixtures/rooms')

const root = path.join(__dirname, '..', '..')

// Returns what is wrong with a copy of lib and of its table after change(copy).
function breachesAfter (change) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'telar-rooms-'))
  try {
    for (const name of ['lib', 'vendor', 'package.json', 'CONTRIBUTING.md']) {
      fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true })
    }
    change({
      append: (file, line) => fs.appendFileSync(path.join(folder, file), `${line}\n`),
      create (file, text) {
        fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
        fs.writeFileSync(path.join(folder, file), text)
      },
      replace (file, from, to) {
        const text = fs.readFileSync(path.join(folder, file), 'utf8')
        assert.ok(text.includes(from), `${file} has no ${from}`)
        fs.writeFileSync(path.join(folder, file), text.replace(from, to))
      }
    })
    return breaches(folder)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

const linesOf = (file) =>
  fs.readFileSync(path.join(root, file), 'utf8').trimEnd().split('\n').length

test('lib uses its rooms as CONTRIBUTING.md allows, and has no circle', () => {
  assert.deepEqual(breaches(root), [])
})

test('a require of a room above fails with its file, its line and what to do', () => {
  const line = linesOf('lib/sync/mutex.js') + 1
  const found = breachesAfter(({ append }) =>
    append('lib/sync/mutex.js', "const { sum } = require('../pool/options')"))
  assert.equal(found.length, 1)
  const expected = `lib/sync/mutex.js:${line} requires ../pool/options, ` +
    'which is lib/pool/options.js: sync may use shared, codec, base, not pool. Let the upper room '
  assert.ok(found[0].startsWith(expected), found[0])
})

test('a lazy require, an import() and a require of a folder count, too', () => {
  const lines = [
    "const late = () => require('../channel/channel')",
    "const later = () => import('../channel/channel.js')",
    "const all = () => require('../sync')",
    "const name = require.resolve('../worker/main.js')"
  ]
  const first = linesOf('lib/codec/index.js') + 1
  const found = breachesAfter(({ append }) => append('lib/codec/index.js', lines.join('\n')))
  const places = found.filter((breach) => breach.includes('codec may use base'))
    .map((breach) => breach.split(' ')[0])
  assert.deepEqual(places, lines.map((line, i) => `lib/codec/index.js:${first + i}`))
  assert.match(found.find((breach) => breach.includes('requires ../sync')),
    /which is lib\/sync\/index\.js/)
})

test('the imports of an ES module count', () => {
  const found = breachesAfter(({ create }) => create('lib/base/extra.mjs', [
    "import '../codec/index.js'",
    "export { a } from '../sync/index.js'",
    "export * from '../pool/pool.js'\n"
  ].join('\n')))
  assert.deepEqual(found.map((breach) => breach.split(' ')[0]),
    ['lib/base/extra.mjs:1', 'lib/base/extra.mjs:2', 'lib/base/extra.mjs:3'])
  for (const breach of found) {
    assert.match(breach, /: base may use nothing, not (codec|sync|pool)\. /)
  }
})

test('a circle between files of one room fails with each of its steps', () => {
  const found = breachesAfter(({ create }) => {
    create('lib/sync/a.js', "const b = require('./b')\n")
    create('lib/sync/b.js', "\nconst c = () => require('./c')\n")
    create('lib/sync/c.js', "\n\nconst a = () => require('./a')\n")
  })
  assert.equal(found.length, 1)
  const expected = 'lib/sync/a.js:1 requires lib/sync/b.js, ' +
    'lib/sync/b.js:2 requires lib/sync/c.js, lib/sync/c.js:3 requires lib/sync/a.js: ' +
    'this is a circle. '
  assert.ok(found[0].startsWith(expected), found[0])
})

test('a room without a row fails, and so does a row without a room', () => {
  const found = breachesAfter(({ create }) => {
    create('lib/attic/chest.js', '\n')
    create('lib/loose.js', '\n')
  })
  assert.deepEqual(found.map((breach) => breach.split('.js:1 ')[0]),
    ['lib/attic/chest', 'lib/loose'])
  for (const breach of found) {
    assert.match(breach, /is in no room.*"Rooms of lib" of CONTRIBUTING\.md/)
  }

  const gone = breachesAfter(({ replace }) =>
    replace('CONTRIBUTING.md', '\n| `base` |', '\n| `base`, `cellar` |'))
  assert.deepEqual(gone,
    ['lib has no cellar. Take it out of the table "Rooms of lib" of CONTRIBUTING.md.'])
})

test('a table that lets a room use one above it fails', () => {
  const [found] = breachesAfter(({ replace }) =>
    replace('CONTRIBUTING.md', '| nothing |', '| `sync` |'))
  assert.match(found, /^base may use sync, which stands above it\. /)
})

test('a package, a file outside of lib and a computed name fail', () => {
  const found = breachesAfter(({ create }) => create('lib/base/extra.js', [
    "require('piscina')",
    "require('../../scripts/command.mjs')",
    'require(process.argv[2])',
    "require('./nowhere')",
    "require('node:fs')\n"
  ].join('\n')))
  assert.deepEqual(found.map((breach) => breach.split('.')[0].split(' ')[0]),
    Array(4).fill('lib/base/extra'))
  assert.match(found[0], /:1 requires piscina, which is not Node's/)
  assert.match(found[1], /:2 requires \.\.\/\.\.\/scripts\/command\.mjs, which is no file of lib/)
  assert.match(found[2], /:3 requires a file whose name is computed/)
  assert.match(found[3], /:4 requires \.\/nowhere, which is no file of lib/)
})

test('the names of files and folders of lib are in kebab case', () => {
  const names = new Set(sources(root).flatMap((file) => file.split('/')))
  const isKebab = (name) => /^[a-z0-9]+(-[a-z0-9]+)*(\.[cm]?js)?$/.test(name)
  assert.deepEqual([...names].filter((name) => !isKebab(name)), [])
})
