'use strict'

// Buffers from here on are copied into memory that then becomes the receiver's own:
// one copy instead of two. For smaller ones the message costs more than a copy.
const kAttachBytes = 512 * 1024

module.exports = { kAttachBytes }
