'use strict'

// Workers that serve whole connections.
//
// Instead of: a main thread that reads each request, runs a task with it, and writes the answer.
// Then all bytes of all clients go through one event loop, and are copied to a worker and back.
//
// Here the main thread only accepts connections. Each socket is transferred to a task, which serves
// its client until the client disconnects. A worker serves several clients at a time. Node can
// transfer sockets and servers since version 24. Earlier versions throw an error of their own, and
// the socket stays in the main thread.

const net = require('node:net')
const readline = require('node:readline')
const { once } = require('node:events')
const { text } = require('node:stream/consumers')
const { isMainThread } = require('node:worker_threads')
const { Pool } = require('telar')

const fibonacci = (n) => n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)

// The task: reads a number from each line and writes a line with the answer. Returns how many
// answers it has given.
async function serve (socket) {
  let answers = 0
  for await (const line of readline.createInterface({ input: socket })) {
    socket.write(`${fibonacci(Number(line))}\n`)
    answers++
  }
  socket.end()
  return answers
}

function listen (pool, log) {
  // Paused, so that the operating system keeps what a client sends until a worker has the socket.
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    pool.run(socket, { transferList: [socket] }).then(
      (answers) => log(`a worker gave ${answers} answers`),
      (error) => {
        log(`not transferred: ${error.name}`)
        socket.end('this needs Node 24\n')
      }
    )
  })
  return server.listen(0, '127.0.0.1')
}

async function main () {
  const pool = new Pool({ filename: __filename, maxThreads: 2, concurrentTasksPerWorker: 100 })
  const log = []
  const server = listen(pool, (line) => log.push(line))
  await once(server, 'listening')
  const ask = (...numbers) => {
    const client = net.connect(server.address().port, '127.0.0.1')
    client.end(numbers.join('\n'))
    return text(client)
  }

  const answers = await Promise.all([ask(20, 10), ask(25), ask(5, 6, 7)])
  console.log(answers.map((answer) => answer.trim().replaceAll('\n', ' ')))
  server.close()
  await pool.close()
  for (const line of log.sort()) console.log(line)
}

module.exports = serve
if (isMainThread) main()
