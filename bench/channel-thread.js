'use strict'

// One of the two threads of a trial of bench/channel.js. It sends messages, or receives and checks
// them, in one of several ways, until it is told to stop.

const { workerData } = require('node:worker_threads')
const { Channel, select, selectSync } = require('..')
const { values } = require('./channel-values')

const { driver, role, value: valueName, control, port } = workerData
const there = workerData.there && Channel.from(workerData.there)
const back = workerData.back && Channel.from(workerData.back)

// Words of `control`: whether to stop, the number of received messages (the receiver writes it),
// and the number of threads that are ready.
const kStop = 0
const kReceived = 16
const kReady = 32

// What select() is given: the channel, and one that stays empty.
const andEmpty = (channel) => [channel, new Channel({ capacity: 4096 })]

const isOver = () => Atomics.load(control, kStop) !== 0
const value = values[valueName]

// ---- streams ----

const list = value && Array.from({ length: value.batch }, value.make)
let number = 0

function nextBatch () {
  for (let i = 0; i < list.length; i++) list[i] = value.put(list[i], number++)
  return list
}

let received = 0

function check (message) {
  if (value.get(message) !== received || !value.isWhole(message)) {
    throw new Error(`message ${received} is wrong: ${message}`)
  }
  received++
}

const senders = {
  async batch () {
    while (!isOver()) await there.sendMany(nextBatch())
  },

  batchSync () {
    while (!isOver()) there.sendManySync(nextBatch())
  },

  async single () {
    while (!isOver()) {
      for (const message of nextBatch()) await there.send(message)
    }
  },

  select () {
    return senders.single()
  },

  async bytes () {
    while (!isOver()) {
      for (const message of nextBatch()) await there.sendBytes(message)
    }
  },

  // Sends in bursts, and never has more messages in flight than the receiver has asked for.
  port () {
    let credit = value.window
    const burst = () => {
      while (credit >= list.length) {
        for (const message of nextBatch()) port.postMessage(message)
        credit -= list.length
      }
    }
    port.on('message', (more) => {
      credit += more
      if (!isOver()) burst()
    })
    burst()
  }
}

function store () {
  Atomics.store(control, kReceived, received)
}

const receivers = {
  async batch () {
    for (let messages; (messages = await there.receiveMany(value.batch)).length > 0; store()) {
      messages.forEach(check)
    }
  },

  batchSync () {
    for (let messages; (messages = there.receiveManySync(value.batch)).length > 0; store()) {
      messages.forEach(check)
    }
  },

  async single () {
    for await (const message of there) {
      check(message)
      if (received % value.batch === 0) store()
    }
  },

  async select () {
    const channels = andEmpty(there)
    for (let result; !(result = await select(channels)).done;) {
      check(result.value)
      if (received % value.batch === 0) store()
    }
  },

  async bytes () {
    for (let claim; (claim = there.tryReceiveBytes() ?? await there.receiveBytes()) !== null;) {
      check(claim.bytes)
      claim.release()
      if (received % value.batch === 0) store()
    }
  },

  port () {
    const grant = value.window / 2
    port.on('message', (message) => {
      check(message)
      if (received % value.batch === 0) store()
      if (received % grant === 0) port.postMessage(grant)
    })
  }
}

// ---- round trips ----

const kTimes = 200_000
const times = new Float64Array(kTimes)

// Stores the median of the later half, in nanoseconds.
function report (count) {
  const sorted = times.slice(count >> 1, count).sort()
  control[kReceived] = sorted[sorted.length >> 1] * 1e6
}

function expect (message, sent) {
  if (message !== sent) throw new Error(`${message} came back for ${sent}`)
}

async function ask (receive) {
  let count = 0
  while (!isOver() && count < kTimes) {
    const begin = performance.now()
    await there.send(count)
    const { value } = await receive()
    times[count] = performance.now() - begin
    expect(value, count++)
  }
  report(count)
  await there.close()
}

async function askSync (receive) {
  let count = 0
  while (!isOver() && count < kTimes) {
    const begin = performance.now()
    there.sendSync(count)
    const { value } = receive()
    times[count] = performance.now() - begin
    expect(value, count++)
  }
  report(count)
  await there.close()
}

const askers = {
  single () {
    return ask(() => back.receive())
  },

  select () {
    const channels = andEmpty(back)
    return ask(() => select(channels))
  },

  sync () {
    return askSync(() => back.receiveSync())
  },

  selectSync () {
    const channels = andEmpty(back)
    return askSync(() => selectSync(channels))
  },

  port () {
    let count = 0
    let begin = performance.now()
    port.on('message', (message) => {
      const now = performance.now()
      times[count] = now - begin
      expect(message, count++)
      if (isOver() || count === kTimes) {
        report(count)
        return port.close()
      }
      begin = performance.now()
      port.postMessage(count)
    })
    port.postMessage(0)
  }
}

const answerers = {
  async single () {
    for await (const message of there) await back.send(message)
  },

  async select () {
    const channels = andEmpty(there)
    for (let result; !(result = await select(channels)).done;) await back.send(result.value)
  },

  sync () {
    for (let result; !(result = there.receiveSync()).done;) back.sendSync(result.value)
  },

  selectSync () {
    const channels = andEmpty(there)
    for (let result; !(result = selectSync(channels)).done;) back.sendSync(result.value)
  },

  port () {
    port.on('message', (message) => port.postMessage(message))
  }
}

// ---- waiting ----

const waiters = {
  single: () => there.receive(),
  sync: () => there.receiveSync(),
  port: () => port.on('message', () => {})
}

const roles = {
  sender: senders,
  receiver: receivers,
  asker: askers,
  answerer: answerers,
  waiter: waiters
}
Atomics.add(control, kReady, 1)
roles[role][driver]()
