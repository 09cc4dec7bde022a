'use strict'

const { it } = require('mocha')
const sinon = require('sinon')

let clock
require('./suite')({
  test: it,
  fake: { start: () => { clock = sinon.useFakeTimers() }, stop: () => clock.restore() }
})
