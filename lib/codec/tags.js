'use strict'

// The wire format, defined here only. A value is a sequence of 32-bit words in native byte order
// (both sides are threads of one process). The low 5 bits of its first word are a tag, the other
// 27 bits are the payload of the tag (a count, a length, a small integer). Bytes (strings, buffers,
// packed keys) are padded with zeros to whole words.
//
//   kObject      payload: number of properties; word: hash of the key block, 0 when it is not worth
//                caching; word: length of the values in words; the values; the key block
//                (key-block.js)
//   kArray       payload: length; the elements, holes as kHole
//   kArrayPlus   like kArray, then a kObject with the named properties
//   kRef         payload: number of an object met before, in order of encounter
//   kMemory      a SharedArrayBuffer. Payload 0: two words of its id, two of its length. Payload 1:
//                a number, its name, also for a WebAssembly.Module
//   kShared      an object that lives in shared memory: the plain object that structured clone
//                would make of it
//   kError       payload: class and presence bits (error-fields.js)
//   kAttached…   payload: index of an ArrayBuffer that is transferred beside the encoding
//   kEscape      further kinds, since the other 31 tags are in use. The low 4 bits of the payload
//                are the kind, which is never 0:
//     kTextRun     several elements of an array, all strings (text-run.js)
//
// A record of a channel begins with a value, or with one of two tags that no value has:
//
//   kBytesRecord  bytes that the sender wrote in place
//   kNamedRecord  payload: a number that the sender gave the record; word: the number of the
//                 sending thread; a value that names shared memory
//
// Both headers have eight bytes, so that what follows has the alignment of the record.
//
// The key block comes after the values because the keys of an object are certain only when its
// last accessor has run.

const kTagBits = 5
const kKindBits = 4

module.exports = {
  kTagBits,
  kTagMask: (1 << kTagBits) - 1,
  // Of the payload of kEscape.
  kKindBits,
  kKindMask: (1 << kKindBits) - 1,
  // Values whose length or count does not fit the payload are left to structured clone.
  kMaxPayload: 2 ** (32 - kTagBits) - 1,
  kMinSmallInt: -(2 ** (31 - kTagBits)),
  kMaxSmallInt: 2 ** (31 - kTagBits) - 1,
  // Deeper values are left to structured clone: both sides of the codec recurse, and the decoding
  // thread may have a smaller stack than the encoding one.
  kMaxDepth: 400,
  kEscape: 0,
  kUndefined: 1,
  kNull: 2,
  kFalse: 3,
  kTrue: 4,
  kHole: 5,
  kSmallInt: 6,
  kInt32: 7,
  kDouble: 8,
  kBigInt64: 9,
  kBigIntHex: 10,
  kLatin1: 11,
  kUtf16: 12,
  kRef: 13,
  kObject: 14,
  kArray: 15,
  kArrayPlus: 16,
  kDate: 17,
  kRegExp: 18,
  kMap: 19,
  kSet: 20,
  kArrayBuffer: 21,
  kView: 22,
  kBuffer: 23,
  kError: 24,
  kBoxed: 25,
  kAttachedArrayBuffer: 26,
  kAttachedBuffer: 27,
  kMemory: 28,
  kShared: 29,
  kBytesRecord: 30,
  kNamedRecord: 31,
  kinds: { kTextRun: 1 },
  // Payloads of kMemory.
  memories: { kById: 0, kByName: 1 }
}
