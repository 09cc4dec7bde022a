'use strict'

// What telar tells the file of a task about the thread it runs in. Set once by main.js, before any
// user code is loaded.
module.exports = { isWorkerThread: false, workerData: undefined }
