// Copies the tables of bench/results into the README, between its two marks:
//
//   npm run bench:readme
//
// The report of the first version of Node is shown, the others are folded; those
// that were not measured are left out.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { CommandError, main } from './command.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const majors = [20, 24]
const folder = 'bench/results'
const marks = ['<!-- bench -->', '<!-- /bench -->']

const advice = `Measure first, on each of these versions of Node:
${majors.map((major) => `  npm run bench -- --node <path of node ${major}>`).join('\n')}`

// One report as a part of the README: two levels deeper, its links as seen from here.
function embed (report) {
  return report.trim()
    .replace(/^#+ /gm, (marks) => `##${marks}`)
    .replace(/\]\((?![a-z]+:|[/#])/g, `](${folder}/`)
}

function fold (report) {
  const [heading, ...rest] = embed(report).split('\n')
  return `<details>\n<summary>${heading.replace(/^#+ /, '')}</summary>\n\n${rest.join('\n').trim()}\n\n</details>`
}

// The README with those reports, the first one shown, in place of what was there.
export function withReports (readme, [first, ...others]) {
  const [begin, end] = marks.map((mark) => readme.indexOf(mark))
  if (begin < 0 || end < begin) throw new CommandError(`README.md must hold the marks ${marks.join(' and ')}, in this order`)
  const parts = [embed(first), ...others.map(fold)]
  return `${readme.slice(0, begin + marks[0].length)}\n\n${parts.join('\n\n')}\n\n${readme.slice(end)}`
}

const fileOf = (major) => join(folder, `node${major}.md`)

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(() => {
    const measured = majors.filter((major) => existsSync(join(root, fileOf(major))))
    if (measured.length === 0) throw new CommandError(`None of ${majors.map(fileOf).join(', ')} exists.`)
    const file = join(root, 'README.md')
    const reports = measured.map((major) => readFileSync(join(root, fileOf(major)), 'utf8'))
    writeFileSync(file, withReports(readFileSync(file, 'utf8'), reports))
    process.stdout.write(`README.md: the results on Node ${measured.join(' and ')}\n`)
  }, advice)
}
