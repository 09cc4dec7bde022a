'use strict'

function median (numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Returns `{ median, min, max }`, or null if there are no numbers. */
function summary (numbers) {
  if (numbers.length === 0) return null
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) }
}

/** Combines several sets of figures into one: the median of each figure. */
function medianFigures (list) {
  const of = (key) => median(list.map((figures) => figures[key]))
  return Object.fromEntries(Object.keys(list[0]).map((key) => [key, of(key)]))
}

module.exports = { median, summary, medianFigures }
