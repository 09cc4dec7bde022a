#!/usr/bin/env node
// The command of the installed package: `npx telar build`.

import { advice, build } from './build.mjs'
import { main } from './command.mjs'

const [command, ...flags] = process.argv.slice(2)
const unknown = flags.find((flag) => flag !== '--debug')

if (command !== 'build' || unknown !== undefined) {
  if (unknown !== undefined) process.stderr.write(`telar: ${unknown} is not a known flag\n`)
  process.stderr.write('Usage: telar build [--debug]\n\n' +
    'Compiles the native library for this machine.\n')
  process.exitCode = 2
} else {
  await main(() => build({ isDebug: flags.includes('--debug'), isLoud: true }), advice)
}
