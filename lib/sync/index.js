'use strict'

const { Barrier } = require('./barrier')
const { Condition } = require('./condition')
const { Counter } = require('./counter')
const { Latch } = require('./latch')
const { Mutex } = require('./mutex')
const { Once } = require('./once')
const { RwLock } = require('./rw-lock')
const { Semaphore } = require('./semaphore')
const { notify, wait, waitAsync } = require('./wait')

module.exports = {
  Barrier, Condition, Counter, Latch, Mutex, Once, RwLock, Semaphore, notify, wait, waitAsync
}
