'use strict'

// Parsing JavaScript off the main thread, with acorn.
//
// Instead of: parsing every file in the thread that also answers an editor or a bundler, which
// stops for as long; or posting whole syntax trees back from a worker, when cloning a tree takes
// longer than making it.
//
// Here a task gets the text and answers with what was asked for. An error of the parser arrives
// with its class, message and own fields, so that a caller can show the place.

const fs = require('node:fs')
const path = require('node:path')
const { isMainThread } = require('node:worker_threads')
const { Pool } = require('telar')

// The names of all functions that a source declares.
function functionsIn (source) {
  const names = []
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit)
    if (node === null || typeof node !== 'object') return
    if (node.type === 'FunctionDeclaration') names.push(node.id.name)
    for (const key in node) visit(node[key])
  }
  // Here, so that only the threads that parse load it.
  const { parse } = require('acorn')
  const options = { ecmaVersion: 'latest', sourceType: 'script', allowReturnOutsideFunction: true }
  visit(parse(source, options).body)
  return names
}

async function main () {
  const pool = new Pool({ filename: __filename, maxThreads: 2 })
  const files = ['shared-counter.js', 'pipeline.js', 'siblings.js']
  const found = await Promise.all(files.map(async (file) => {
    const source = await fs.promises.readFile(path.join(__dirname, file), 'utf8')
    return { file, names: await pool.run(source) }
  }))
  for (const { file, names } of found) console.log(`${file}: ${names.join(', ')}`)

  const error = await pool.run('let x = ;').catch((error) => error)
  console.log(`${error.name}: ${error.message}, at character ${error.pos}`)
  await pool.close()
}

module.exports = functionsIn
if (isMainThread) main()
