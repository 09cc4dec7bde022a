// Writes six rows of the benchmarks into the README, between its two marks, with the machine and
// how many rows meet their target:
//
//   npm run bench:readme
//
// The full tables stay in bench/results.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { CommandError, main } from './command.mjs'

const require = createRequire(import.meta.url)
const { ratio } = require('../bench/format')
const { machineLine } = require('../bench/machine')
const { summarise } = require('../bench/summarise')

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const majors = [20, 24]
const folder = 'bench/results'
const marks = ['<!-- bench -->', '<!-- /bench -->']

// The rows that are shown, by the title of their section and their task.
const shown = [
  ['Throughput', 'integer', 1],
  ['Throughput', 'object', 1],
  ['Throughput', 'bytes-1k', 1],
  ['Throughput', 'string-64k', 1],
  ['Latency', 'integer', 1],
  ['Share', 'work-10', 1]
]
const units = {
  Throughput: 'tasks/s',
  Latency: 'median µs, awaited one at a time',
  Share: "of the worker's time"
}

const advice = `Measure first, on each of these versions of Node:
${majors.map((major) => `  npm run bench -- --node <path of node ${major}>`).join('\n')}`

// The rival whose figure is best, telar and Piscina aside.
function bestOther ({ cells }, isLessBetter) {
  const others = Object.entries(cells)
    .filter(([driver, { median }]) =>
      !['telar', 'piscina', 'handwritten'].includes(driver) && median !== undefined)
    .sort(([, a], [, b]) => isLessBetter ? a.median - b.median : b.median - a.median)
  return others[0]
}

function tableRow (sections, [title, task, threads]) {
  const section = sections.find((candidate) => candidate.title.startsWith(title))
  const row = section?.rows.find((candidate) =>
    candidate.task === task && candidate.threads === threads)
  if (row === undefined) {
    throw new CommandError(`The results have no row "${title}", ${task}, ${threads}`)
  }
  const [rival, figure] = bestOther(row, title === 'Latency') ?? []
  const other = rival === undefined ? '' : `${row.format(figure.median)} (${rival})`
  const { telar, piscina } = row.cells
  const cells = [
    `${row.title}, ${units[title]}`, row.format(telar.median), row.format(piscina.median), other,
    ratio(row.versus.median)
  ]
  return `| ${cells.join(' | ')} |`
}

function summaryOf (major, results) {
  const judged = summarise(results).flatMap(({ rows }) => rows).filter(({ met }) => met !== null)
  const met = judged.filter((row) => row.met).length
  return `[All rows on Node ${major}](${folder}/node${major}.md): ` +
    `${met} of ${judged.length} targets are met, and the others are marked there.`
}

// What stands between the marks. `reports`: [major, results], the first one shown as a table.
export function benchSection (reports) {
  const [[, results]] = reports
  const sections = summarise(results)
  return [
    `Measured by \`npm run bench\` on ${machineLine(results.machine)}; ` +
      '1 worker, medians, the pools in turns:',
    [
      '| | telar | Piscina | best other pool | telar / Piscina |',
      '| --- | ---: | ---: | ---: | ---: |',
      ...shown.map((row) => tableRow(sections, row))
    ].join('\n'),
    ...reports.map(([major, results]) => summaryOf(major, results))
  ].join('\n\n')
}

// The README with that text in place of what was between its marks.
export function withSection (readme, text) {
  const [begin, end] = marks.map((mark) => readme.indexOf(mark))
  if (begin < 0 || end < begin) {
    throw new CommandError(`README.md must hold the marks ${marks.join(' and ')}, in this order`)
  }
  return `${readme.slice(0, begin + marks[0].length)}\n\n${text}\n\n${readme.slice(end)}`
}

const fileOf = (major) => join(folder, `node${major}.json`)

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(() => {
    const measured = majors.filter((major) => existsSync(join(root, fileOf(major))))
    if (measured.length === 0) {
      throw new CommandError(`None of ${majors.map(fileOf).join(', ')} exists.`)
    }
    const reports = measured.map((major) =>
      [major, JSON.parse(readFileSync(join(root, fileOf(major)), 'utf8'))])
    const file = join(root, 'README.md')
    writeFileSync(file, withSection(readFileSync(file, 'utf8'), benchSection(reports)))
    process.stdout.write(`README.md: the results on Node ${measured.join(' and ')}\n`)
  }, advice)
}
