'use strict'

// Describes the machine and the version of Node. Run as a program, this file prints the description
// as JSON. run.js runs it with the Node binary under test, which may differ from its own.

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
    // If this is much above 0, other processes were running.
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
