import { test, vi } from 'vitest'
import defineSuite from './suite.js'

defineSuite({ test, fake: { start: () => vi.useFakeTimers(), stop: () => vi.useRealTimers() } })
