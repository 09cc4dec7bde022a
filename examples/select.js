'use strict'

// A thread that listens to several channels at a time.
//
// Instead of: one channel for messages of every kind, with a field that says which kind each one
// is, so that a burst of one kind delays the others. Or a receive() for each channel in
// Promise.race(), which loses the values of those that come second.
//
// Here a worker sends jobs for the printer of the main thread, which must not be lost, and reports
// its progress through a channel that keeps the newest report only as far as there is room: it
// never waits for the main thread to look at them.

const { Worker, isMainThread, workerData } = require('node:worker_threads')
const { Channel, select } = require('telar')

const kJobs = 100
const kReportsPerJob = 50

async function main () {
  const jobs = new Channel({ capacity: 4096 })
  const progress = new Channel({ capacity: 4096, overflow: 'drop-oldest' })
  const worker = new Worker(__filename, { workerData: { jobs, progress } })
  worker.once('error', (error) => jobs.abort(error))

  let printed = 0
  let last
  let open = [jobs, progress]
  while (open.length > 0) {
    const { channel, value, done } = await select(open)
    if (done) open = open.filter((other) => other !== channel)
    else if (channel === jobs) printed++
    else last = value
  }
  const { sent, received, dropped } = progress.stats
  console.log(`${printed} jobs, the last report is ${last} %`)
  console.log(`${sent} reports, ${received + dropped - sent} of them neither received nor dropped`)
}

async function work (jobs, progress) {
  for (let job = 0; job < kJobs; job++) {
    for (let part = 1; part <= kReportsPerJob; part++) {
      progress.send(100 * (job * kReportsPerJob + part) / (kJobs * kReportsPerJob))
    }
    await jobs.send({ job, pages: 3 })
  }
  await Promise.all([jobs.close(), progress.close()])
}

if (isMainThread) main()
else work(Channel.from(workerData.jobs), Channel.from(workerData.progress))
