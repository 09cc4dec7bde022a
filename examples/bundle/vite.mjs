// Bundles a program with Vite, for the server: node vite.mjs <entry> <folder>

import { basename, dirname } from 'node:path'
import { build } from 'vite'
import { entry, finish, folder, outputs } from './inputs.mjs'

for (const { input, file, format } of outputs) {
  await build({
    root: dirname(entry),
    configFile: false,
    logLevel: 'warn',
    ssr: { noExternal: true },
    build: {
      ssr: input,
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      rollupOptions: { output: { format, entryFileNames: basename(file) } }
    }
  })
}
finish()
