'use strict'

// Holds the documentation to the code: its lists to the lists in lib, its labels to the sources,
// and its links to the files. Examples that name their file run.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { pathToFileURL } = require('node:url')
const vm = require('node:vm')
const telar = require('../..')
const { table } = require('../../lib/base/errors')
const { runOptionNames } = require('../../lib/pool/call-options')
const { normalizePoolOptions, poolOptionNames } = require('../../lib/pool/options')
const { useConsumer } = require('../fixtures/use-folder')

const root = path.join(__dirname, '..', '..')
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8')
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...fs.readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)
]

const kFence = /^```(\w*)\n([\s\S]*?)^```$/gm
const withoutCode = (text) => text.replace(kFence, '')
const codeBlocks = (text, ...languages) => [...text.matchAll(kFence)]
  .filter(([, language]) => languages.includes(language)).map(([, , code]) => code)

// The text under a heading, up to the next one of its level or above.
function section (text, heading) {
  const lines = withoutCode(text).split('\n')
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading)
  assert.notEqual(start, -1, `there is no heading "${heading}"`)
  const level = lines[start].indexOf(' ')
  const length = lines.slice(start + 1)
    .findIndex((line) => /^#+ /.test(line) && line.indexOf(' ') <= level)
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n')
}

// The rows of all tables in a text, without their heads.
function rows (text) {
  return text.split(/\n\s*\n/).flatMap((block) => {
    const lines = block.split('\n').filter((line) => line.startsWith('|'))
    return lines.slice(2)
      .map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()))
  })
}

const codes = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code)
const sorted = (list) => [...list].sort()
const api = read('docs/api.md')

// ---- docs/api.md ----

test('the table of errors is the one in lib/base/errors.js', () => {
  const documented = rows(section(api, 'Errors'))
    .map(([code, name, when]) => ({ code: codes(code)[0], name, when }))
  const expected = Object.entries(table)
    .map(([code, { type, when }]) => ({ code, name: type.prototype.name, when }))
  assert.deepEqual(documented, expected)
})

test('the options are the ones that the pool takes, with their defaults', () => {
  const options = rows(section(api, 'Options'))
  assert.deepEqual(sorted(options.map(([name]) => codes(name)[0])), sorted(poolOptionNames))
  const defaults = normalizePoolOptions({}, { strict: true })
  let compared = 0
  for (const [name, , fallback] of options) {
    const literal = /^`(.+)`$/.exec(fallback)?.[1]
    if (literal === undefined) continue
    assert.equal(vm.runInNewContext(literal), defaults[codes(name)[0]], name)
    compared++
  }
  assert.ok(compared >= 10, `only ${compared} defaults are literals`)
})

test('the options of run() are the ones that it takes', () => {
  assert.deepEqual(sorted(rows(section(api, 'Run options')).map(([name]) => codes(name)[0])),
    sorted(runOptionNames))
})

test('both ends of the range of an option are accepted, and less is not', () => {
  for (const [name, type] of rows(section(api, 'Options'))) {
    const range = /integer, (\d+) to (\d+)$/.exec(type)
    if (range === null) continue
    const [least, most] = range.slice(1).map(Number)
    for (const value of [least, most]) {
      normalizePoolOptions({ [codes(name)[0]]: value }, { strict: true })
    }
    assert.throws(() => normalizePoolOptions({ [codes(name)[0]]: least - 1 }, { strict: true }),
      { code: 'ERR_TELAR_INVALID_ARGUMENT' }, name)
  }
})

