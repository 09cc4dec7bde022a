'use strict'

// What a thread has of a channel it uses. It outlives the Channel object: a worker
// whose task has returned, and whose objects have been collected, is still there to get
// the channel again with the next task, and must not look to the others as if it were gone.
// So an end goes with its thread, with detach(), or when the channel is over.

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

  // Nothing can come through it any more.
  get isOver () {
    const { ring, receivers } = this
    return !ring.isOpen && (ring.isAborted || (ring.stats.size === 0 && !receivers.hasStash))
  }
}

// The ends of this thread, by the ring's id.
const ends = new Map()
// Those whose Channel has been collected while the ring was open.
const orphans = new Set()
const collected = new FinalizationRegistry((id) => {
  if (ends.has(id)) orphans.add(id)
  sweep()
})

function openEnd (id, memory) {
  if (orphans.size > 0) {
    orphans.delete(id)
    sweep()
  }
  let end = ends.get(id)
  if (end === undefined) ends.set(id, end = new End(id, memory))
  return end
}

// When nobody holds `channel` any more, its end is kept only as long as it may be wanted again.
function keepEnd (channel, id) {
  ends.get(id).ring.channel = channel
  collected.register(channel, id)
}

function dropEnd (id) {
  const end = ends.get(id)
  if (end === undefined) return
  ends.delete(id)
  end.senders.giveUpAll()
  end.receivers.giveUpAll()
  end.ring.detach()
}

function sweep () {
  for (const id of orphans) {
    const end = ends.get(id)
    if (end !== undefined && end.ring.isAttached && !end.isOver) continue
    orphans.delete(id)
    dropEnd(id)
  }
}

module.exports = { dropEnd, keepEnd, openEnd }
