// Makes a fresh clone ready: installs the development dependencies and compiles
// the native library, each only when it is missing or out of date. `npm test`,
// `npm run demo` and `npm run bench` call it first, so it uses nothing but Node.
//
//   node scripts/setup.mjs [--bench]     --bench: the dependencies of bench/ too

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { advice as buildAdvice, build, isBuilt } from './build.mjs'
import { main, runNpm, step } from './command.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const installAdvice = 'The dependencies could not be installed. ' +
  'That takes npm and a package registry:\n' +
  'check the network, the proxy, and "npm config get registry"; then run the command again.'

function fingerprint (folder) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  for (const name of ['package.json', 'package-lock.json']) {
    const file = join(folder, name)
    if (existsSync(file)) hash.update(readFileSync(file))
  }
  return hash.digest('hex')
}

function install (folder, title) {
  const stampFile = join(folder, 'node_modules', '.telar-setup')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === fingerprint(folder)) return
  // `ci` installs what the lock file says, but from nothing; `install` keeps what is right.
  const isFresh = !existsSync(join(folder, 'node_modules')) &&
    existsSync(join(folder, 'package-lock.json'))
  const args = [
    isFresh ? 'ci' : 'install', '--ignore-scripts', '--include=dev', '--include=optional',
    '--no-audit', '--no-fund'
  ]
  // npm hands its settings to its children: --prefix keeps a workspace or prefix
  // of the caller's from sending this elsewhere.
  step(title, () => runNpm([...args, '--prefix', folder], { cwd: folder }))
  writeFileSync(stampFile, fingerprint(folder))
}

await main(() => {
  install(root, 'Installing the development dependencies')
  if (process.argv.includes('--bench')) {
    install(join(root, 'bench'), 'Installing the dependencies of the benchmarks')
  }
}, installAdvice)

if (process.exitCode === undefined && !isBuilt()) {
  await main(() => step('Compiling the native library', build), buildAdvice)
}
