'use strict'

// Every example runs to its end and prints what it should.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { promisify } = require('node:util')

const run = promisify(execFile)
const folder = path.join(__dirname, '..', '..', 'examples')

// Sockets can be transferred from Node 24 on. Each earlier version has its own error.
const nodeMajor = Number(process.versions.node.split('.')[0])
const connections = nodeMajor >= 24
  ? [
      "[ '6765 55', '75025', '5 8 13' ]",
      'a worker gave 1 answers',
      'a worker gave 2 answers',
      'a worker gave 3 answers'
    ]
  : [
      "[ 'this needs Node 24', 'this needs Node 24', 'this needs Node 24' ]",
      ...new Array(3).fill(`not transferred: ${nodeMajor === 20 ? 'TypeError' : 'DataCloneError'}`)
    ]

const expected = {
  'cluster.js': ["[ '55', '5050', '500500', '50005000' ]", '2 processes ended'],
  'connections.js': connections,
  'count-words.js': [
    '20000 warp', '20000 weft', '20000 make', '20000 cloth', 'found warp, weft, make, cloth'
  ],
  'csv.js': ['50000 rows, 249750.00 in all'], // a million, unless ROWS says otherwise
  'hash-files.js': ['c2756086b5d70a1b', 'd71ce34c7d3a21bc', '20 files, b5d0dea14b21d40c of all'],
  'http-server.js': ["[ '75025', '6765', 'ok', 'a number from 0 to 35' ]"],
  'parse-javascript.js': [
    'shared-counter.js: sell, main',
    'pipeline.js: main',
    'siblings.js: main, live',
    'SyntaxError: Unexpected token (1:8), at character 8'
  ],
  'pipeline.js': ['5000 rows, 1250250.00 in all'],
  'pool-of-consumers.js': ['2000 orders by 2 consumers'],
  'producer-consumer.js': ['10000 readings, at most 39 °C'],
  'resize-image.js': [
    '4 × 4 pixels, the first: 255,255,255,255',
    'the original has 0 bytes left: it was moved',
    "TypeError: Cannot destructure property 'pixels' of 'object null' as it is null."
  ],
  'select.js': [
    '100 jobs, the last report is 100 %',
    '5000 reports, 0 of them neither received nor dropped'
  ],
  'shared-counter.js': ['1000 sold, 1000 by the books'],
  'siblings.js': ['worker 0 saw hop 300'],
  'woken-at-once.js': ['30 jobs, one after the other: 9455'],
  'word-count.js': ['60000 the', '20000 and', '20000 cloth']
}

test('every example is in the list', () => {
  assert.deepEqual(fs.readdirSync(folder).filter((name) => name.endsWith('.js')).sort(),
    Object.keys(expected))
})

for (const [name, lines] of Object.entries(expected)) {
  test(`examples/${name} prints what it should`, async () => {
    const { stdout, stderr } = await run(process.execPath, [path.join(folder, name)], {
      env: { ...process.env, ROWS: '50000' }
    })
    assert.equal(stderr, '')
    assert.deepEqual(stdout.trimEnd().split('\n'), lines)
  })
}
