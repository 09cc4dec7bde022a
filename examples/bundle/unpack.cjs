'use strict'

// The main file of the executable that sea.mjs makes: unpacks the program and runs it.

const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { getAsset } = require('node:sea')

const { start, names } = JSON.parse(getAsset('manifest.json', 'utf8'))
// A new folder each time: nobody else can have put a file there.
const folder = mkdtempSync(join(tmpdir(), 'telar-app-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const name of names) writeFileSync(join(folder, name), Buffer.from(getAsset(name)))

// Only a file on disk may use import().
const starter = join(folder, 'start.cjs')
writeFileSync(starter, 'module.exports = (file) => import(file)\n')
const file = require('node:url').pathToFileURL(join(folder, start)).href
createRequire(starter)(starter)(file)
