'use strict'

// The tasks that are measured, their values, and the targets for telar.
//
// The `kind` of a task chooses the measurement in measure.js. `values` makes the inputs. Small
// values have many variants, so that a driver has no advantage if it remembers the last one. A
// target is for one metric: for telar's figure, or, with `against`, for its ratio to the figure of
// that driver.

const POOLS = ['telar', 'piscina', 'tinypool', 'workerpool', 'poolifier', 'handwritten']
const OPTIONAL = ['telar/piscina']

const VARIANTS = 64

function vary (make, count = VARIANTS) {
  return () => Array.from({ length: count }, (_, i) => make(i))
}

function integer (i) {
  return 7919 * (i + 1)
}

function shortString (i) {
  return `task number ${String(i * 1_234_567).padStart(8, '0')}`
}

function smallObject (i) {
  return {
    id: i,
    kind: 'resize',
    source: `/images/${i}/original.jpg`,
    target: `/images/${i}/thumbnail.webp`,
    owner: `user-${i * 31}`,
    options: { width: 320 + i, height: 200 + i, crop: i % 2 === 0, format: 'webp' }
  }
}

function collection (i) {
  return new Map([
    ['since', new Date(1_700_000_000_000 + i)],
    ['tags', new Set([`tag ${i}`, i, i % 2 === 0])]
  ])
}

function bytes (length) {
  return (i) => Uint8Array.from({ length }, (_, at) => (at * 31 + i) & 0xff)
}

function longString (i) {
  return shortString(i).repeat(Math.ceil(65_536 / 20)).slice(0, 65_536)
}

function atLeast (ratio) {
  return [{ metric: 'throughput', against: 'piscina', atLeast: ratio }]
}

const tasks = [
  {
    id: 'integer',
    title: 'no-op, integer',
    kind: 'flow',
    run: 'echo',
    values: vary(integer),
    targets: [
      ...atLeast(100),
      { metric: 'p50', against: 'piscina', atMost: 1 / 15 }
    ]
  },
  {
    id: 'string',
    title: 'no-op, 20-character string',
    kind: 'flow',
    run: 'echo',
    values: vary(shortString),
    targets: atLeast(60)
  },
  {
    id: 'object',
    title: 'no-op, small object',
    kind: 'flow',
    run: 'echo',
    values: vary(smallObject),
    targets: atLeast(25)
  },
  {
    id: 'map',
    title: 'no-op, Map of a Date and a Set',
    kind: 'flow',
    run: 'echo',
    values: vary(collection),
    targets: atLeast(10)
  },
  {
    id: 'bytes-1k',
    title: 'Uint8Array, 1 KB',
    kind: 'flow',
    run: 'echo',
    values: vary(bytes(1024)),
    inFlight: 50,
    targets: atLeast(25)
  },
  {
    id: 'bytes-64k',
    title: 'Uint8Array, 64 KB',
    kind: 'flow',
    run: 'echo',
    values: vary(bytes(65_536), 8),
    inFlight: 50,
    targets: atLeast(5)
  },
  {
    id: 'bytes-1m',
    title: 'Uint8Array, 1 MB',
    kind: 'flow',
    run: 'echo',
    values: vary(bytes(1_048_576), 4),
    inFlight: 50,
    targets: atLeast(3)
  },
  {
    id: 'string-64k',
    title: 'string, 64 KB',
    kind: 'flow',
    run: 'echo',
    values: vary(longString, 8),
    inFlight: 50,
    targets: atLeast(5)
  },
  {
    id: 'async',
    title: 'async task, one setImmediate',
    kind: 'flow',
    run: 'turn',
    values: vary(integer),
    targets: atLeast(5)
  },
  {
    id: 'work-10',
    title: '10 µs of work',
    kind: 'share',
    run: 'work10',
    workMilliseconds: 0.010,
    values: vary(integer),
    threads: [1],
    targets: [{ metric: 'share', atLeast: 0.90 }]
  },
  {
    id: 'work-100',
    title: '100 µs of work',
    kind: 'share',
    run: 'work100',
    workMilliseconds: 0.100,
    values: vary(integer),
    threads: [1],
    targets: [{ metric: 'share', atLeast: 0.97 }]
  },
  {
    id: 'roots',
    title: 'ten million square roots',
    kind: 'roots',
    run: 'root',
    count: 10_000_000,
    // The documented way needs the 'drain' event, and the default number of threads.
    drivers: ['telar', 'piscina'],
    optional: ['telar/piscina'],
    threads: ['default'],
    targets: [
      { metric: 'seconds', atMost: 10 },
      { metric: 'megabytes', atMost: 200 }
    ]
  },
  {
    id: 'first-result',
    title: 'first result of a new pool',
    kind: 'first',
    run: 'echo',
    values: vary(integer),
    drivers: [...POOLS, 'bare'],
    threads: [1],
    // A start takes only tens of milliseconds and varies widely, so each round measures several.
    samples: 5,
    targets: [{ metric: 'milliseconds', against: 'bare', atMost: 1.15 }]
  },
  {
    id: 'idle',
    title: 'idle for 10 s',
    kind: 'idle',
    run: 'echo',
    values: vary(integer),
    threads: [4],
    idleMilliseconds: 10_000,
    // Eight seconds after a heap was last used, V8 collects its garbage, once. This takes 30 to 90
    // ms of CPU time in every thread whose event loop turns. The pool does not cause it, and it
    // would hide what the pool does.
    execArgv: ['--no-memory-reducer'],
    // A trial takes twelve seconds, and its CPU time varies little.
    maxTrials: 3,
    targets: [{ metric: 'cpuMilliseconds', atMost: 5 }]
  }
]

for (const task of tasks) {
  task.drivers ??= POOLS
  task.optional ??= OPTIONAL
}

module.exports = { tasks, POOLS }
