// Makes one executable of a program and of Node: node sea.mjs <entry> <folder>
//
// Threads and libraries start from files. So the executable carries the bundles of esbuild.mjs, and
// unpacks them when it starts, into a folder for its user alone.

import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync }
  from 'node:fs'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, parse } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inject } from 'postject'
import { entry, folder } from './inputs.mjs'

const esbuild = fileURLToPath(new URL('esbuild.mjs', import.meta.url))
const unpack = fileURLToPath(new URL('unpack.cjs', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'telar-sea-'))
const node = (...args) => execFileSync(process.execPath, args, { cwd: scratch, stdio: 'inherit' })

node(esbuild, entry, join(scratch, 'files'))
const names = readdirSync(join(scratch, 'files'))
const manifest = { start: basename(entry), names }
writeFileSync(join(scratch, 'manifest.json'), JSON.stringify(manifest))
writeFileSync(join(scratch, 'sea.json'), JSON.stringify({
  main: unpack,
  output: 'sea.blob',
  disableExperimentalSEAWarning: true,
  assets: {
    'manifest.json': 'manifest.json',
    ...Object.fromEntries(names.map((name) => [name, join('files', name)]))
  }
}))
node('--experimental-sea-config', 'sea.json')

mkdirSync(folder, { recursive: true })
const name = `${parse(entry).name}${process.platform === 'win32' ? '.exe' : ''}`
const executable = join(folder, name)
copyFileSync(process.execPath, executable)
chmodSync(executable, 0o755)
await inject(executable, 'NODE_SEA_BLOB', readFileSync(join(scratch, 'sea.blob')), {
  sentinelFuse: 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2',
  machoSegmentName: 'NODE_SEA'
})
rmSync(scratch, { recursive: true })
