'use strict'

const os = require('node:os')

const kLowest = 19

// Lowers the priority of the calling thread. Linux keeps one for each thread;
// where the whole process would be slowed down, nothing is done.
function nice (increment) {
  if (process.platform !== 'linux') return
  os.setPriority(Math.min(kLowest, os.getPriority() + increment))
}

module.exports = { nice }
