'use strict'

// A consumer that is woken as soon as there is a job.
//
// Instead of: `setInterval(() => { if (Atomics.load(flag, 0)) … }, 1000)`. Then a job waits half a
// second on average, and a thread without work still wakes up once a second.
//
// Here receive() sleeps until there is a job. An idle thread uses no CPU time, and a job starts
// after microseconds. With polling the thirty jobs below would take fifteen seconds.

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
    await jobs.send(job) // before this the consumer has no job and sleeps
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
