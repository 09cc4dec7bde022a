'use strict'

// Writes a task file that loads many modules, as the task files of large programs do.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const FUNCTIONS = 20

/** Returns the path of the file. It exports `thread`: waits, and returns the id of its thread. */
function writeModules (count) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'telar-bench-'))
  process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }))
  const names = Array.from({ length: count }, (_, i) => `module-${i}`)
  for (const name of names) fs.writeFileSync(path.join(folder, `${name}.js`), moduleText(name))
  const file = path.join(folder, 'tasks.js')
  fs.writeFileSync(file, `'use strict'
const { threadId } = require('node:worker_threads')
${names.map((name) => `require('./${name}')`).join('\n')}

function thread (milliseconds) {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
  return threadId
}

module.exports = { thread }
`)
  return file
}

function moduleText (name) {
  const functions = Array.from({ length: FUNCTIONS }, (_, i) => `
function handle${i} (request) {
  const fields = Object.entries(request).filter(([key]) => key.startsWith('${name}'))
  return fields.map(([key, value]) => ({ key, value, step: ${i} }))
}
exports.handle${i} = handle${i}
`)
  return `'use strict'\n${functions.join('')}`
}

module.exports = { writeModules }
