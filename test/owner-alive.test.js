'use strict'

// Whatever a pool does, its owner's event loop turns: timers, I/O, ticks and
// immediates get their turn.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const http = require('node:http')
const { performance } = require('node:perf_hooks')
const { test } = require('node:test')
const { faces, usePool } = require('./fixtures/fault-helpers')

const limit = { timeout: 60_000 }
const kTasks = 100_000
// A starved timer would not run at all before the last task; a busy machine
// may hold one back for some time.
const kLongestGapMs = 200

// Counts what of the event loop got its turn until `stop()`.
async function watchLoop (t) {
  const seen = { ticks: 0, immediates: 0, nextTicks: 0, responses: 0, longestGap: 0 }
  let isOver = false
  let last = performance.now()
  const interval = setInterval(() => {
    const now = performance.now()
    seen.ticks++
    seen.longestGap = Math.max(seen.longestGap, now - last)
    last = now
    process.nextTick(() => seen.nextTicks++)
  }, 1)
  const onImmediate = () => {
    seen.immediates++
    if (!isOver) setImmediate(onImmediate)
  }
  setImmediate(onImmediate)

  const server = http.createServer((request, response) => response.end('alive')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = new http.Agent({ keepAlive: true })
  const ask = () => {
    http.get({ host: '127.0.0.1', port: server.address().port, agent }, (response) => {
      response.resume().on('end', () => {
        seen.responses++
        if (!isOver) ask()
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
  last = performance.now()
  return seen
}

function check (t, seen, completed) {
  t.diagnostic(`${completed} tasks, ${JSON.stringify(seen)}`)
  for (const name of ['ticks', 'immediates', 'nextTicks', 'responses']) assert.ok(seen[name] >= 5, `${name}: ${seen[name]}`)
  assert.ok(seen.longestGap <= kLongestGapMs, `the timer was held back for ${seen.longestGap} ms`)
}

for (const [face, Class] of faces) {
  for (const maxThreads of [1, 2]) {
    test(`${face}: 1000 tasks always in flight, ${maxThreads} threads`, limit, async (t) => {
      const pool = usePool(t, Class, { minThreads: maxThreads, maxThreads })
      await pool.run('warm')
      const seen = await watchLoop(t)
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

    test(`${face}: a tight loop of await pool.run(), ${maxThreads} threads`, limit, async (t) => {
      const pool = usePool(t, Class, { minThreads: maxThreads, maxThreads })
      await pool.run('warm')
      const seen = await watchLoop(t)
      for (let i = 0; i < kTasks; i++) await pool.run(i)
      check(t, seen, kTasks)
    })
  }

  test(`${face}: a tight loop of tasks that fail, and of tasks by port`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 1, maxThreads: 1 })
    await pool.run('warm')
    const seen = await watchLoop(t)
    const shared = new SharedArrayBuffer(4)
    for (let i = 0; i < 2000; i++) {
      await pool.run('no', { name: 'throwError' }).catch(() => {})
      await pool.run(shared)
    }
    check(t, seen, 4000)
  })

  test(`${face}: a loop that only a timer ends`, limit, async (t) => {
    const pool = usePool(t, Class, { minThreads: 1, maxThreads: 1 })
    let isOver = false
    setTimeout(() => { isOver = true }, 100)
    let count = 0
    while (!isOver) {
      await pool.run(count)
      count++
    }
    assert.equal(pool.completed, count)
  })
}
