'use strict'

/** 3912345 → '3.91 M', 36123 → '36.1 k', 412.3 → '412': only three digits are significant. */
function short (number) {
  if (number >= 999_500) return `${digits(number / 1e6)} M`
  if (number >= 999.5) return `${digits(number / 1e3)} k`
  return digits(number)
}

function digits (number) {
  if (number >= 99.95) return String(Math.round(number))
  if (number >= 9.995) return number.toFixed(1)
  return number.toFixed(2)
}

function percent (share) {
  return `${(share * 100).toFixed(1)} %`
}

/** 103.2 → '103×', 1.08 → '1.08×', 0.03 → '1/33'. */
function ratio (value) {
  if (value >= 0.5) return `${digits(value)}×`
  return `1/${digits(1 / value)}`
}

function integer (number) {
  return number.toLocaleString('en-US')
}

function threadsText (threads) {
  if (threads === 'default') return 'default threads'
  return threads === 1 ? '1 thread' : `${threads} threads`
}

module.exports = { short, digits, percent, ratio, integer, threadsText }
