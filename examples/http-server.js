'use strict'

// An HTTP server that hands its heavy work to a pool.
//
// Instead of: `http.createServer((request, response) => response.end(fibonacci(35)))`, where all
// other requests wait while one is computed. Or `new Worker()` for each request, which costs tens
// of milliseconds and some megabytes each time, and does not limit the number of threads.
//
// Here the event loop stays free while the pool computes. A task is aborted when its client
// disconnects. When the task queue is full, the server answers 503, and the queue does not grow.

const http = require('node:http')
const { once } = require('node:events')
const { isMainThread } = require('node:worker_threads')
const { Pool } = require('telar')

const fibonacci = (n) => n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)

function createServer (pool) {
  return http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost')
    if (pathname === '/health') return response.end('ok')
    const n = Number(pathname.slice(1))
    if (!Number.isInteger(n) || n < 0 || n > 35) {
      return response.writeHead(400).end('a number from 0 to 35')
    }

    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      response.end(String(await pool.run(n, { signal: gone.signal })))
    } catch (error) {
      if (error.code === 'ERR_TELAR_QUEUE_FULL') {
        response.writeHead(503, { 'retry-after': '1' }).end()
      } else if (!gone.signal.aborted) {
        response.writeHead(500).end(error.message)
      }
    }
  })
}

async function main () {
  const pool = new Pool({ filename: __filename, maxThreads: 2, maxQueue: 100 })
  const server = createServer(pool).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const get = async (path) =>
    (await fetch(`http://127.0.0.1:${server.address().port}${path}`)).text()

  console.log(await Promise.all([get('/25'), get('/20'), get('/health'), get('/x')]))
  server.close()
  server.closeAllConnections()
  await pool.close()
}

module.exports = fibonacci
if (isMainThread) main()
