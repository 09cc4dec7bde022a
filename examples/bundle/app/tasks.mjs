import { Channel, isWorkerThread } from 'telar'

export default (n) => ({ double: n * 2, isWorkerThread, hasChannels: Channel !== undefined })
