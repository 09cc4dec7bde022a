// What the examples of this folder have in common: they are called with the entry of a program and
// a folder for the output.

import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { library, worker } from 'telar/files'

const [entryArgument, folderArgument] = process.argv.slice(2)

if (folderArgument === undefined) {
  process.stderr.write(`Usage: node ${basename(process.argv[1])} <entry> <folder>\n`)
  process.exit(2)
}

export const entry = resolve(entryArgument)
export const folder = resolve(folderArgument)

// The kind stays what it is: only an ES module keeps `import.meta.url`, only CommonJS `__dirname`.
function output (input, name = basename(input)) {
  const isModule = extname(input) !== '.cjs' &&
    /^(?:import|export)\b|\bimport\.meta\b/m.test(readFileSync(input, 'utf8'))
  return { input, file: join(folder, name), format: isModule ? 'esm' : 'cjs' }
}

// The files of tasks: those that the entry names in `new URL('./tasks.js', import.meta.url)`,
// `require.resolve('./tasks.js')` or `path.join(__dirname, 'tasks.js')`.
const kTaskFile = /(?:new URL\(|require\.resolve\(|__dirname,) *(['"])(?:\.\/)?([\w./-]+)\1/g
const named = [...readFileSync(entry, 'utf8').matchAll(kTaskFile)]
  .map(([, , name]) => join(dirname(entry), name))
export const tasks = [...new Set(named)].filter((file) => existsSync(file))

// The bundles: of the program, of the files of its tasks, and of the file that telar's workers run.
export const outputs = [
  output(entry),
  ...tasks.map((file) => output(file)),
  output(worker, 'telar-worker.cjs')
]

// Puts telar's library beside the bundles, and says to Node what kind of modules they are.
export function finish () {
  mkdirSync(folder, { recursive: true })
  copyFileSync(library, join(folder, 'telar.node'))
  const type = outputs[0].format === 'esm' ? 'module' : 'commonjs'
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ private: true, type })}\n`)
}
