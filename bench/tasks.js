'use strict'

// The tasks that are measured, their values, and the targets for telar.
//
// The `kind` of a task chooses the measurement in measure.js. `values` makes the inputs. Small
// values have many variants, so that a driver has no advantage if it remembers the last one. A
// target is for one metric: for telar's figure, or, with `against`, for its ratio to the figure of
// that driver.
//
// `moves`: each task moves its value, and returns it moved. `isEqual` compares a result with its
// value, where isDeepStrictEqual() does not.

const POOLS = ['telar', 'piscina', 'tinypool', 'workerpool', 'poolifier', 'handwritten']
const OPTIONAL = ['telar/piscina']
/** Those that can move what a task gets and returns. */
const MOVING = ['telar', 'piscina', 'handwritten']

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

function freshBytes (length) {
  return (i) => new Uint8Array(length).fill(i)
}

function longString (i) {
  return shortString(i).repeat(Math.ceil(65_536 / 20)).slice(0, 65_536)
}

/** How programs share work: each task gets the memory and its part of it. */
function sharedPart (i) {
  return { memory: new SharedArrayBuffer(65_536), from: i * 1024, to: (i + 1) * 1024 }
}

function sharedView () {
  return new Float64Array(new SharedArrayBuffer(65_536))
}

/** A small module that exports add(a, b). */
function wasmModule (i) {
  const code = '0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b'
  return { module: new WebAssembly.Module(Buffer.from(code, 'hex')), id: i }
}

function atLeast (ratio) {
  return [{ metric: 'throughput', against: 'piscina', atLeast: ratio }]
}

function atLeastByHand (ratio) {
  return [{ metric: 'throughput', against: 'handwritten', atLeast: ratio }]
}

function busy (hogs) {
  const integers = {
    id: `integer-busy-${hogs}`,
    title: `no-op, integer, beside ${hogs} busy ${hogs === 1 ? 'process' : 'processes'}`,
    kind: 'flow',
    run: 'echo',
    values: vary(integer),
    hogs,
    drivers: ['telar', 'piscina', 'handwritten'],
    threads: [1],
    targets: [...atLeast(60), { metric: 'p50', atMost: 4 }]
  }
  return [integers, {
    ...integers,
    id: `bytes-1k-busy-${hogs}`,
    title: integers.title.replace('no-op, integer', 'Uint8Array, 1 KB'),
    values: vary(bytes(1024)),
    inFlight: 50,
    targets: atLeast(25)
  }]
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
    id: 'shared-part',
    title: 'shared memory: a SharedArrayBuffer and a part of it',
    kind: 'flow',
    run: 'echo',
    values: vary(sharedPart),
    inFlight: 50,
    targets: atLeast(25)
  },
  {
    id: 'shared-view',
    title: 'shared memory: a view',
    kind: 'flow',
    run: 'echo',
    values: vary(sharedView),
    inFlight: 50,
    targets: atLeast(25)
  },
  {
    id: 'shared-module',
    title: 'shared memory: a WebAssembly.Module',
    kind: 'flow',
    run: 'echo',
    values: vary(wasmModule),
    // Each Module is compared by identity, and other pools make a new one each time.
    isEqual: (value, result) => value.id === result.id &&
      result.module instanceof WebAssembly.Module,
    inFlight: 50,
    targets: atLeast(25)
  },
  {
    id: 'shared-fresh',
    title: 'shared memory: new for each task',
    kind: 'flow',
    run: 'echo',
    values: vary(sharedPart),
    fresh: (i) => sharedPart(i % VARIANTS),
    inFlight: 50,
    targets: atLeast(1)
  },
  {
    id: 'moved-1k',
    title: 'moved: Uint8Array, 1 KB',
    kind: 'flow',
    moves: true,
    values: vary(bytes(1024)),
    drivers: MOVING,
    optional: [],
    inFlight: 50,
    targets: atLeastByHand(2)
  },
  {
    id: 'moved-64k',
    title: 'moved: Uint8Array, 64 KB',
    kind: 'flow',
    moves: true,
    values: vary(bytes(65_536)),
    drivers: MOVING,
    optional: [],
    inFlight: 50,
    targets: atLeastByHand(1)
  },
  {
    id: 'moved-1m',
    title: 'moved: Uint8Array, 1 MB',
    kind: 'flow',
    moves: true,
    values: vary(bytes(1_048_576)),
    drivers: MOVING,
    optional: [],
    inFlight: 50,
    targets: atLeastByHand(1)
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
    id: 'object-fresh',
    title: 'no-op, small object, made anew',
    kind: 'flow',
    run: 'echo',
    values: vary(smallObject),
    fresh: smallObject,
    targets: atLeast(25)
  },
  {
    id: 'bytes-1k-fresh',
    title: 'Uint8Array, 1 KB, made anew',
    kind: 'flow',
    run: 'echo',
    values: vary(freshBytes(1024)),
    fresh: freshBytes(1024),
    inFlight: 50,
    targets: atLeast(25)
  },
  ...[1, 2, 4].flatMap(busy),
  {
    id: 'sync',
    title: 'no-op, small object',
    kind: 'sync',
    run: 'echo',
    values: vary(smallObject),
    drivers: ['telar', 'synckit'],
    optional: [],
    threads: [1],
    targets: [{ metric: 'calls', against: 'synckit', atLeast: 20 }]
  },
  {
    id: 'inline',
    title: 'no-op, integer, a function that is written in place',
    kind: 'flow',
    opens: 'openInline',
    values: vary(integer),
    drivers: ['telar', 'workerpool'],
    optional: [],
    threads: [1],
    targets: [{ metric: 'throughput', against: 'workerpool', atLeast: 10 }]
  },
  {
    id: 'method',
    title: 'no-op, integer, a method of a proxy',
    kind: 'flow',
    run: 'echo',
    opens: 'openMethod',
    values: vary(integer),
    drivers: ['telar', 'workerpool'],
    optional: [],
    threads: [1],
    targets: [{ metric: 'throughput', against: 'workerpool', atLeast: 10 }]
  },
  {
    id: 'integer-threads',
    title: 'no-op, integer, by number of threads',
    kind: 'flow',
    run: 'echo',
    values: vary(integer),
    drivers: ['telar', 'piscina'],
    threads: [1, 2, 4, 8, 16],
    targets: atLeast(60)
  },
  {
    id: 'work-100-threads',
    title: '100 µs of work, by number of threads',
    kind: 'flow',
    run: 'work100',
    values: vary(integer),
    drivers: ['telar', 'piscina'],
    threads: [1, 2, 4, 8, 16],
    targets: []
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
    id: 'rested',
    title: 'a task after a second of rest',
    kind: 'rested',
    run: 'echo',
    values: vary(integer),
    threads: [1],
    restMilliseconds: 1000,
    rests: 8,
    targets: [{ metric: 'rested', atMost: 10 }]
  },
  {
    id: 'startup',
    title: 'workers with a task file of 200 modules',
    kind: 'startup',
    drivers: ['telar', 'piscina'],
    threads: [8],
    modules: 200,
    // Each worker holds its first task for so long that it cannot take those of the others.
    holdMilliseconds: 5,
    targets: [
      { metric: 'readyMilliseconds', against: 'piscina', atMost: 0.8 },
      { metric: 'blockedMilliseconds', against: 'piscina', atMost: 1 }
    ]
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
