'use strict'

// The packed tarball where little is allowed, or little is there.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { useFolder } = require('../fixtures/use-folder')
const { createProject, node24, tarball } = require('./project')

const programs = {
  'tasks.js': "module.exports = (n) => n * require('telar').isWorkerThread * 2\n",
  'main.js': `const { Pool } = require('telar')
const pool = new Pool({ filename: __dirname + '/tasks.js' })
pool.run(21)
  .then((result) => console.log(result), (error) => console.log(error.code))
  .then(() => pool.destroy())
`
}

function writePrograms (folder) {
  for (const [name, text] of Object.entries(programs)) {
    fs.writeFileSync(path.join(folder, name), text)
  }
}

function run (command, args, options) {
  const { NODE_OPTIONS, NODE_EXTRA_CA_CERTS, ...env } = process.env
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000, env, ...options })
  assert.equal(result.error, undefined)
  return result
}

// ---- Node's permission model ----

for (const node of new Set([process.execPath, node24()])) {
  const { stdout: version } = run(node, ['--version'])
  const model = version.startsWith('v20.') ? '--experimental-permission' : '--permission'
  const mayRead = (...names) => names.map((name) => `--allow-fs-read=${name}`)

  // Only these files, not their folder. The first: newer versions of Node allow it by themselves.
  function use (t) {
    const folder = fs.realpathSync(createProject(useFolder(t)))
    writePrograms(folder)
    const main = path.join(folder, 'main.js')
    const parts = {
      main: mayRead(main),
      tasks: mayRead(path.join(folder, 'tasks.js')),
      telar: mayRead(...['lib', 'prebuilds', 'package.json']
        .map((name) => path.join(folder, 'node_modules', 'telar', name))),
      addons: ['--allow-addons'],
      worker: ['--allow-worker']
    }
    const cwd = useFolder(t) // the workers of Node 22 and newer may read all of it
    return (without) => {
      const flags = Object.keys(parts).filter((name) => name !== without)
      return run(node, [model, ...flags.flatMap((name) => parts[name]), main], { cwd })
    }
  }

  test(`the smallest set of permissions is enough in Node ${version.trim()}`, (t) => {
    const { stdout, stderr } = use(t)()
    assert.equal(stdout, '42\n', stderr)
  })

  test(`each permission that is missing is named in Node ${version.trim()}`, (t) => {
    const runWithout = use(t)
    assert.equal(runWithout('tasks').stdout, 'ERR_ACCESS_DENIED\n')
    for (const [part, pattern] of [
      ['telar', /FileSystemRead/],
      ['addons', /add\n--allow-addons and --allow-fs-read=.*telar/],
      ['worker', /permission: 'WorkerThreads'/]
    ]) {
      const { status, stderr } = runWithout(part)
      assert.equal(status, 1, part)
      assert.match(stderr, pattern)
    }
  })
}

// ---- A file system with nothing but Node ----

// Less than a slim image of Docker has: no shell, no /proc, /sys, /etc and /tmp, no compiler. Only
// what the program `node` is linked with is there.
function createRoot (t) {
  const folder = useFolder(t)
  const copy = (from, to) => {
    const file = path.join(folder, to)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.cpSync(fs.realpathSync(from), file, { recursive: true })
  }
  copy(process.execPath, '/bin/node')
  for (const [library] of run('ldd', [process.execPath]).stdout.matchAll(/\/\S+/g)) {
    copy(library, library)
  }
  copy(path.join(__dirname, 'node_modules', 'npm10'), '/npm')
  copy(tarball, '/telar.tgz')
  fs.mkdirSync(path.join(folder, 'app'))
  writePrograms(path.join(folder, 'app'))
  fs.writeFileSync(path.join(folder, 'app', 'package.json'), '{ "private": true }\n')
  // Only root may call chroot(); in a namespace of its own each user is root.
  const [command, ...before] = process.getuid() === 0 ? ['chroot'] : ['unshare', '-r', 'chroot']
  return (...args) => run(command, [...before, folder, '/bin/node', ...args],
    { env: { PATH: process.env.PATH, HOME: '/app' } })
}

test('npm installs telar and a program runs where there is nothing but Node', (t) => {
  const runNode = createRoot(t)
  const where = "console.log(require('node:fs').readdirSync('/').join())"
  assert.doesNotMatch(runNode('-e', where).stdout, /proc|etc|usr\/bin|tmp/)
  const installed = runNode('/npm/bin/npm-cli.js', 'install', '/telar.tgz', '--prefix=/app',
    '--registry=http://127.0.0.1:9/', '--no-audit', '--no-fund', '--no-update-notifier')
  assert.equal(installed.status, 0, installed.stderr)
  assert.equal(installed.stderr, '')
  const { stdout, stderr } = runNode('/app/main.js')
  assert.equal(stdout, '42\n', stderr)
})
