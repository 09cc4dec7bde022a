// telar/piscina in place of Piscina: the two ways in which CommonJS users import it.

import { EventEmitter } from 'node:events'
import { Pool } from 'telar'
import Piscina = require('telar/piscina')
import { FixedQueue, Piscina as NamedPiscina, PiscinaTask, TaskQueue } from 'telar/piscina'

async function replaces (): Promise<void> {
  const pool = new Piscina<string, number>({
    filename: '/eval.js',
    maxQueue: 'auto',
    taskQueue: new FixedQueue()
  })
  const result: number = await pool.run('42', { name: 'default', signal: AbortSignal.abort() })
  // @ts-expect-error a task of another type
  await pool.run(42)
  await pool.ready()
  pool.resize({ maxThreads: 2 })
  const average: number | undefined = pool.histogram.waitTime?.average
  const asyncId: number = pool.asyncId
  const other: NamedPiscina = new Piscina.Piscina({
    loadBalancer: (task, workers) => workers[task.taskId % workers.length] ?? null
  })
  const isWorker: boolean = Piscina.isWorkerThread
  const moved = Piscina.move(new ArrayBuffer(result))
  // @ts-expect-error Piscina takes no URL
  new Piscina({ filename: new URL('file:///eval.js') }) // eslint-disable-line no-new
  await Promise.all([pool.close({ force: isWorker }), other.destroy(), moved, average, asyncId])
}

// A Piscina has each member of a Pool.
type Missing = Exclude<keyof Pool, keyof Piscina | keyof EventEmitter>
const missing: [Missing] extends [never] ? true : Missing = true

class Queue implements TaskQueue {
  tasks: PiscinaTask[] = []
  get size (): number { return this.tasks.length }
  shift (): PiscinaTask | null { return this.tasks.shift() ?? null }
  push (task: PiscinaTask): void { this.tasks.push(task) }
  remove (task: PiscinaTask): void { this.tasks.splice(this.tasks.indexOf(task), 1) }
}

export { Queue, missing, replaces }
