import telar from './index.js'

export default telar
export const {
  AbortError,
  ArrayTaskQueue,
  Barrier,
  Channel,
  Condition,
  Counter,
  FixedQueue,
  Latch,
  Mutex,
  Once,
  Pool,
  RwLock,
  Semaphore,
  TelarError,
  createSyncFn,
  currentTask,
  isWorkerThread,
  move,
  notify,
  queueOptionsSymbol,
  runAsWorker,
  select,
  selectSync,
  transferableSymbol,
  valueSymbol,
  version,
  wait,
  waitAsync,
  workerData
} = telar
