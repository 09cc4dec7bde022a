// Builds and runs the C tests of the core (test/native), sanitizers included.

import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import compilerAdvice from '../lib/base/compiler-advice.js'
import { main, run } from './command.mjs'

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'test', 'native')

const isMissing = (program) =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined

const missing = ['make', process.env.CC ?? 'cc', process.env.CXX ?? 'c++'].filter(isMissing)
if (missing.length > 0) {
  process.stderr.write(`The native tests need ${missing.join(' and ')}, ` +
    `which this machine does not have.
Building the library takes
${compilerAdvice}
The sanitizers of these tests come with the compiler, but on Fedora:
dnf install libasan libubsan libtsan.
The other tests: npm run test:js\n`)
  process.exitCode = 1
} else {
  await main(() => run('make', [
    `-j${availableParallelism()}`, '-C', folder, 'check'
  ], { isLoud: true }))
}
