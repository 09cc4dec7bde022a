'use strict'

// The end of this thread in each channel that it uses. An end outlives its Channel object. When the
// task of a worker has returned, the Channel may be collected, but the worker may get the same
// channel again with its next task, and the other threads must not take it for gone in between. So
// an end is dropped when its thread ends, by detach(), or when the channel is over.

const { FinalizationRegistry, Map, Set, Uint8Array } = require('../base/globals')
const { Receivers } = require('./receivers')
const { Ring } = require('./ring')
const { Senders } = require('./senders')

class End {
  ring
  senders
  receivers

  constructor (id, memory) {
    this.ring = new Ring(id, new Uint8Array(memory))
    this.senders = new Senders(this.ring)
    this.receivers = new Receivers(this.ring)
  }

  // Whether nothing can be sent or received any more.
  get isOver () {
    const { ring, receivers } = this
    return !ring.isOpen && (ring.isAborted || (ring.stats.size === 0 && !receivers.hasStash))
  }
}

// The ends of this thread, by the id of the channel.
const ends = new Map()
// The ids of the ends whose Channel has been collected.
const orphans = new Set()
const collected = new FinalizationRegistry((id) => {
  if (ends.has(id)) orphans.add(id)
  dropUnusedOrphans()
})

function openEnd (id, memory) {
  if (orphans.size > 0) {
    orphans.delete(id)
    dropUnusedOrphans()
  }
  let end = ends.get(id)
  if (end === undefined) ends.set(id, end = new End(id, memory))
  return end
}

// Once `channel` has been collected, its end is kept only while it may be needed again.
function bindChannel (channel, id) {
  ends.get(id).ring.channel = channel
  collected.register(channel, id)
}

function dropEnd (id) {
  const end = ends.get(id)
  if (end === undefined) return
  ends.delete(id)
  end.senders.abortAll()
  end.receivers.abortAll()
  end.ring.detach()
}

// Drops the orphans that have not been attached, or whose channel is over.
function dropUnusedOrphans () {
  for (const id of orphans) {
    const end = ends.get(id)
    if (end !== undefined && end.ring.isAttached && !end.isOver) continue
    orphans.delete(id)
    dropEnd(id)
  }
}

module.exports = { bindChannel, dropEnd, openEnd }
