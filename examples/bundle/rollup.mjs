// Bundles a program with Rollup: node rollup.mjs <entry> <folder>

import commonjs from '@rollup/plugin-commonjs'
import json from '@rollup/plugin-json'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rollup } from 'rollup'
import { finish, outputs } from './inputs.mjs'

for (const { input, file, format } of outputs) {
  const bundle = await rollup({
    input,
    plugins: [nodeResolve({ exportConditions: ['node'] }), commonjs(), json()]
  })
  await bundle.write({ file, format, inlineDynamicImports: true })
}
finish()
