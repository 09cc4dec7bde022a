'use strict'

const { Channel, isWorkerThread } = require('telar')

module.exports = (n) => ({ double: n * 2, isWorkerThread, hasChannels: Channel !== undefined })
