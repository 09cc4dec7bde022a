// The types of telar/files, for build scripts. docs/bundlers.md says how to use it.

/** The native library for this machine. A bundle needs a copy of it, named `telar.node`. */
export const library: string
/** The file that the workers of a pool run. A bundle needs it as an entry, named `telar-worker`. */
export const worker: string
