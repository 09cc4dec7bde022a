'use strict'

// What a task's file can learn about where it runs. Set once, by main.js,
// before any file of the user's is loaded.
module.exports = { isWorkerThread: false, workerData: undefined }
