// Runs one outside program for the scripts beside this file.

import { spawnSync } from 'node:child_process'
import { basename } from 'node:path'

const kTailLines = 40

export class CommandError extends Error {
  constructor (message, output = '') {
    super(message)
    this.output = output
  }
}

// The program's output appears only if it fails, unless `isLoud`.
export function run (file, args, { cwd, env, isLoud = false } = {}) {
  const shown = [file, ...args].map((part) => basename(part)).join(' ')
  const result = spawnSync(file, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: isLoud ? 'inherit' : ['ignore', 'pipe', 'pipe']
  })
  if (result.error !== undefined) {
    throw new CommandError(`${shown} could not be started: ${result.error.message}`)
  }
  if (result.status === 0) return result.stdout ?? ''
  const how = result.signal === null ? `exit code ${result.status}` : `signal ${result.signal}`
  const lines = isLoud ? [] : `${result.stdout}${result.stderr}`.trimEnd().split('\n')
  throw new CommandError(`${shown} failed (${how})`, lines.slice(-kTailLines).join('\n'))
}

// npm's own file where npm started us: it is the npm the user chose, and on
// Windows `npm` is a batch file, which needs a shell.
export function runNpm (args, options) {
  const script = process.env.npm_execpath ?? ''
  if (/npm-cli\.c?js$/.test(script)) return run(process.execPath, [script, ...args], options)
  if (process.platform === 'win32') {
    return run(process.env.ComSpec ?? 'cmd.exe', ['/d', '/s', '/c', 'npm', ...args], options)
  }
  return run('npm', args, options)
}

// Does one named step, with one line of progress.
export function step (title, action) {
  process.stdout.write(`${title} ... `)
  const start = process.hrtime.bigint()
  let hasFailed = true
  try {
    const result = action()
    hasFailed = false
    return result
  } finally {
    const seconds = Number(process.hrtime.bigint() - start) / 1e9
    process.stdout.write(hasFailed ? 'failed\n' : `done (${seconds.toFixed(1)} s)\n`)
  }
}

// Runs the whole script; a failed command ends it with what was tried, its
// output, and `advice`. Every other error is a defect and keeps its stack.
export async function main (script, advice) {
  try {
    await script()
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    process.stderr.write(`\n${error.message}\n`)
    if (error.output !== '') process.stderr.write(`\n${error.output}\n`)
    if (advice !== undefined) process.stderr.write(`\n${advice}\n`)
    process.exitCode = 1
  }
}
