'use strict'

// Task files in TypeScript: with Node's own type stripping, tsx and ts-node, as ES modules and as
// CommonJS. The stack of a failed task names the line of the source.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { useFolder } = require('../fixtures/use-folder')
const { createProject, node24, root } = require('./project')

// The line of the error is 6, after types that leave no line where they are removed.
const kTasks = `interface Input {
  value: number
}

export function double ({ value }: Input): number {
  if (value < 0) throw new RangeError('negative' as string)
  return value * 2
}
`
const kMain = `import { Pool } from 'telar'
import { join } from 'node:path'

async function main (): Promise<void> {
  const filename: string = join(process.cwd(), process.env.TASKS as string)
  const pool = new Pool({ filename, name: 'double', maxThreads: 1 })
  try {
    console.log(await pool.run({ value: 21 }))
    await pool.run({ value: -1 })
  } catch (error) {
    console.log((error as Error).stack)
  }
  await pool.close()
}

main()
`
const kAliased = `import { value } from '@app/values'
export const double = (): number => value
`

const compilerOptions = { target: 'es2022', esModuleInterop: true }

function createSources (t, type, extension) {
  const folder = createProject(useFolder(t))
  for (const [name, from] of [['tsx', root], ['typescript', root], ['ts-node', __dirname]]) {
    fs.symlinkSync(path.join(from, 'node_modules', name),
      path.join(folder, 'node_modules', name), 'junction')
  }
  const files = {
    [`main${extension}`]: kMain,
    [`tasks${extension}`]: kTasks,
    [`aliased${extension}`]: kAliased,
    'package.json': JSON.stringify({ private: true, type }),
    'tsconfig.json': JSON.stringify({
      compilerOptions: { module: type === 'module' ? 'esnext' : 'commonjs', ...compilerOptions },
      'ts-node': { transpileOnly: true }
    })
  }
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text)
  return folder
}

function run (node, args, folder, tasks) {
  const { status, stdout, stderr, error } = spawnSync(node, args,
    { cwd: folder, encoding: 'utf8', timeout: 120_000, env: { ...process.env, TASKS: tasks } })
  assert.equal(error, undefined)
  assert.equal(status, 0, stdout + stderr)
  return stdout
}

const cases = [
  { name: 'type stripping', node: node24(), type: 'module', args: [], extension: '.ts' },
  { name: 'type stripping', node: node24(), type: 'commonjs', args: [], extension: '.mts' },
  { name: 'tsx', type: 'module', args: ['--import', 'tsx'], extension: '.ts' },
  { name: 'tsx', type: 'commonjs', args: ['--import', 'tsx'], extension: '.ts' },
  { name: 'tsx', type: 'commonjs', args: ['--require', 'tsx/cjs'], extension: '.cts' },
  { name: 'ts-node', type: 'commonjs', args: ['--require', 'ts-node/register'], extension: '.ts' },
  {
    name: 'ts-node',
    type: 'module',
    // Its loader runs in a thread of its own, where it cannot map the stacks of other threads.
    args: ['--enable-source-maps', '--loader', 'ts-node/esm'],
    extension: '.ts'
  }
]

for (const { name, node = process.execPath, type, args, extension } of cases) {
  const files = `${extension} files in a package of type ${type}`
  test(`tasks in TypeScript run with ${name}, ${files}`, (t) => {
    const folder = createSources(t, type, extension)
    const main = [...args, `main${extension}`]
    const output = run(node, main, folder, `tasks${extension}`)
    assert.match(output, /^42\nRangeError: negative\n/)
    assert.match(output, new RegExp(`tasks\\${extension}:6:`))
    assert.match(output, new RegExp(`at async .*main\\${extension}:9:`))

    const aliased = run(node, main, folder, `aliased${extension}`)
    assert.match(aliased, /@app\/values/)
    assert.match(aliased, new RegExp(`aliased\\${extension}`))
  })
}
