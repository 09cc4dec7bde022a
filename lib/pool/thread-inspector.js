'use strict'

// Looks into threads while they run JavaScript, by the inspector of Node: where a thread is, even
// in an endless loop. Loaded when first needed. Only the main thread can do this, and only if Node
// was built with the inspector.
//
// All users of a process share one session, which is open as long as one of them uses it, and a
// moment longer: while it is open, every new worker of the process is attached to it.
//
// If a message is sent to a thread in the instant in which it takes down its side of the session,
// Node (20 to 26) aborts the process, or hangs. So nothing is sent to a worker that is ending
// (WorkerHandle#isEnding), unless it is paused: it has to go on to end.

const { Error, JSON, Map, Number, Promise, Set, process } = require('../base/globals')
const { fileURLToPath } = require('node:url')
const { isMainThread } = require('node:worker_threads')
const { startTimer, stopTimer } = require('../base/time')
const { withoutOwnFrames } = require('./caller-frames')

const kScriptParsed = '{"method":"Debugger.scriptParsed"'
const kScriptId = /"scriptId":"(\d+)"/
const kNoRequest = 'Runtime.getIsolateId' // only its answer matters
const kMaxFrames = 50
const kHasEnded = 'the thread has ended'
const kNotAttached = 'the thread has not started yet, or has ended'

// The session stays open this long after its last use: opening it takes as long as many of those.
const kLingerMs = 500
// A thread that has just started is attached within a few turns of the event loop.
const kMaxTurns = 100

let shared = null
let users = 0
let closing = null

// Calls back with the session of the process, and returns what the callback's promise returns.
// Throws an error that says why there is no inspector.
async function withInspector (callback) {
  open()
  users++
  try {
    return await callback(shared)
  } finally {
    if (--users === 0) closing = startTimer(close, kLingerMs)
  }
}

// When the process exits, it waits for its threads, and one that is paused would never end.
function open () {
  if (shared === null) {
    shared = new ThreadInspector()
    process.on('exit', close)
  }
  stopTimer(closing)
  closing = null
}

function close () {
  process.removeListener('exit', close)
  closing = null
  shared.close()
  shared = null
}

// Whether threads can be looked into.
function canInspect () {
  if (users > 0) return true
  try {
    open()
  } catch {
    return false
  }
  closing = startTimer(close, kLingerMs)
  return true
}

// As ThreadInspector#stackOf(). Never rejects.
async function stackOf (worker, timeoutMs) {
  try {
    return await withInspector(async (inspector) => {
      await inspector.attached(worker)
      return inspector.stackOf(worker, timeoutMs)
    })
  } catch (error) {
    return noStack(error.message)
  }
}

// Stops the JavaScript that a thread runs, or runs next, up to its event loop. Rejects if the
// thread has ended.
function interrupt (worker) {
  return withInspector(async (inspector) => {
    await inspector.attached(worker)
    await inspector.request(worker, 'Runtime.terminateExecution')
  })
}

class ThreadInspector {
  #session
  #sessionIds = new Map() // by the id of the thread
  #workers = new Map() // WorkerHandles, by the id of the session
  #answers = new Map() // what to do with the answer, by the id of the request
  #onPaused = new Map() // what to do with the frames, by the id of the session
  #scripts = new Map() // messages, one for each script of a thread, by the id of the session
  #stacks = new Map() // the promises of stackOf(), by the id of the session
  #lastRequest = 0

  constructor () {
    if (!isMainThread) throw new Error('only the main thread can look into others')
    const { Session } = require('node:inspector') // throws if Node was built without it
    this.#session = new Session()
    this.#session.connect()
    this.#session.on('NodeWorker.attachedToWorker', ({ params }) => this.#attached(params))
    this.#session.on('NodeWorker.detachedFromWorker', ({ params }) => this.#detached(params))
    this.#session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => this.#received(params))
    // Attaches to all threads before it returns.
    this.#session.post('NodeWorker.enable', { __proto__: null, waitForDebuggerOnStart: false })
  }

  // A thread that is paused, or about to be, goes on. The end of the session alone is not enough.
  close () {
    for (const sessionId of this.#onPaused.keys()) this.#send(sessionId, 'Debugger.disable')
    this.#session.disconnect()
  }

  // The title begins with the id of the thread. `workerId` is another number since Node 22.
  #attached ({ sessionId, workerInfo }) {
    const [, threadId] = /^\[worker (\d+)\]/.exec(workerInfo.title) ?? [null, workerInfo.workerId]
    this.#sessionIds.set(Number(threadId), sessionId)
  }

