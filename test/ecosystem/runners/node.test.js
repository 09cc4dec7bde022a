'use strict'

const { mock, test } = require('node:test')

require('./suite')({
  test, fake: { start: () => mock.timers.enable(), stop: () => mock.timers.reset() }
})
