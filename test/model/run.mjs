// Searches all states of the models with spin. Then searches models without one of the fences or
// polls. These must fail, since a model that cannot fail proves nothing.
//
//   npm run test:model
//   npm run test:model -- channel       only runs whose name contains this text

import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const folder = dirname(fileURLToPath(import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'telar-model-'))

// Two searches at a time, in 2 GB.
const kAtOnce = 2
const kMegabytes = 900
const kDeepest = 100_000

const workerSide = ['STRONG_OWNER_SIDE']
const ownerSide = ['STRONG_WORKER_SIDE']
const manyToOne = ['SENDERS=2', 'RECEIVERS=1']
const oneToMany = ['SENDERS=1', 'RECEIVERS=2']

// [model, options]: the search must find nothing.
const models = [
  ['pool', []],
  ['pool', ['SPIN', ...workerSide]],
  ['pool', ['LANES', ...workerSide]],
  ['pool', ['AGENDAS', ...workerSide]],
  ['pool', ['AGENDAS', 'ASYNC', 'WORKERS=1']],
  ['pool', ['LEVELS', 'TASKS=1', ...workerSide]],
  ['pool', ['LEVELS', 'WORKERS=1']],
  ['pool', ['RESERVE', 'WORKERS=1']],
  ['pool', ['RESERVE', 'TASKS=1', ...workerSide]],
  ['pool', ['ASYNC', ...workerSide]],
  ['pool', ['LAZY', ...workerSide]],
  ['pool', ['LEAVE=1', 'TASKS=1', ...workerSide]],
  ['pool', ['LEAVE=2', ...workerSide]],
  ['pool', ['NAP', 'TASKS=1', ...ownerSide]],
  ['interrupt', []],
  ['interrupt', ['ENDS=0']],
  ['interrupt', ['WAITS', 'MICROTASKS']],
  ['interrupt', ['WAITS', 'MICROTASKS', 'CONDEMNS']],
  ['interrupt', ['LEAVES']],
  ['interrupt', ['LEAVES', 'MICROTASKS', 'CONDEMNS']],
  ['channel', manyToOne],
  ['channel', [...oneToMany, 'EACH=2']],
  ['channel', [...oneToMany, 'RUN', 'EACH=2', 'ROOM=2']],
  ['channel', [...manyToOne, 'GIVES_UP=0', 'DIES']],
  ['channel', [...oneToMany, 'GIVES_UP=1', 'DIES']],
  ['channel', [...oneToMany, 'GIVES_UP=2', 'DIES']]
]

// [model, the part that is removed, options]: the search must find the error.
const mutants = [
  ['pool', 'NO_W1', []],
  ['pool', 'NO_W2', []],
  ['pool', 'NO_LAST_LOOK', []],
  ['pool', 'NO_W4', []],
  ['pool', 'NO_W4_FENCE', ['SPIN']],
  ['pool', 'NO_RETRY', ['TASKS=3', ...workerSide]],
  ['pool', 'NO_W5', []],
  ['pool', 'NO_AGENDA_W5', ['AGENDAS', ...workerSide]],
  ['pool', 'NO_AGENDA_LOOK', ['AGENDAS', ...workerSide]],
  ['pool', 'LATE_LEVEL', ['LEVELS', 'WORKERS=1']],
  ['pool', 'BLIND_SWEEP', ['LEVELS', 'WORKERS=1']],
  ['pool', 'NO_N2', []],
  ['pool', 'NO_S2', []],
  ['pool', 'NO_OWNER_LOOK', []],
  ['pool', 'BLIND_WAKE', ['LANES', ...workerSide]],
  ['pool', 'NO_PLACE_WAKE', ['RESERVE', 'WORKERS=1']],
  ['pool', 'NO_PLACE_LOOK', ['RESERVE', 'WORKERS=1']],
  ['pool', 'NO_FORGET_LOOK', ['LEAVE=2', ...workerSide]],
  ['pool', 'RELAXED_NAP', ['NAP', 'TASKS=1', ...ownerSide]],
  ['interrupt', 'NO_MARK', []],
  ['interrupt', 'NO_CHECK', ['ENDS=0']],
  ['interrupt', 'NO_WAIT', []],
  ['interrupt', 'NO_RING', ['WAITS']],
  ['interrupt', 'NO_SPENT', ['MICROTASKS']],
  ['interrupt', 'LATE_STOP', ['ENDS=0']],
  ['interrupt', 'NO_AGAIN', ['LEAVES']],
  ['interrupt', 'EARLY_AGAIN', ['LEAVES']],
  ['channel', 'NO_W1', manyToOne],
  ['channel', 'NO_W2', manyToOne],
  ['channel', 'NO_S1', manyToOne],
  ['channel', 'NO_LOOK_AFTER_SWEEP', manyToOne],
  ['channel', 'EVENT_AFTER_LOOK', manyToOne],
  ['channel', 'EVENT_AFTER_ANNOUNCEMENT', [...oneToMany, 'EACH=2']],
  ['channel', 'NO_PASS_ON', [...oneToMany, 'GIVES_UP=1']],
  ['channel', 'NO_CASCADE', ['ROOM=2']],
  ['channel', 'NO_LOOK_AFTER_CUT', [...oneToMany, 'RUN', 'EACH=2', 'ROOM=2']]
]

