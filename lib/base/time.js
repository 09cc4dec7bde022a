'use strict'

// The clock and the timers of telar, which come from its native library, and a callback for the
// end of threads. Tests replace the clock and the timers of Node, in Node's modules too: with such
// fakes a lock would never time out, and an idle worker would never be ended.

const { Math } = require('./globals')
const native = require('./native')
const { TimerQueue } = require('./timer-queue')
const { performance } = require('node:perf_hooks') // eslint-disable-line no-restricted-syntax

// The timers of this thread, each { due, place, callback, isRef }.
const timers = new TimerQueue()
let alarmDue = Infinity
let references = 0
const threadEndCallbacks = []
let endedThreads = native.endedThreads()
const alarm = native.openAlarm(onAlarm)
const offset = performance.now() - native.now()

// In milliseconds, on the same scale as performance.now().
function now () {
  return native.now() + offset
}

// The same time on the clock of the native library.
const toNative = (time) => time - offset

// Calls back once, after `milliseconds`. Does not keep the thread alive.
function startTimer (callback, milliseconds) {
  return addTimer(callback, native.now() + milliseconds, false)
}

// The timer may have called back already, or be null.
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

// An alarm may come early: the event loop reads its clock once per turn. Timers that are not due
// yet set the next alarm.
function onAlarm () {
  const time = native.now()
  alarmDue = Infinity
  try {
    checkEndedThreads()
    while (timers.due < time) { // not equal: a callback's afterTurn() is for the next turn
      const timer = timers.first
      timers.remove(timer)
      if (timer.isRef) unref()
      timer.callback()
    }
  } finally { // also when a callback throws: the other timers still need their alarm
    if (timers.due < alarmDue) setAlarm(timers.due)
  }
}

// For a thread that blocks its event loop: calls back the timers that are due, but not those of
// afterTurn(). Returns the milliseconds until the next one is due.
function runTimers () {
  const time = native.now()
  const ofLoop = []
  try {
    while (timers.due < time) {
      const timer = timers.first
      timers.remove(timer)
      if (timer.isRef) ofLoop.push(timer)
      else timer.callback()
    }
    return timers.due - time
  } finally {
    for (const timer of ofLoop) timers.add(timer)
  }
}

// Calls back whenever a thread of the process has ended, from the event loop.
function onThreadEnd (callback) {
  threadEndCallbacks.push(callback)
  alarm.watchThreads()
}

function checkEndedThreads () {
  const count = native.endedThreads()
  if (count === endedThreads) return
  endedThreads = count
  for (const callback of threadEndCallbacks) callback()
}

// Keeps the event loop of this thread alive while one of its promises waits for another thread.
// Atomics.waitAsync() does not do that.
function ref () {
  if (references++ === 0) alarm.setRef(true)
}

function unref () {
  if (--references === 0) alarm.setRef(false)
}

module.exports = {
  afterTurn, now, onThreadEnd, ref, runTimers, startTimer, stopTimer, toNative, unref
}
