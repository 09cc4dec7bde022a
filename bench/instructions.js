'use strict'

// node bench/instructions.js: how many instructions a task takes, by layer and side, counted by
// valgrind's callgrind (Debian, Ubuntu: apt-get install valgrind). Unlike times, the counts hardly
// differ between runs and machines of one kind, and need no quiet machine.
//
// It counts a short and a long run, and divides the difference by the difference in tasks: so the
// start, and the compilation of what gets hot, do not count. Both run on one processor, where
// nobody spins: instructions that only wait would count too.
//
//   node bench/instructions.js [--tasks=60000]

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { Pool } = require('..')
const { tasks } = require('./tasks')

const kInFlight = 50
// Until the functions of a task are optimized.
const kShortRun = 30_000
const kIds = ['integer', 'object', 'bytes-1k']

// By the object file, and then by the name of the function. The first that fits counts.
const layers = [
  ['core', /telar\.node/, /^(?!.*(::|napi))/],
  ['binding', /telar\.node/, /./],
  ['Node-API', /\bnode\b/, /napi_|v8impl::|^v8::(?!internal)/],
  ['JavaScript, compiled', /^\?\?\?$|^$|perf-|anon/, /./],
  ['JavaScript, builtins of V8', /\bnode\b/, /^Builtins_/],
  ['V8, Node and libuv', /\bnode\b/, /./],
  ['system libraries', /./, /./]
]

async function work (id, count) {
  const { run, values } = tasks.find((task) => task.id === id)
  const pool = new Pool({
    filename: path.join(__dirname, 'worker.js'), name: run, minThreads: 1, maxThreads: 1
  })
  const list = values()
  let next = 0
  const loop = async () => { while (next < count) await pool.run(list[next++ % list.length]) }
  await Promise.all(Array.from({ length: kInFlight }, loop))
  await pool.destroy()
}

// The instructions of each side by layer.
function count (id, tasks) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'telar-instructions-'))
  try {
    execFileSync('taskset', [
      '-c', '0', 'valgrind', '--tool=callgrind', '--separate-threads=yes',
      `--callgrind-out-file=${path.join(folder, 'out')}`, process.execPath, '--single-threaded-gc',
      __filename, `--run=${id}`, `--tasks=${tasks}`
    ], { stdio: 'pipe' })
    const sides = { owner: {}, worker: {} }
    for (const file of fs.readdirSync(folder)) {
      const [, thread] = /^out-(\d+)$/.exec(file) ?? []
      if (thread === undefined) continue
      const costs = selfCosts(fs.readFileSync(path.join(folder, file), 'utf8'))
      if (Number(thread) === 1) add(sides.owner, costs)
      else if (costs.core !== undefined) add(sides.worker, costs)
    }
    return sides
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

function add (sum, costs) {
  for (const [layer, cost] of Object.entries(costs)) sum[layer] = (sum[layer] ?? 0) + cost
}

// Reads callgrind's format: what the lines of a function cost by themselves. The line after
// `calls=` has the cost of a call, which counts in the function that was called.
function selfCosts (profile) {
  const names = { ob: new Map(), fn: new Map() }
  const costs = {}
  let object = ''
  let layer = null
  let isCall = false
  for (const line of profile.split('\n')) {
    const [, kind, id, name] = /^(ob|fn|cob|cfn)=\((\d+)\)(?: (.*))?$/.exec(line) ?? []
    if (kind !== undefined) {
      const known = names[kind.slice(-2)]
      if (name !== undefined) known.set(id, name)
      if (kind === 'ob') object = known.get(id)
      if (kind === 'fn') layer = layerOf(object, known.get(id))
    } else if (line.startsWith('calls=')) {
      isCall = true
    } else if (/^[+\-*\d]/.test(line)) {
      if (!isCall) costs[layer] = (costs[layer] ?? 0) + Number(line.split(' ').at(-1))
      isCall = false
    }
  }
  return costs
}

function layerOf (object, name) {
  return layers.find(([, file, fn]) => file.test(path.basename(object)) && fn.test(name))[0]
}

async function main () {
  const { values } = parseArgs({
    options: { run: { type: 'string' }, tasks: { type: 'string', default: '60000' } }
  })
  const more = Number(values.tasks)
  if (values.run !== undefined) return work(values.run, more)
  const columns = []
  for (const id of kIds) {
    const short = count(id, kShortRun)
    const long = count(id, kShortRun + more)
    for (const side of ['owner', 'worker']) {
      columns.push([`${id}, ${side}`, (layer) =>
        ((long[side][layer] ?? 0) - (short[side][layer] ?? 0)) / more])
    }
  }
  const names = layers.map(([name]) => name)
  const rows = names.map((name) => [name, ...columns.map(([, cost]) => cost(name).toFixed(0))])
  const sums = columns.map(([, cost]) =>
    names.reduce((sum, name) => sum + cost(name), 0).toFixed(0))
  const { markdownTable } = await import('markdown-table')
  console.log(markdownTable([['', ...columns.map(([title]) => title)], ...rows, ['all', ...sums]]))
}

main()
