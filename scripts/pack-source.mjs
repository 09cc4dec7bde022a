// Puts into native/ what `npx telar build` compiles where the package is installed: the build
// description, the sources, and the headers of node-addon-api with their license. The package has
// them in a folder of their own, since Yarn and pnpm take a binding.gyp at the root of a package
// for an install script; and it has the headers, so it needs no dependency. For the same reason
// vendor/ has a parser.

import { cpSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { main } from './command.mjs'
import { vendor } from './vendor.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const target = join(root, 'native')
const isSource = (file) => /\.(?:c|cc|h)$/.test(file) || statSync(file).isDirectory()

await main(() => {
  const headers = dirname(createRequire(import.meta.url).resolve('node-addon-api/package.json'))
  rmSync(target, { recursive: true, force: true }) // it may have sources that src has no more
  mkdirSync(join(target, 'node-addon-api'), { recursive: true })
  cpSync(join(root, 'binding.gyp'), join(target, 'binding.gyp'))
  cpSync(join(root, 'src'), join(target, 'src'), { recursive: true, filter: isSource })
  for (const name of ['napi.h', 'napi-inl.h', 'napi-inl.deprecated.h', 'LICENSE.md']) {
    cpSync(join(headers, name), join(target, 'node-addon-api', name))
  }
  vendor()
})