  // The thread has ended, and answers no more.
  #detached ({ sessionId }) {
    for (const [threadId, id] of this.#sessionIds) {
      if (id === sessionId) this.#sessionIds.delete(threadId)
    }
    this.#workers.delete(sessionId)
    for (const [id, answer] of this.#answers) {
      if (answer.sessionId !== sessionId) continue
      this.#answers.delete(id)
      answer.reject(new Error(kHasEnded))
    }
  }

  // Waits until the thread is attached, or has had the time for that.
  async attached ({ id }) {
    for (let turns = 0; !this.#sessionIds.has(id) && turns < kMaxTurns; turns++) {
      await new Promise((resolve) => startTimer(resolve, 1))
    }
  }

  // Undefined: it is not attached.
  #sessionOf (worker) {
    const sessionId = this.#sessionIds.get(worker.id)
    if (sessionId !== undefined) this.#workers.set(sessionId, worker)
    return sessionId
  }

  // Node may call this in the middle of any JavaScript, so it calls no code of the user.
  #received ({ sessionId, message }) {
    if (message.startsWith(kScriptParsed)) {
      this.#scripts.get(sessionId)?.push(message)
      return
    }
    const { id, method, params } = JSON.parse(message)
    if (method === 'Debugger.paused') {
      this.#post(sessionId, 'Debugger.resume')
      this.#onPaused.get(sessionId)?.(params.callFrames)
    }
    this.#answers.get(id)?.resolve()
    this.#answers.delete(id)
  }

  // `answer`: what to do with the answer. It may come before this returns.
  #send (sessionId, method, answer = null) {
    if (this.#workers.get(sessionId)?.isEnding ?? true) answer?.reject(new Error(kHasEnded))
    else this.#post(sessionId, method, answer)
  }

  #post (sessionId, method, answer = null) {
    const id = ++this.#lastRequest
    if (answer !== null) this.#answers.set(id, answer)
    const message = JSON.stringify({ __proto__: null, id, method })
    this.#session.post('NodeWorker.sendMessageToWorker', { __proto__: null, sessionId, message })
  }

  // Sends a request without parameters to a thread, such as 'Runtime.terminateExecution'. The
  // promise is fulfilled when the thread has handled it: it may be in the middle of JavaScript, but
  // not in a native call. Rejects if the thread has ended.
  async request (worker, method) {
    const sessionId = this.#sessionOf(worker)
    if (sessionId === undefined) throw new Error(kNotAttached)
    await new Promise((resolve, reject) => {
      this.#send(sessionId, method, { __proto__: null, sessionId, resolve, reject })
    })
  }

  // The stack of a thread, as a text like that of an error, or in its place the reason why there is
  // none. The thread is paused for a moment, and goes on.
  async stackOf (worker, timeoutMs) {
    const sessionId = this.#sessionOf(worker)
    if (sessionId === undefined) return noStack(kNotAttached)
    let stack = this.#stacks.get(sessionId)
    if (stack === undefined) {
      stack = this.#captureStack(worker, sessionId, timeoutMs)
      this.#stacks.set(sessionId, stack)
    }
    return stack
  }

  async #captureStack (worker, sessionId, timeoutMs) {
    const stack = await new Promise((resolve) => {
      startTimer(() => resolve(noStack(`no answer within ${timeoutMs} ms`)), timeoutMs)
      const scripts = []
      this.#scripts.set(sessionId, scripts)
      this.#onPaused.set(sessionId, (frames) => resolve(textOf(frames, scripts)))
      const giveUp = () => resolve(noStack(kHasEnded))
      this.request(worker, 'Debugger.enable').catch(giveUp)
      this.request(worker, 'Debugger.pause').then(() => startTimer(() => {
        if (!this.#onPaused.has(sessionId)) return // it has paused, or the time is over
        this.request(worker, kNoRequest).then(() => resolve(kWaits), giveUp)
      }, kPauseMs), giveUp)
    })
    this.#onPaused.delete(sessionId)
    this.#scripts.delete(sessionId)
    this.#stacks.delete(sessionId)
    this.#send(sessionId, 'Debugger.disable') // takes the request to pause back
    return stack
  }
}

// A thread that runs JavaScript pauses as soon as it has handled all requests that are there. So if
// it handles another one this much later and is not paused, it runs none.
const kPauseMs = 50

const noStack = (reason) => `    (no stack: ${reason})`
const kWaits = noStack('it waits, and none of its JavaScript runs')

// Frames name their script by its id: the property for the URL is empty in some versions of Node.
function textOf (frames, scripts) {
  const shown = frames.slice(0, kMaxFrames)
  const ids = new Set(shown.map(({ location }) => location.scriptId))
  const files = new Map()
  for (const message of scripts) {
    const [, id] = kScriptId.exec(message)
    if (ids.has(id)) files.set(id, fileOf(JSON.parse(message).params.url))
  }
  const lines = shown.map(({ functionName, location }) => {
    const { scriptId, lineNumber, columnNumber } = location // counted from 0
    const name = functionName || '<anonymous>'
    return `    at ${name} (${files.get(scriptId)}:${lineNumber + 1}:${columnNumber + 1})`
  })
  return withoutOwnFrames(lines.join('\n'), '') || kWaits
}

function fileOf (url) {
  return url.startsWith('file:') ? fileURLToPath(url) : url
}

module.exports = { canInspect, interrupt, stackOf, withInspector }
