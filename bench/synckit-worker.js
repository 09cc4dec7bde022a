'use strict'

// The worker file of synckit, whose functions register themselves.

const { runAsWorker } = require('synckit')
const { echo } = require('./worker')

runAsWorker(echo)
