// The same declarations, seen from an ES module.

import { EventEmitterAsyncResource } from 'node:events'
import { Pool, move } from 'telar'
import { library, worker } from 'telar/files'
import DefaultPiscina, {
  ArrayTaskQueue,
  FixedQueue,
  Piscina,
  isWorkerThread,
  move as piscinaMove,
  queueOptionsSymbol,
  transferableSymbol,
  valueSymbol,
  version,
  workerData
} from 'telar/piscina'

const files: string[] = [library, worker]

const pool = new Pool<number, number>({ filename: new URL('./worker.mjs', 'file:///') })
const doubled: number = await pool.run(1)

const piscina: EventEmitterAsyncResource = new DefaultPiscina<string, number>()
const isSame: typeof DefaultPiscina = Piscina
const name: string = version
const flag: boolean = isWorkerThread
const queues = [new ArrayTaskQueue(), new FixedQueue()]
const symbols: symbol[] = [queueOptionsSymbol, transferableSymbol, valueSymbol]

export {
  doubled, flag, isSame, move, name, pool, piscina, piscinaMove, queues, symbols, workerData
}
