'use strict'

// Connections that workers serve from the first byte to the last.
//
// Instead of: a main thread that reads every request, runs a task with it, and writes the answer.
// All bytes of all clients go through one event loop then, and each is copied to a worker and back.
//
// Here the main thread only accepts. Each socket is transferred to a task, which talks to its
// client until that one leaves; a worker serves several at a time. Node transfers sockets, and
// servers, from version 24 on. Before that it refuses with an error of its own, and the socket
// stays where it was.

const net = require('node:net')
const readline = require('node:readline')
const { once } = require('node:events')
const { text } = require('node:stream/consumers')
const { isMainThread } = require('node:worker_threads')
const { Pool } = require('telar')

const fibonacci = (n) => n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)

// The task: one number a line, one answer a line. Its result is how many it answered.
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
  // Paused: what a client sends before a worker has its socket stays in the system until then.
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
