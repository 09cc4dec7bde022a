'use strict'

/* global jest, test */
require('./suite')({
  test, fake: { start: () => jest.useFakeTimers(), stop: () => jest.useRealTimers() }
})
