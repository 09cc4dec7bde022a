'use strict'

// The names of functions that are not the export of a task file as it is. They stand in the
// function table with a filename that no user can give (pool/filename.js).

// A function given in place: then comes what messages show of it, a line feed, and JSON.
const kFunction = 'telar:function '
// An export that is called in another way: the way, and the file.
const kExport = /^telar:(\w+) /
const exportCalled = (way, filename) => `telar:${way} ${filename}`
// Instead of the name of an export: what the file has given to runAsWorker().
const kRunAsWorker = 'runAsWorker()'

module.exports = { exportCalled, kExport, kFunction, kRunAsWorker }
