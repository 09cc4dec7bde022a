'use strict'

const { Math, process } = require('../base/globals')
const os = require('node:os')

const kMaxNice = 19

// Lowers the priority of the calling thread. Only on Linux, where each thread has a priority:
// elsewhere the call would slow down the whole process.
function nice (increment) {
  if (process.platform !== 'linux') return
  os.setPriority(Math.min(kMaxNice, os.getPriority() + increment))
}

module.exports = { nice }
