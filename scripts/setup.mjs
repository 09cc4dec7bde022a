// Makes a fresh clone ready: installs the development dependencies, copies the parser
// and compiles the native library, each only when it is missing or out of date. `npm test`,
// `npm run demo` and `npm run bench` call it first, so it uses nothing but Node.
//
//   node scripts/setup.mjs [--bench]     --bench: the dependencies of bench/ too

import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { advice as buildAdvice, build, isBuilt } from './build.mjs'
import { main, step } from './command.mjs'
import { install, installAdvice } from './install.mjs'
import { vendor } from './vendor.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

await main(() => {
  install(root, 'Installing the development dependencies')
  vendor()
  if (process.argv.includes('--bench')) {
    install(join(root, 'bench'), 'Installing the dependencies of the benchmarks')
  }
}, installAdvice)

if (process.exitCode === undefined && !isBuilt()) {
  await main(() => step('Compiling the native library', build), buildAdvice)
}
