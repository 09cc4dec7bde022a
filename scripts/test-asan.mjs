// Runs the JavaScript tests on a native library that was compiled with AddressSanitizer,
// LeakSanitizer and UBSan:
//
//   npm run test:asan                                  all of test/ but what is named below
//   node scripts/test-asan.mjs test/pool/values.test.js     these files
//
// The C tests have the core under sanitizers, without Node. Here are the binding and
// what Node does with it: threads that end, objects that are collected, processes that exit.
//
// Node itself is not instrumented. It allocates through the sanitizer though, which is
// loaded first: so a read past the end of a SharedArrayBuffer is seen too, unless that one
// is growable, as the payload of a pool is.

import { spawnSync } from 'node:child_process'
import {
  existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { advice as buildAdvice, compile } from './build.mjs'
import { CommandError, main, run, step } from './command.mjs'
import { root, testFiles } from './test-files.mjs'

const compiler = process.env.CC ?? 'cc'

// LeakSanitizer of GCC 12 and before takes a thread's variables for what they are not, once in
// 256 times, where they lie in memory of their own: it then reads at an address that is none, and
// aborts. With initial-exec they lie in the thread's own block.
const kFlags = '-fsanitize=address,undefined -fno-sanitize-recover=all ' +
  '-fno-omit-frame-pointer -g -O1 -ftls-model=initial-exec'

const kLeftOut = [
  // Tests of the package and of the codec: they hardly call the library, or call another one.
  ...testFiles(['test/package']).filter((file) => file !== 'test/package/native-library.test.js'),
  'test/codec/codec.test.js',
  'test/codec/large-values.test.js',
  // Its bound for resident memory is for Node's own allocator, which has no room between blocks.
  'test/pool/leaks.test.js',
  // Hundreds of pools one after another, of what is JavaScript's alone.
  'test/pool/left-behind.test.js', 'test/pool/reentrancy.test.js',
  // They measure the CPU time of threads that sleep.
  'test/sync/sleeps.test.js'
]

// It says how soon a process has to end. The search for leaks takes place then, and longer.
const kWithoutLeaks = 'test/pool/lifecycle.test.js'

const advice = `This takes Linux with GNU's C library, GCC, and its sanitizers: they come with it
but on Fedora, where it is dnf install libasan libubsan.
${buildAdvice}`

// GCC's name for a file that it does not have is the name itself.
function runtime () {
  const file = run(compiler, ['-print-file-name=libasan.so']).trim()
  if (!isAbsolute(file)) throw new CommandError(`${compiler} has no libasan.so`)
  return file
}

// node-gyp builds into the folder `build` beside a binding.gyp. So this build gets a
// binding.gyp of its own, a link, and the usual one stays as it is.
function buildLibrary () {
  const folder = join(root, 'build', 'asan')
  mkdirSync(folder, { recursive: true })
  for (const name of ['binding.gyp', 'src']) {
    if (!existsSync(join(folder, name))) symlinkSync(join(root, name), join(folder, name))
  }
  compile({ folder, env: { CFLAGS: kFlags, CXXFLAGS: kFlags, LDFLAGS: kFlags } })
  return join(folder, 'build', 'Release', 'telar.node')
}

// Reports go to files, since the processes that tests start have their own use of stderr,
// and may be expected to fail. An error ends the process at once; leaks do not change its
// exit code, as most are not ours. Of what was freed the sanitizer keeps the last megabytes, to see
// who still uses it: few enough for the tests that measure resident memory.
function environment (library, reports, hasLeaks) {
  const log = `log_path=${join(reports, 'report')}`
  const options = `${log}:abort_on_error=1:exitcode=0:quarantine_size_mb=16`
  const add = (variable, separator, ...parts) =>
    [...parts, process.env[variable]].filter(Boolean).join(separator)
  return {
    TELAR_NATIVE: library,
    LD_PRELOAD: add('LD_PRELOAD', ' ', runtime()),
    ASAN_OPTIONS: add('ASAN_OPTIONS', ':', options, `detect_leaks=${Number(hasLeaks)}`),
    UBSAN_OPTIONS: add('UBSAN_OPTIONS', ':', options, 'print_stacktrace=1')
  }
}

// A sanitizer that is not there finds nothing.
function checkIsLoaded (library, env) {
  const script = `require('.')
    process.report.excludeNetwork = true
    console.log(process.report.getReport().sharedObjects.join('\\n'))`
  const loaded = run(process.execPath, ['--eval', script], { cwd: root, env })
  for (const file of [library, 'libasan.so']) {
    if (!loaded.includes(file)) throw new CommandError(`${file} was not loaded, only`, loaded)
  }
}

function files () {
  const given = process.argv.slice(2)
  return given.length > 0 ? given : testFiles([]).filter((file) => !kLeftOut.includes(file))
}

// True if they pass.
function test (files, env) {
  if (files.length === 0) return true
  const args = [join(root, 'scripts', 'test.mjs'), ...files]
  return spawnSync(process.execPath, args,
    { env: { ...process.env, ...env }, stdio: 'inherit' }).status === 0
}

// Node ends without freeing what it has, and LeakSanitizer does not look into V8's heap,
// where most of that is referred to: its leaks say nothing. What the library itself
// allocated is referred to from outside of that heap.
function isOurs (leak) {
  const callers = leak.split('\n').filter((line) => /^ *#\d+ /.test(line))
  const caller = callers.find((line) => !/libsanitizer|libasan|libstdc\+\+|\/c\+\+\//.test(line))
  return /\/src\/(?:binding|core|os)\/|telar\.node/.test(caller)
}

function findings (report) {
  if (!report.includes('LeakSanitizer: detected memory leaks')) return [report.trim()]
  return report.split('\n\n')
    .filter((part) => /^(?:Direct|Indirect) leak/.test(part) && isOurs(part))
}

function testAll (library, reports) {
  checkIsLoaded(library, environment(library, reports, false))
  const [searched, others] = [true, false].map((hasLeaks) => {
    const chosen = files().filter((file) => hasLeaks === (file !== kWithoutLeaks))
    return test(chosen, environment(library, reports, hasLeaks))
  })
  if (!searched || !others) process.exitCode = 1
}

function showFindings (reports) {
  const found = readdirSync(reports)
    .flatMap((name) => findings(readFileSync(join(reports, name), 'utf8')))
  if (found.length === 0) return
  process.stderr.write(`\nThe sanitizers found\n\n${found.join('\n\n')}\n`)
  process.exitCode = 1
}

await main(() => {
  if (process.platform !== 'linux') {
    throw new CommandError(`This does not run on ${process.platform}`)
  }
  const library = step('Compiling the native library with sanitizers', buildLibrary)
  const reports = mkdtempSync(join(tmpdir(), 'telar-asan-'))
  try {
    testAll(library, reports)
  } finally {
    showFindings(reports)
    rmSync(reports, { recursive: true })
  }
}, advice)
