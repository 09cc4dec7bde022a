'use strict'

const { Math, process } = require('../base/globals')
const os = require('node:os')

const kMaxNice = 19

// Lowers the priority of the calling thread. Linux keeps one for each thread;
// where the whole process would be slowed down, nothing is done.
function nice (increment) {
  if (process.platform !== 'linux') return
  os.setPriority(Math.min(kMaxNice, os.getPriority() + increment))
}

module.exports = { nice }
