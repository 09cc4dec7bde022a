'use strict'

/** Watches the event loop. The function it returns stops that and gives the longest turn, in ms. */
function watchLoop () {
  let last = performance.now()
  let longest = 0
  let isWatching = true
  const look = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (isWatching) setImmediate(look)
  }
  setImmediate(look)
  return () => {
    isWatching = false
    return longest
  }
}

module.exports = { watchLoop }
