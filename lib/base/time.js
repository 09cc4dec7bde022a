'use strict'

// The clock and the timers of telar, from its native library, and the ends of threads. Tests
// replace those of Node, in its modules too: with their fakes a lock would never time out, and a
// worker never be let go.

const { Math } = require('./globals')
const native = require('./native')
const { TimerQueue } = require('./timer-queue')
const { performance } = require('node:perf_hooks') // eslint-disable-line no-restricted-syntax

// Of this thread, each { due, place, callback, isRef }.
const timers = new TimerQueue()
let alarmDue = Infinity
let references = 0
const threadEndCallbacks = []
let endedThreads = native.endedThreads()
const alarm = native.openAlarm(onAlarm)
const offset = performance.now() - native.now()

// Milliseconds, as performance.now() counts them.
function now () {
  return native.now() + offset
}

// Calls back once, after so many milliseconds. Does not keep the thread alive.
function startTimer (callback, milliseconds) {
  return addTimer(callback, native.now() + milliseconds, false)
}

// One that has called back, or null, is fine.
function stopTimer (timer) {
  if (timer !== null) timers.remove(timer)
}

// Calls back once the event loop has turned. Keeps the thread alive until then.
function afterTurn (callback) {
  ref()
  addTimer(callback, native.now(), true)
}

function addTimer (callback, due, isRef) {
  const timer = { due, place: -1, callback, isRef }
  timers.add(timer)
  if (due < alarmDue) setAlarm(due)
  return timer
}

function setAlarm (due) {
  alarmDue = due
  const milliseconds = Math.ceil(due - native.now())
  if (milliseconds > 0) alarm.ringAfter(milliseconds)
  else alarm.ring()
}

// The loop's own time is that of its last turn, so an alarm may come early.
function onAlarm () {
  const time = native.now()
  alarmDue = Infinity
  try {
    lookForEndedThreads()
    while (timers.due < time) { // not equal: a callback's afterTurn() is for the next turn
      const timer = timers.first
      timers.remove(timer)
      if (timer.isRef) unref()
      timer.callback()
    }
  } finally { // what a callback throws is not the concern of the others
    if (timers.due < alarmDue) setAlarm(timers.due)
  }
}

// Calls back whenever a thread of the process has ended. Not before the event loop turns.
function onThreadEnd (callback) {
  threadEndCallbacks.push(callback)
  alarm.watchThreads()
}

function lookForEndedThreads () {
  const count = native.endedThreads()
  if (count === endedThreads) return
  endedThreads = count
  for (const callback of threadEndCallbacks) callback()
}

// Keeps the event loop of this thread alive while promises of it wait for another thread:
// Atomics.waitAsync() does not.
function ref () {
  if (references++ === 0) alarm.setRef(true)
}

function unref () {
  if (--references === 0) alarm.setRef(false)
}

module.exports = { afterTurn, now, onThreadEnd, ref, startTimer, stopTimer, unref }
