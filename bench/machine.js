'use strict'

// What the figures were measured on. Run as a program, this file prints it as JSON: so run.js asks
// the Node binary under test, which need not be the one that run.js runs on.

const os = require('node:os')

function describeMachine () {
  const cpus = os.cpus()
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    usable: os.availableParallelism(),
    memoryGigabytes: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.type()} ${os.release()}`,
    arch: os.arch(),
    node: process.version,
    v8: process.versions.v8,
    // Anything much above 0 means that something else was running.
    loadAverage: Number(os.loadavg()[0].toFixed(2))
  }
}

function machineLine (machine) {
  const cores = machine.usable === machine.cores
    ? `${machine.cores} cores`
    : `${machine.usable} of ${machine.cores} cores`
  return `${machine.cpu}, ${cores}, ${machine.memoryGigabytes} GB, ` +
    `${machine.os} ${machine.arch}, Node ${machine.node} (V8 ${machine.v8})`
}

if (require.main === module) console.log(JSON.stringify(describeMachine()))

module.exports = { describeMachine, machineLine }
