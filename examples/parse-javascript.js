'use strict'

// Parsing JavaScript off the main thread, with acorn.
//
// Instead of: parsing each file in the thread that also answers an editor or a bundler, which has
// to wait meanwhile. Or posting whole syntax trees back from a worker, although it takes longer to
// clone a tree than to parse the text.
//
// Here a task gets the text and returns only what the caller asked for. An error of the parser
// arrives with its class, message and own properties, so the caller can show where the error is.

const fs = require('node:fs')
const path = require('node:path')
const { isMainThread } = require('node:worker_threads')
const { Pool } = require('telar')

// The names of all functions that the source text declares.
function functionsIn (source) {
  const names = []
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit)
    if (node === null || typeof node !== 'object') return
    if (node.type === 'FunctionDeclaration') names.push(node.id.name)
    for (const key in node) visit(node[key])
  }
  // Loaded here, so that only the threads that parse load it.
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
