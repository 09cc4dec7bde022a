// Copies a program with the files it needs, as found by @vercel/nft: node nft.mjs <entry> <folder>
//
// Nothing is bundled. nft finds the files of telar by itself.

import { nodeFileTrace } from '@vercel/nft'
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, parse, relative, sep } from 'node:path'
import { entry, folder, outputs, tasks } from './inputs.mjs'

// The lowest folder that has all of the files.
function commonFolder (files) {
  const paths = files.map((file) => dirname(file).split(sep))
  const length = paths[0].findIndex((name, i) => paths.some((path) => path[i] !== name))
  return length === -1 ? dirname(files[0]) : paths[0].slice(0, length).join(sep) + sep
}

const base = parse(entry).root
const { fileList } = await nodeFileTrace([entry, ...tasks], { base })
const files = [...fileList].map((file) => join(base, file))
const common = commonFolder(files)
for (const file of files) {
  cpSync(file, join(folder, relative(common, file)), { verbatimSymlinks: true })
}

// The files keep their places, so the program may be some folders down.
const start = join(folder, basename(entry))
if (!existsSync(start)) {
  const program = JSON.stringify(`./${relative(common, entry).replaceAll(sep, '/')}`)
  const isModule = outputs[0].format === 'esm'
  writeFileSync(start, isModule ? `import ${program}\n` : `require(${program})\n`)
}
