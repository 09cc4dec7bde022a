// Puts the native library of this machine where the package carries it:
// prebuilds/<platform>-<arch>[-musl]/telar.node. `npm pack` does so by itself.

import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { advice, build, isBuilt } from './build.mjs'
import { main, step } from './command.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

function isMusl () {
  if (process.platform !== 'linux') return false
  process.report.excludeNetwork = true
  return process.report.getReport().header.glibcVersionRuntime === undefined
}

await main(() => {
  if (!isBuilt()) step('Compiling the native library', build)
  const platform = `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`
  const folder = join(root, 'prebuilds', platform)
  const file = join(folder, 'telar.node')
  mkdirSync(folder, { recursive: true })
  copyFileSync(join(root, 'build', 'Release', 'telar.node'), file)
  // To stderr: the standard output of `npm pack` is the name of the tarball.
  process.stderr.write(`${relative(root, file)}\n`)
}, advice)
