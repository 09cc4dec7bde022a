'use strict'

// The drivers, one for each library that is compared. `load()` loads the library.
// `open(library, { name, threads })` opens a pool with a fixed number of threads, which runs one
// function of worker.js, and returns `{ run(value) }`. All other options have the defaults of the
// library. `moving`: the function for tasks that move their value, and how the value is marked.
// openSync() returns a function that blocks, openInline() and openMethod() pools whose tasks are
// functions that are written in place, and methods of a proxy.

const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { Worker } = require('node:worker_threads')

const filename = path.join(__dirname, 'worker.js')
const host = path.join(__dirname, 'host.js')

/** For telar, telar/piscina, Piscina and tinypool, which take the same options. */
function openPool (Pool, { name, threads, ...others }, file = filename) {
  const options = { filename: file, name, minThreads: threads, maxThreads: threads, ...others }
  const pool = new Pool(options)
  return { run: (value) => pool.run(value) }
}

/** A task that is written in place. */
function inline (value) {
  return value
}

function workerpoolOptions (threads) {
  return {
    workerType: 'thread',
    minWorkers: threads,
    maxWorkers: threads,
    workerThreadOpts: { workerData: { host: 'workerpool' } }
  }
}

const drivers = {
  telar: {
    title: 'telar',
    manifest: '../package.json',
    load: () => require('..').Pool,
    open: openPool,
    openSync: (Pool, { name, threads }) => {
      const pool = new Pool({ filename, name, minThreads: threads, maxThreads: threads })
      return (value) => pool.runSync(value)
    },
    openInline: (Pool, { threads }) => {
      const pool = new Pool({ minThreads: threads, maxThreads: threads })
      return { run: (value) => pool.exec(inline, value) }
    },
    openMethod: (Pool, { name, threads }) => {
      const pool = new Pool({ filename, minThreads: threads, maxThreads: threads })
      const api = pool.proxy()
      return { run: (value) => api[name](value) }
    },
    moving: { name: 'moveByTelar', mark: (value) => require('..').move(value) }
  },

  'telar/piscina': {
    title: 'telar/piscina',
    manifest: '../package.json',
    load: () => require('../lib/piscina.js'),
    open: openPool
  },

  piscina: {
    title: 'Piscina',
    manifest: 'piscina/package.json',
    load: () => require('piscina'),
    open: openPool,
    moving: { name: 'moveByPiscina', mark: (value) => require('piscina').move(value) }
  },

  tinypool: {
    title: 'tinypool',
    manifest: 'tinypool/package.json',
    load: async () => (await import('tinypool')).Tinypool,
    open: (Tinypool, job) => openPool(Tinypool, job, pathToFileURL(filename).href)
  },

  workerpool: {
    title: 'workerpool',
    manifest: 'workerpool/package.json',
    load: () => require('workerpool'),
    open (workerpool, { name, threads }) {
      const pool = workerpool.pool(host, workerpoolOptions(threads))
      return { run: (value) => pool.exec(name, [value]) }
    },
    openInline (workerpool, { threads }) {
      const pool = workerpool.pool({ ...workerpoolOptions(threads), workerThreadOpts: {} })
      return { run: (value) => pool.exec(inline, [value]) }
    },
    async openMethod (workerpool, { name, threads }) {
      const api = await workerpool.pool(host, workerpoolOptions(threads)).proxy()
      return { run: (value) => api[name](value) }
    }
  },

  // Calls that block only.
  synckit: {
    title: 'synckit',
    manifest: 'synckit/package.json',
    load: () => require('synckit').createSyncFn,
    openSync: (createSyncFn) => createSyncFn(path.join(__dirname, 'synckit-worker.js'))
  },

  poolifier: {
    title: 'poolifier',
    manifest: 'poolifier/package.json',
    load: () => require('poolifier').FixedThreadPool,
    open (FixedThreadPool, { name, threads }) {
      const pool = new FixedThreadPool(threads, host, {
        workerOptions: { workerData: { host: 'poolifier' } }
      })
      return { run: (value) => pool.execute(value, name) }
    }
  },

  handwritten: {
    title: 'postMessage',
    load: () => HandwrittenPool,
    open (Pool, { name, threads }) {
      const pool = new Pool(name, threads)
      const isMoved = name === 'moveByHand'
      return { run: (value) => pool.run(value, isMoved ? [value.buffer] : []) }
    },
    moving: { name: 'moveByHand', mark: (value) => value }
  },

  // Not a pool: what the start-up time of the pools is compared with.
  bare: {
    title: 'bare Worker',
    load: () => Worker,
    open () {
      const worker = new Worker(host, { workerData: { host: 'bare' } })
      return {
        run: (value) => new Promise((resolve, reject) => {
          worker.once('message', resolve)
          worker.once('error', reject)
          worker.postMessage(value)
        })
      }
    }
  }
}

/**
 * A simple pool, written by hand over worker_threads. Each task is posted at once to the next
 * worker in turn, and a Map finds the promise of each answer. This is the fastest simple form.
 */
class HandwrittenPool {
  #workers = []
  #pending = new Map()
  #lastId = 0

  constructor (name, threads) {
    for (let i = 0; i < threads; i++) {
      const worker = new Worker(host, { workerData: { host: 'handwritten', name } })
      worker.on('message', (answer) => this.#settle(answer))
      worker.on('error', (error) => this.#fail(error))
      this.#workers.push(worker)
    }
  }

  run (value, transferList) {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#workers[id % this.#workers.length].postMessage({ id, value }, transferList)
    })
  }

  #settle (answer) {
    const { resolve, reject } = this.#pending.get(answer.id)
    this.#pending.delete(answer.id)
    if ('error' in answer) reject(answer.error)
    else resolve(answer.value)
  }

  #fail (error) {
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}

/** Returns the version of the driver's library, or null if that is not a package. */
function versionOf (id) {
  const { manifest } = drivers[id]
  if (manifest === undefined) return null
  if (manifest.startsWith('.')) return require(manifest).version
  // Some packages do not export their package.json, so it is required by its path.
  return require(path.join(__dirname, 'node_modules', manifest)).version
}

module.exports = { drivers, versionOf, filename }
