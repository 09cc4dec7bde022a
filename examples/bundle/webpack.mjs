// Bundles a program with webpack: node webpack.mjs <entry> <folder>

import { basename } from 'node:path'
import { promisify } from 'node:util'
import webpack from 'webpack'
import { finish, folder, outputs } from './inputs.mjs'

const configurations = outputs.map(({ input, file, format }) => ({
  entry: input,
  target: 'node20',
  mode: 'production',
  optimization: { minimize: false },
  // Files of tasks keep their names, so their URLs are left as they are.
  module: { parser: { javascript: { url: false, importMeta: format === 'cjs' } } },
  experiments: { outputModule: true },
  output: {
    path: folder,
    filename: basename(file),
    module: format === 'esm',
    library: { type: format === 'esm' ? 'module' : 'commonjs2' },
    chunkFormat: format === 'esm' ? 'module' : 'commonjs'
  }
}))

const stats = await promisify(webpack)(configurations)
if (stats.hasErrors() || stats.hasWarnings()) {
  process.stderr.write(`${stats.toString('errors-warnings')}\n`)
  process.exitCode = stats.hasErrors() ? 1 : 0
}
finish()
