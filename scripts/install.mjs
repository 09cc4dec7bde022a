// Installs the packages of a folder of this project, if they are missing or out of date.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runNpm, step } from './command.mjs'

function fingerprint (folder) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  for (const name of ['package.json', 'package-lock.json']) {
    const file = join(folder, name)
    if (existsSync(file)) hash.update(readFileSync(file))
  }
  return hash.digest('hex')
}

export const installAdvice = 'The dependencies could not be installed. ' +
  'That takes npm and a package registry:\n' +
  'check the network, the proxy, and "npm config get registry"; then run the command again.'

export function install (folder, title) {
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
