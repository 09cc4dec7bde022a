'use strict'

// Buffers of this many bytes or more are copied into an ArrayBuffer that is then transferred to the
// receiver: one copy instead of two. For smaller ones the message costs more than a copy.
const kAttachBytes = 512 * 1024

module.exports = { kAttachBytes }