async function search (name, model, options) {
  const cwd = join(scratch, name.replace(/\W+/g, '-'))
  mkdirSync(cwd)
  cpSync(folder, cwd, { recursive: true })
  await run('spin', ['-a', ...options.map((option) => `-D${option}`), `${model}.pml`], { cwd })
  const flags = ['-O1', '-w', '-DSAFETY', '-DNOCLAIM', '-DCOLLAPSE', `-DMEMLIM=${kMegabytes}`]
  await run(process.env.CC ?? 'cc', [...flags, '-o', 'pan', 'pan.c'], { cwd })
  // -m and -b make a search that its depth cuts off an error.
  const { stdout } = await run('./pan', [`-m${kDeepest}`, '-b'], { cwd, maxBuffer: 2 ** 26 })
  const [, errors] = /errors: (\d+)/.exec(stdout) ?? []
  // A process whose end is never reached is stuck, in a way that the search does not report.
  const unended = [...stdout.matchAll(/^unreached in (?:proctype|init) ?(\w*)\n([\s\S]*?)\n\t\(/gm)]
    .filter(([, proctype, places]) => proctype !== 'Memory' && places.includes('-end-'))
  const isComplete = errors !== undefined && unended.length === 0 &&
    !/Search not completed|max search depth too small|out of memory/.test(stdout)
  const finding = /^pan:\d+: (.*) \(at depth/m.exec(stdout)?.[1]
  const [, states] = /(\S+) states, stored/.exec(stdout) ?? []
  rmSync(cwd, { recursive: true })
  return { finding, isComplete, states, stdout }
}

async function check (model, mutant, options) {
  const name = [model, ...(mutant === undefined ? [] : [mutant]), ...options].join(' ')
  if (!name.includes(process.argv[2] ?? '')) return
  const defines = mutant === undefined ? options : [mutant, ...options]
  const { finding, isComplete, states, stdout } = await search(name, model, defines)
  const isGood = mutant === undefined ? finding === undefined && isComplete : finding !== undefined
  const found = finding ??
    (isComplete ? `nothing in all ${states} states` : 'nothing, and the search is not complete')
  process.stdout.write(`${isGood ? 'ok    ' : 'FAILED'} ${name}: ${found}\n`)
  if (!isGood) {
    process.stdout.write(`${stdout}\n`)
    process.exitCode = 1
  }
}

const queue = [...models.map(([model, options]) => [model, undefined, options]), ...mutants]
const startNext = async () => {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) await check(...next)
}

try {
  await Promise.all(Array.from({ length: kAtOnce }, startNext))
} catch (error) {
  process.stderr.write(error.code === 'ENOENT'
    ? 'The models need spin and a C compiler. Debian, Ubuntu: apt-get install spin gcc\n'
    : `${error.stack}\n${error.stdout ?? ''}`)
  process.exitCode = 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
