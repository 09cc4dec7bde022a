'use strict'

// The wire format, defined here only. A value is a sequence of 32-bit words in native byte order
// (both sides are threads of one process). The low 5 bits of its first word are a tag, the other
// 27 bits are the payload of the tag (a count, a length, a small integer). Bytes (strings, buffers,
// packed keys) are padded with zeros to whole words.
//
//   OBJECT      payload: number of properties; word: hash of the key block, 0 when it is not worth
//               caching; word: length of the values in words; the values; the key block
//               (key-block.js)
//   ARRAY       payload: length; the elements, holes as HOLE
//   ARRAY_PLUS  like ARRAY, then an OBJECT with the named properties
//   REF         payload: number of an object met before, in order of encounter
//   MEMORY      a SharedArrayBuffer: two words of its id, two of its length
//   SHARED      an object that lives in shared memory: the plain object that structured clone would
//               make of it
//   ERROR       payload: class and presence bits (error-fields.js)
//   ATTACHED_…  payload: index of an ArrayBuffer that is transferred beside the encoding
//   ESCAPE      reserved for later kinds of values, since the other 31 tags are in use; payload:
//               which kind
//
// A record of a channel begins with a value, or with one of two tags that no value has:
//
//   BYTES_RECORD  bytes that the sender wrote in place
//   NAMED_RECORD  payload: a number that the sender gave the record; word: the number of the
//                 sending thread; a value that names shared memory
//
// Both headers have eight bytes, so that what follows has the alignment of the record.
//
// The key block comes after the values because the keys of an object are certain only when its
// last accessor has run.

const TAG_BITS = 5

module.exports = {
  TAG_BITS,
  TAG_MASK: (1 << TAG_BITS) - 1,
  // Values whose length or count does not fit the payload are left to structured clone.
  MAX_PAYLOAD: 2 ** (32 - TAG_BITS) - 1,
  MIN_SMALL_INT: -(2 ** (31 - TAG_BITS)),
  MAX_SMALL_INT: 2 ** (31 - TAG_BITS) - 1,
  // Deeper values are left to structured clone: both sides of the codec recurse, and the decoding
  // thread may have a smaller stack than the encoding one.
  MAX_DEPTH: 400,
  ESCAPE: 0,
  UNDEFINED: 1,
  NULL: 2,
  FALSE: 3,
  TRUE: 4,
  HOLE: 5,
  SMALL_INT: 6,
  INT32: 7,
  DOUBLE: 8,
  BIGINT64: 9,
  BIGINT_HEX: 10,
  LATIN1: 11,
  UTF16: 12,
  REF: 13,
  OBJECT: 14,
  ARRAY: 15,
  ARRAY_PLUS: 16,
  DATE: 17,
  REGEXP: 18,
  MAP: 19,
  SET: 20,
  ARRAY_BUFFER: 21,
  VIEW: 22,
  BUFFER: 23,
  ERROR: 24,
  BOXED: 25,
  ATTACHED_ARRAY_BUFFER: 26,
  ATTACHED_BUFFER: 27,
  MEMORY: 28,
  SHARED: 29,
  BYTES_RECORD: 30,
  NAMED_RECORD: 31
}
