/* global test */
import { createRequire } from 'node:module'
import { Pool } from 'telar'
import defineSuite from './suite.js'

defineSuite({
  test,
  fake: {
    start: () => import.meta.jest.useFakeTimers(), stop: () => import.meta.jest.useRealTimers()
  }
})

test('import and require() give one copy', () => {
  if (createRequire(import.meta.url)('telar').Pool !== Pool) throw new Error('there are two')
})
