'use strict'

// The error of a failed task: its stack shows where the task failed, and then, after the frames of
// the worker, who called run() (`at async handler (...)`). Frames of telar's own are left out.
//
// Nothing is captured in run(). When a task has failed, V8 can still tell who awaits its promise: a
// stack that is captured in the job of a promise goes on with the functions that await that
// promise. So such a job throws the error, and the promise of the caller follows that job's.

const { Array, DOMException, Error, Promise, Reflect, WeakSet } = require('../base/globals')
const path = require('node:path')
const { types } = require('node:util')
const { setOwn } = require('../base/own')
const { libFolder } = require('../base/own-files')

const { apply, set } = Reflect
const promiseThen = Promise.prototype.then
const resolved = Promise.resolve()
const nothing = () => {}

const kFrame = '    at '
const kAsyncFrame = '\n    at async '
const kMaxDepth = 8 // of causes

// The folders whose frames are left out. Those of channels and locks remain: tasks call them.
const ownFiles = ['pool/', 'worker/', 'transport/', 'codec/', 'shared/', 'base/']
  .map((name) => libFolder + path.normalize(name))

// The errors of tasks, and those that are the error of several tasks, such as all tasks of a worker
// that has ended. These get no frames of callers: to the other callers they would be wrong.
const given = new WeakSet()
const shared = new WeakSet()

function give (error) {
  if (given.has(error)) shared.add(error)
  given.add(error)
}

// A promise that will be rejected with the error. It must be given to a `resolve` at once: in two
// jobs from now the stack is captured, and the rejection needs a handler.
function failure (error) {
  if (!isError(error)) return Promise.reject(error)
  give(error)
  return apply(promiseThen, apply(promiseThen, resolved, [nothing]), [() => {
    changeStack(error, shared.has(error) ? '' : callerFrames())
    throw error
  }])
}

// The same, with a `reject` that is not that of the promise. V8 finds the promise by its `resolve`,
// which is never called.
function fail (error, resolve, reject) {
  apply(promiseThen, failure(error), [resolve, reject])
}

// For an error that no promise is rejected with.
function withoutFrames (error) {
  if (isError(error)) changeStack(error, '')
  return error
}

// For a call that throws the error now: returns it, with the frames of the callers.
function failHere (error) {
  if (!isError(error)) return error
  give(error)
  changeStack(error, shared.has(error) ? '' : framesHere(error))
  return error
}

// The frames of the functions that have called telar, unless the stack of the error shows them.
function framesHere (error) {
  try {
    const { stack } = new Error()
    const frames = withoutOwnFrames(stack.slice(stack.indexOf(`\n${kFrame}`)))
    const first = frames.slice(1).split('\n', 1)[0]
    return error.stack.includes(first) ? '' : frames
  } catch { // the Error.prepareStackTrace of the user threw, or a getter of the error
    return ''
  }
}

// Node gives the error that ended a worker as an object that is no native error.
function isError (value) {
  return types.isNativeError(value) || value instanceof Error || value instanceof DOMException
}

// The frames of the functions that await the promise of the job that runs now. They come last.
function callerFrames () {
  try {
    const { stack } = new Error()
    const at = stack.indexOf(kAsyncFrame)
    return at < 0 ? '' : withoutOwnFrames(stack.slice(at))
  } catch { // the Error.prepareStackTrace of the user threw, or returned something else
    return ''
  }
}

// Adds the frames to the stack, and takes telar's from it and from those of the errors inside.
function changeStack (error, frames, depth = 0) {
  try {
    const { message, stack } = error
    if (typeof stack === 'string') {
      const changed = withoutOwnFrames(stack, message) + frames
      // Node 22 and newer make the stack of the error that ended a worker read-only.
      if (changed !== stack && !set(error, 'stack', changed)) setOwn(error, 'stack', changed, false)
    }
    const { cause, errors } = error
    if (depth === kMaxDepth || (cause === undefined && errors === undefined)) return
    for (const inner of Array.isArray(errors) ? [cause, ...errors] : [cause]) {
      if (isError(inner)) changeStack(inner, '', depth + 1)
    }
  } catch {
    // A listener for the error of the worker may have frozen it, or added accessors. Then its stack
    // stays as it is.
  }
}

// A stack begins with the message, which may quote another stack.
function withoutOwnFrames (stack, message) {
  if (libFolder === null || !stack.includes(libFolder)) return stack
  const at = typeof message === 'string' ? stack.indexOf(message) : -1
  const end = at < 0 ? 0 : at + message.length
  const lines = stack.slice(end).split('\n').filter((line) => !isOwnFrame(line))
  return stack.slice(0, end) + lines.join('\n')
}

function isOwnFrame (line) {
  return line.startsWith(kFrame) && line.includes(libFolder) &&
    ownFiles.some((file) => line.includes(file))
}

module.exports = { fail, failHere, failure, withoutFrames, withoutOwnFrames }
