'use strict'

// In a worker: results that are no native promises, but have a method `then`.

const { Promise, Reflect } = require('../base/globals')

const { apply } = Reflect

async function adopt (thenable, then) {
  await undefined // so that `then` is called in a job of its own
  return new Promise((resolve, reject) => apply(then, thenable, [resolve, reject]))
}

module.exports = { adopt }
