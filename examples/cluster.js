'use strict'

// Several processes under node:cluster, each with an HTTP server and a pool.
//
// Instead of: a process for each CPU that computes in its event loop, so that requests to a busy
// process wait although other processes are idle. Or a pool of the default size in each process,
// which makes about as many threads as the number of CPUs squared.
//
// Here the threads are divided among the processes. Processes share no memory: channels and pools
// connect threads, not processes.

const cluster = require('node:cluster')
const http = require('node:http')
const os = require('node:os')
const { once } = require('node:events')
const { isMainThread } = require('node:worker_threads')
const { Pool } = require('telar')

const kProcesses = 2

const sumTo = (n) => {
  let sum = 0
  for (let i = 1; i <= n; i++) sum += i
  return sum
}

async function primary () {
  const workers = Array.from({ length: kProcesses }, () => cluster.fork())
  const addressOf = async (worker) => (await once(worker, 'listening'))[0]
  const [address] = await Promise.all(workers.map(addressOf))

  const answers = await Promise.all([10, 100, 1000, 10_000].map(async (n) => {
    const url = `http://127.0.0.1:${address.port}/${n}`
    const response = await fetch(url, { headers: { connection: 'close' } })
    return response.text()
  }))
  console.log(answers)

  for (const worker of workers) worker.send('end')
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  console.log(`${workers.length} processes ended`)
}

function child () {
  const threads = Math.max(1, Math.floor(os.availableParallelism() / kProcesses))
  const pool = new Pool({ filename: __filename, maxThreads: threads })
  const server = http.createServer(async (request, response) => {
    response.end(String(await pool.run(Number(request.url.slice(1)))))
  }).listen(0, '127.0.0.1')

  process.once('message', async () => {
    server.close()
    await pool.close()
    process.disconnect()
  })
}

module.exports = sumTo
if (isMainThread) {
  if (cluster.isPrimary) primary()
  else child()
}
