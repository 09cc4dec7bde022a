// Packs the package, and runs the tests of test/ecosystem on it: what installs telar, and what
// carries it elsewhere.
//
//   npm run test:ecosystem
//   node scripts/test-ecosystem.mjs test/ecosystem/install.test.js

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main, runNpm, step } from './command.mjs'
import { install, installAdvice } from './install.mjs'
import { root } from './test-files.mjs'

const folder = 'test/ecosystem'

await main(() => install(join(root, folder), 'Installing the package managers'), installAdvice)

if (process.exitCode === undefined) {
  await main(test)
}

function test () {
  const scratch = mkdtempSync(join(tmpdir(), 'telar-ecosystem-'))
  try {
    step('Packing', () => runNpm(['pack', '--pack-destination', scratch], { cwd: root }))
    const [tarball] = readdirSync(scratch)
    const given = process.argv.slice(2)
    const args = [join(root, 'scripts', 'test.mjs'), ...(given.length > 0 ? given : [folder])]
    const env = { ...process.env, TELAR_TARBALL: join(scratch, tarball) }
    process.exitCode = spawnSync(process.execPath, args, { env, stdio: 'inherit' }).status ?? 1
  } finally {
    rmSync(scratch, { recursive: true })
  }
}
