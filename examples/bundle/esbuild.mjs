// Bundles a program with esbuild: node esbuild.mjs <entry> <folder>

import { build } from 'esbuild'
import { finish, outputs } from './inputs.mjs'

// CommonJS code in an ES module needs a `require`, whatever package it is from.
const require = "import { createRequire } from 'node:module'; " +
  'const require = createRequire(import.meta.url);'

for (const { input, file, format } of outputs) {
  await build({
    entryPoints: [input],
    outfile: file,
    format,
    bundle: true,
    platform: 'node',
    banner: format === 'esm' ? { js: require } : {}
  })
}
finish()
