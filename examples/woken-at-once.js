'use strict'

// A consumer that is woken at once.
//
// Instead of: `setInterval(() => { if (Atomics.load(flag, 0)) … }, 1000)`. A job then waits half
// a second on average, and a thread without work wakes up all day long.
//
// Here receive() sleeps until there is something: no CPU while idle, and microseconds instead of
// a second when a job comes. The thirty jobs below would take fifteen seconds by polling.

const { once } = require('node:events')
const { Worker, isMainThread, workerData } = require('node:worker_threads')
const { Channel } = require('telar')

const kJobs = 30

async function main () {
  const jobs = new Channel({ capacity: 4096 })
  const answers = new Channel({ capacity: 4096 })
  const consumer = new Worker(__filename, { workerData: { jobs, answers } })

  let sum = 0
  for (let job = 1; job <= kJobs; job++) {
    await jobs.send(job) // the consumer has nothing to do before this, and sleeps
    const { value } = await answers.receive()
    sum += value
  }
  jobs.close()
  await once(consumer, 'exit')
  console.log(`${kJobs} jobs, one after the other: ${sum}`)
}

async function consume (jobs, answers) {
  for await (const job of jobs) await answers.send(job * job)
}

if (isMainThread) main()
else consume(Channel.from(workerData.jobs), Channel.from(workerData.answers))
