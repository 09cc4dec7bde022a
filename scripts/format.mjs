// Formats the C and C++ sources by .clang-format:
//
//   npm run format                    mends them
//   node scripts/format.mjs --check   says what is not as it should be, as npm run lint does
//
// The package clang-format has one version of the program for everybody: another one would
// format otherwise.

import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandError, main, run } from './command.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const kFolders = ['src', join('test', 'native'), join('bench', 'native')]
const kBuilds = 'build'

// The platforms that the package has the program for. What is right does not depend on the
// platform: elsewhere the check is left to them.
const kPlatforms = ['darwin-arm64', 'darwin-x64', 'linux-x64', 'win32-x64']

function sourcesIn (folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === kBuilds ? [] : sourcesIn(path)
    return /\.(?:c|cc|h)$/.test(entry.name) ? [path] : []
  })
}

await main(() => {
  const isCheck = process.argv.includes('--check')
  const platform = `${process.platform}-${process.arch}`
  if (!kPlatforms.includes(platform)) {
    const message = `The package clang-format has no program for ${platform}`
    if (!isCheck) throw new CommandError(message)
    process.stdout.write(`${message}: the C sources are not checked here\n`)
    return
  }
  const program = createRequire(import.meta.url)('clang-format').getNativeBinary()
  const how = isCheck ? ['--dry-run', '--Werror'] : ['-i']
  const sources = kFolders.flatMap((folder) => sourcesIn(join(root, folder)))
  run(program, [...how, '--style=file', ...sources])
}, 'npm run format mends what is not formatted as .clang-format says.')
