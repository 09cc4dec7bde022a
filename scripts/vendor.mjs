// Copies acorn, with its license, into vendor/: the package has no dependency, and exec() needs
// a parser. So a clone and the package load the same file.

import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const target = join(root, 'vendor', 'acorn')
const kFiles = { 'dist/acorn.js': 'acorn.js', LICENSE: 'LICENSE' }

export function vendor () {
  const source = dirname(createRequire(import.meta.url).resolve('acorn/package.json'))
  mkdirSync(target, { recursive: true })
  for (const [from, to] of Object.entries(kFiles)) {
    const file = join(target, to)
    const isSame = existsSync(file) && readFileSync(file).equals(readFileSync(join(source, from)))
    if (!isSame) cpSync(join(source, from), file)
  }
}
