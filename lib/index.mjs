import telar from './index.js'

export default telar
export const {
  AbortError,
  ArrayTaskQueue,
  FixedQueue,
  Pool,
  TelarError,
  isWorkerThread,
  move,
  queueOptionsSymbol,
  transferableSymbol,
  valueSymbol,
  version,
  workerData
} = telar
