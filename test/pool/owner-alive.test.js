'use strict'

// Whatever a pool does, the event loop of its owner turns: timers, I/O, ticks and immediates get
// their turn.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const http = require('node:http')
const { test } = require('node:test')
const { faces, usePool } = require('../fixtures/fault-helpers')

const limit = { timeout: 60_000 }
const kTasks = 200_000
const kAwaited = 20_000
// The longest gap between two ticks of the timer is counted in tasks, not in ms: while the system
// runs something else, no task settles either.
const kLongestGap = 0.1 // of all tasks

// Counts how often each part of the event loop gets its turn.
async function watchLoop (t, pool) {
  const seen = { ticks: 0, immediates: 0, nextTicks: 0, responses: 0, longestGap: 0 }
  let isOver = false
  let last = pool.completed
  const interval = setInterval(() => {
    seen.ticks++
    seen.longestGap = Math.max(seen.longestGap, pool.completed - last)
    last = pool.completed
    process.nextTick(() => seen.nextTicks++)
    setImmediate(() => seen.immediates++)
  }, 1)

  const server = http.createServer((request, response) => response.end('alive'))
    .listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = new http.Agent({ keepAlive: true })
  const ask = () => {
    if (isOver) return
    http.get({ host: '127.0.0.1', port: server.address().port, agent }, (response) => {
      response.resume().on('end', () => {
        seen.responses++
        setTimeout(ask, 1)
      })
    }).on('error', (error) => {
      if (!isOver) throw error
    })
  }
  ask()

  t.after(() => {
    isOver = true
    clearInterval(interval)
    agent.destroy()
    server.close()
  })
  last = pool.completed
  return seen
}

function check (t, seen, completed) {
  t.diagnostic(`${completed} tasks, ${JSON.stringify(seen)}`)
  for (const name of ['ticks', 'immediates', 'nextTicks', 'responses']) {
    assert.ok(seen[name] >= 5, `${name}: ${seen[name]}`)
  }
  assert.ok(seen.longestGap <= kLongestGap * completed,
    `the timer was held back for ${seen.longestGap} tasks`)
}

for (const [face, Class] of faces) {
  for (const maxThreads of [1, 2]) {
    test(`${face}: the loop turns under 1000 tasks, ${maxThreads} threads`, limit, async (t) => {
      const pool = usePool(t, Class, { minThreads: maxThreads, maxThreads })
      await pool.run('warm')
      const seen = await watchLoop(t, pool)
      let left = kTasks
      await new Promise((resolve, reject) => {
        let inFlight = 0
        const next = () => {
          if (left-- > 0) {
            inFlight++
            pool.run(left).then(done, reject)
          } else if (inFlight === 0) {
            resolve()
          }
        }
        const done = () => {
          inFlight--
          next()
        }
        for (let i = 0; i < 1000; i++) next()
      })
      check(t, seen, kTasks)
    })

    test(`${face}: the loop turns amid single tasks, ${maxThreads} threads`, limit, async (t) => {
      const pool = usePool(t, Class, { minThreads: maxThreads, maxThreads })
      await pool.run('warm')
      const seen = await watchLoop(t, pool)
      for (let i = 0; i < kAwaited; i++) await pool.run(i)
      check(t, seen, kAwaited)
    })
  }

  test(`${face}: the loop turns while tasks fail or go by port`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 1, maxThreads: 1 })
    await pool.run('warm')
    const seen = await watchLoop(t, pool)
    const shared = new SharedArrayBuffer(4)
    for (let i = 0; i < 4000; i++) {
      await pool.run('no', { name: 'throwError' }).catch(() => {})
      await pool.run(shared)
    }
    check(t, seen, 8000)
  })

  test(`${face}: a timer can end a loop of run()`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 1, maxThreads: 1 })
    const signal = AbortSignal.timeout(100)
    let count = 0
    while (!signal.aborted) {
      await pool.run(count)
      count++
    }
    assert.equal(pool.completed, count)
  })
}
