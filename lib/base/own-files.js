'use strict'

// Where the two files are that telar needs beside its code: the one that workers run, and the
// native library. Both paths are defined only here.
//
// A bundler copies telar's code into a file of another name and in another place. Nothing near it
// is telar's then, whatever it is called, except for files that were put there for telar: they have
// names of their own, and stand beside the bundle or above it, since bundlers put what several
// entries share into a folder of its own. TELAR_WORKER and TELAR_NATIVE name them directly.

const { codeFile, process } = require('./globals')
const fs = require('node:fs')
const path = require('node:path')
const { own } = require('./own')

// Before anything that Deno would ask a permission for.
const deno = own(process.versions, 'deno')
if (deno !== undefined) {
  throw require('./errors').createError('ERR_TELAR_UNSUPPORTED_RUNTIME',
    `telar does not run in Deno (this is ${deno}), which has only a part of ` +
    "Node's worker threads. Run the program with Node 20 or newer, or with Bun")
}

const kFoldersAbove = 2
const kWorkerNames = ['telar-worker.js', 'telar-worker.mjs', 'telar-worker.cjs']

// A bundle may keep the names of files, and have only those that are required.
const isBundled = !codeFile.endsWith(path.join('lib', 'base', 'globals.js')) ||
  typeof __dirname !== 'string' || !exists(packagedWorker())
// Of telar's code, which a bundle has in the user's files: null.
const libFolder = isBundled ? null : path.join(path.dirname(codeFile), '..', path.sep)
const givenWorker = own(process.env, 'TELAR_WORKER')
const givenLibrary = own(process.env, 'TELAR_NATIVE')

let found

// The file that workers run. Throws the error that says what was searched for.
function workerFile () {
  found ??= findWorker()
  return found
}

function findWorker () {
  if (!isBundled && !givenWorker) return packagedWorker()
  const candidates = givenWorker
    ? [path.resolve(givenWorker)]
    : bundleFolders().flatMap((folder) => kWorkerNames.map((name) => path.join(folder, name)))
  const file = candidates.find(exists)
  if (file !== undefined) return file
  const list = candidates.map((candidate) => `  ${candidate}`).join('\n')
  throw require('./errors').createError('ERR_TELAR_NO_WORKER_FILE', list)
}

// The paths in the package are written with `__dirname`, in one expression each: @vercel/nft, which
// copies the files that a program needs, finds them so. A bundle may have no `__dirname`.
function packagedWorker () {
  return path.join(__dirname, '..', 'worker', 'main.js')
}

function packagedLibraries () {
  return [
    path.join(__dirname, '..', '..', 'build', 'Release', 'telar.node'),
    path.join(__dirname, '..', '..', 'build', 'Debug', 'telar.node'),
    ...machines().map((name) => path.join(__dirname, '..', '..', 'prebuilds', name, 'telar.node'))
  ]
}

function bundleFolders () {
  const folders = [path.dirname(codeFile)]
  for (let i = 0; i < kFoldersAbove; i++) folders.push(path.dirname(folders[i]))
  return folders
}

// The files that may be the native library, in the order in which they are tried.
function libraryFiles () {
  if (givenLibrary) return [path.resolve(givenLibrary)]
  if (!isBundled) return packagedLibraries()
  return bundleFolders().flatMap((folder) => [
    path.join(folder, 'telar.node'),
    ...machines().map((name) => path.join(folder, 'prebuilds', name, 'telar.node'))
  ])
}

// The names of the folders in `prebuilds` for this machine.
function machines () {
  const machine = `${process.platform}-${process.arch}`
  const names = process.platform === 'linux' ? [machine, `${machine}-musl`] : [machine]
  // A library for the other libc fails to load, and the next one is tried. The order matters only
  // where a compatibility layer makes both of them load.
  return isAlpine() ? names.reverse() : names
}

const isAlpine = () => exists('/etc/alpine-release')

function exists (file) {
  try {
    return fs.existsSync(file)
  } catch {
    return false // forbidden by Node's permission model
  }
}

module.exports = { givenLibrary, isBundled, libFolder, libraryFiles, workerFile }
