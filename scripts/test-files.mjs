// Which files hold the JavaScript tests: those of the folders below that end in .test.js.
// Node 20 would run every file of a test folder, fixtures too, and Windows does not expand
// wildcards.

import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const kFolders = ['pool', 'channel', 'codec', 'sync', 'package'].map((name) => `test/${name}`)

// The files of folders, and what is a file already. Paths from the root, with slashes.
export function testFiles (targets) {
  return (targets.length > 0 ? targets : kFolders).flatMap((target) => {
    const path = join(root, target)
    if (!statSync(path).isDirectory()) return [target]
    return readdirSync(path)
      .filter((name) => name.endsWith('.test.js')).sort().map((name) => `${target}/${name}`)
  })
}

// The most important tests of those that start no process, for emulators, which would not start it.
export const emulatedFiles = [
  'codec/text-run', 'channel/bytes', 'channel/channel', 'channel/select', 'sync/condition',
  'sync/counting', 'sync/mutex', 'sync/rw-lock', 'sync/semaphore', 'pool/abort-cooperative',
  'pool/keys', 'pool/move', 'pool/order', 'pool/priority', 'pool/transform'
].map((name) => `test/${name}.test.js`)