test('the methods and properties are those of Pool', () => {
  const prototype = Object.getPrototypeOf(telar.Pool.prototype)
  const descriptors = Object.entries(Object.getOwnPropertyDescriptors(prototype))
  const methods = descriptors.filter(([name, { value }]) =>
    name !== 'constructor' && typeof value === 'function').map(([name]) => name)
  const properties = descriptors.filter(([, { get }]) => get !== undefined).map(([name]) => name)
  const named = rows(section(api, 'Methods').split('### ')[0])
    .map(([name]) => codes(name)[0].replace(/\(.*/, ''))
  assert.deepEqual(sorted(named), sorted([...methods, '[Symbol.dispose]', '[Symbol.asyncDispose]']))
  const described = rows(section(api, 'Properties').split('### ')[0])
    .flatMap(([names]) => codes(names))
  assert.deepEqual(sorted(described), sorted(properties))
})

test('the exports are those of the module', () => {
  assert.deepEqual(sorted(rows(section(api, 'Exports')).flatMap(([names]) => codes(names))),
    sorted(Object.keys(telar)))
})

test('the events are those of the types', () => {
  const [, events] = /export interface PoolEvents \{([\s\S]*?)\n\}/.exec(read('index.d.ts'))
  const names = [...events.matchAll(/^ {2}(\w+): \[/gm)].map(([, name]) => name)
  assert.ok(names.length > 0)
  assert.deepEqual(sorted(rows(section(api, 'Events')).map(([name]) => codes(name)[0])),
    sorted(names))
})

// ---- docs/sync.md ----

test('the methods and properties of the primitives are those of their classes', () => {
  const page = read('docs/sync.md')
  for (const name of [
    'Mutex', 'RwLock', 'Semaphore', 'Condition', 'Barrier', 'Latch', 'Once', 'Counter'
  ]) {
    const members = Object.getOwnPropertyNames(telar[name].prototype)
      .filter((member) => member !== 'constructor')
    const documented = rows(section(page, name))
      .flatMap(([cell]) => codes(cell)).map((code) => code.replace(/\(.*/, ''))
    assert.deepEqual(sorted(documented), sorted(members), name)
  }
})

// ---- docs/channel.md ----

test('the methods and properties of channels are those of the class', () => {
  const members = Object.getOwnPropertyNames(telar.Channel.prototype)
    .filter((member) => member !== 'constructor')
  const documented = rows(section(read('docs/channel.md'), 'Methods and properties'))
    .flatMap(([cell]) => codes(cell)).map((code) => code.replace(/\(.*/, ''))
  assert.deepEqual(sorted(documented), sorted(members))
})

// ---- docs/memory-model.md ----

const labelsOf = (text) => new Set(text.match(/\b[A-Z]\d\b/g) ?? [])

const core = fs.readdirSync(path.join(root, 'src', 'core'))

for (const [heading, files] of [
  ['index_queue.h', ['index_queue.h']],
  ['lane.h', ['lane.h']],
  ['eventcount.h', ['eventcount.h']],
  ['thread_registry.c', ['thread_registry.c']],
  ['The slab', core.filter((name) => /^slab.*\.[ch]$/.test(name))],
  ['The ring', core.filter((name) => /^ring.*\.[ch]$/.test(name))],
  ['The scheduler', core.filter((name) => /^sched.*\.[ch]$/.test(name))]
]) {
  test(`the memory model names every label of ${heading}, and no other`, () => {
    const text = section(read('docs/memory-model.md'), heading)
    const inSources = labelsOf(files.map((name) => read(`src/core/${name}`)).join('\n'))
    const labels = rows(text).map(([label]) => label)
    const inTable = new Set(labels.filter((label) => /^[A-Z]\d$/.test(label)))
    const inText = labelsOf(text)
    assert.ok(inSources.size > 0 && inTable.size > 0)
    for (const label of inSources) {
      assert.ok(inText.has(label), `${label} of the sources is missing`)
    }
    for (const label of inTable) assert.ok(inSources.has(label), `${label} is in no source`)
  })
}

test('the memory model covers every file of the core that has labels', () => {
  const alone = /^(index_queue\.h|lane\.h|eventcount\.h|thread_registry\.c)$/
  const groups = /^(slab|sched|ring).*\.[ch]$/
  const labeled = core.filter((name) => labelsOf(read(`src/core/${name}`)).size > 0)
  assert.deepEqual(labeled.filter((name) => !alone.test(name) && !groups.test(name)), [])
})

// ---- docs/architecture.md ----

test('docs/architecture.md describes every file of the rooms that it lists by file', () => {
  const files = section(read('docs/architecture.md'), 'Files')
  const isObvious = (name) => name === 'index.js' || /^(read|write)-/.test(name)
  for (const room of ['base', 'codec', 'pool', 'shared', 'transport', 'worker']) {
    const names = fs.readdirSync(path.join(root, 'lib', room))
    for (const name of names.filter((name) => name.endsWith('.js'))) {
      assert.ok(files.includes(`${name}\``) || isObvious(name), `lib/${room}/${name} is missing`)
    }
  }
})

// ---- Links ----

// The anchor that GitHub makes of a heading.
const anchorOf = (heading) =>
  heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replace(/ /g, '-')
const anchorsOf = (text) =>
  [...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading))

for (const page of pages) {
  test(`the links of ${page} lead to files and headings`, () => {
    const text = withoutCode(read(page)).replace(/`[^`\n]*`/g, '')
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [file, anchor] = target.split('#')
      const resolved = file === '' ? page : path.posix.join(path.posix.dirname(page), file)
      assert.ok(fs.existsSync(path.join(root, resolved)), `${target} does not exist`)
      if (anchor !== undefined) {
        assert.ok(anchorsOf(read(resolved)).includes(anchor),
          `${target} is no heading of ${resolved}`)
      }
    }
  })

  test(`the examples in ${page} are JavaScript`, () => {
    for (const code of codeBlocks(read(page), 'js')) {
      vm.compileFunction(`(async () => {${code}\n})`, [], { filename: page })
    }
  })
}

// ---- Examples ----

// Each example names its file, and shows what it prints in a comment after the call that prints it.
// A page with fragments may have examples without a name.
for (const [page, isNameless] of [['README.md', false], ['docs/channel.md', true]]) {
  test(`the examples of ${page} print what they say`, (t) => {
    const folder = useConsumer(t)
    const printing = []
    for (const code of codeBlocks(read(page), 'js', 'mjs')) {
      const name = /^\/\/ (\S+\.m?js)\n/.exec(code)?.[1]
      assert.ok(name || isNameless, `an example without the name of its file:\n${code}`)
      if (!name) continue
      fs.writeFileSync(path.join(folder, name), code)
      const printed = [...code.matchAll(/^\s*console\.log\(.*\) \/\/ (.*)$/gm)]
        .map(([, line]) => line)
      if (printed.length > 0) printing.push({ name, printed })
    }
    assert.ok(printing.length >= 2)
    for (const { name, printed } of printing) {
      const args = [path.join(folder, name)]
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      assert.equal(status, 0, stderr)
      assert.deepEqual(stdout.trim().split('\n'), printed, name)
    }
  })
}

test('the commands that the pages name exist', () => {
  const { scripts } = JSON.parse(read('package.json'))
  for (const page of pages) {
    for (const [, name] of read(page).matchAll(/npm run ([\w:]+)/g)) {
      assert.ok(name in scripts, `${page}: npm run ${name}`)
    }
  }
})

test('the files that the pages name exist', () => {
  for (const page of pages) {
    for (const [, file] of read(page).matchAll(/`((?:lib|src|test|scripts|docs)\/[\w./*-]+)`/g)) {
      if (!file.includes('*')) assert.ok(fs.existsSync(path.join(root, file)), `${page}: ${file}`)
    }
  }
})

// The module that writes the results into the README.
const readmeBench = pathToFileURL(path.join(root, 'scripts', 'readme-bench.mjs')).href

test('the README shows the committed results as bench:readme writes them', async () => {
  const { benchSection, withSection } = await import(readmeBench)
  const reports = [20, 24].map((major) =>
    [major, JSON.parse(read(`bench/results/node${major}.json`))])
  assert.equal(withSection(read('README.md'), benchSection(reports)), read('README.md'))
})

test('results go between the marks of a README, and the marks must exist', async () => {
  const { withSection } = await import(readmeBench)
  const readme = '# x\n\nbefore\n\n<!-- bench -->\nold\n<!-- /bench -->\n\nafter\n'
  assert.equal(withSection(readme, 'new'),
    '# x\n\nbefore\n\n<!-- bench -->\n\nnew\n\n<!-- /bench -->\n\nafter\n')
  assert.throws(() => withSection('no marks', 'new'), /README\.md must hold the marks/)
})
