'use strict'

// Formats the rows of a run as tables: in color for the terminal, in Markdown for the repository.

const Table = require('cli-table3')
const color = require('picocolors')

const { drivers } = require('./drivers')
const { ratio, threadsText } = require('./format')
const { machineLine } = require('./machine')
const { summarise, againstEach, SUBJECT } = require('./summarise')

const NOTHING = '–'

function title (driver) {
  return drivers[driver].title
}

/** Returns the drivers that occur in any of the rows, in the order of the run. */
function columnsOf (rows) {
  return [...new Set(rows.flatMap((row) => Object.keys(row.cells)))]
}

function verdict ({ met }) {
  if (met === null) return ''
  return met ? 'yes' : 'NO'
}

/** Numbers the notes of a table, so that its cells stay narrow. */
class Footnotes {
  #notes = []

  mark (note) {
    let at = this.#notes.indexOf(note)
    if (at === -1) at = this.#notes.push(note) - 1
    return `[${at + 1}]`
  }

  get lines () {
    return this.#notes.map((note, i) => `[${i + 1}] ${note}`)
  }
}

/** The second line of a cell on the terminal, dimmer than the first. */
function below (text) {
  return `\n${color.dim(text)}`
}

function belowMarkdown (text) {
  return `<br>${text}`
}

function cellText (cell, driver, format, notes, second) {
  if (cell == null) return NOTHING
  const mark = cell.note === undefined ? '' : notes.mark(`${title(driver)}: ${cell.note}`)
  if (cell.median === undefined) return mark
  const spread = cell.min === cell.max ? '' : second(`${format(cell.min)} – ${format(cell.max)}`)
  return `${format(cell.median)} ${mark}`.trim() + spread
}

function ratioText (versus, second) {
  if (versus === null) return NOTHING
  const spread = versus.min === versus.max
    ? ''
    : second(`${ratio(versus.min)} – ${ratio(versus.max)}`)
  return ratio(versus.median) + spread
}

/** If all rows compare telar with the same driver, the head of the table names that driver. */
function ratioHead (rows) {
  const rivals = new Set(rows.map((row) => row.rival))
  return `${title(SUBJECT)} / ${rivals.size === 1 ? title(rows[0].rival) : 'rival'}`
}

function ratioCell (row, rows, second) {
  const text = ratioText(row.versus, second)
  const isNamed = ratioHead(rows).endsWith('rival') && row.versus !== null
  return isNamed ? text + second(`of ${title(row.rival)}`) : text
}

// ---- terminal

function terminalTable ({ title: heading, rows }) {
  const columns = columnsOf(rows)
  const notes = new Footnotes()
  const table = new Table({
    head: ['', 'threads', ...columns.map(title), ratioHead(rows), 'target', 'met'].map(color.bold),
    colAligns: ['left', 'right', ...columns.map(() => 'right'), 'right', 'right', 'left'],
    // The library's own colors ignore NO_COLOR, and appear in pipes too.
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' }
  })
  for (const row of rows) {
    const paint = row.met === false ? color.red : row.met ? color.green : (text) => text
    table.push([
      paint(row.title),
      row.threads,
      ...columns.map((driver) => cellText(row.cells[driver], driver, row.format, notes, below)),
      paint(ratioCell(row, rows, below)),
      row.target ?? '',
      paint(verdict(row))
    ])
  }
  return [color.bold(heading), table.toString(), ...notes.lines].join('\n')
}

function terminalReport (results) {
  const sections = summarise(results)
  const rows = sections.flatMap((section) => section.rows)
  const short = rows.filter((row) => row.met === false)
  const judged = rows.filter((row) => row.met !== null)
  const closing = []
  if (judged.length > 0) {
    closing.push(`${judged.length - short.length} of ${judged.length} targets met.`)
  }
  if (short.length > 0) {
    closing.push(color.red('These fall short:'))
    for (const row of short) {
      const what = `${row.fullTitle}, ${threadsText(row.threads)}`
      closing.push(`  ${what}: ${judgedText(row)}, target ${row.target}`)
    }
  }
  const tables = sections.filter((section) => !section.onlyWritten).map(terminalTable)
  return [...tables, closing.join('\n')].join('\n\n')
}

function judgedText (row) {
  const ours = row.cells[SUBJECT]
  if (ours.note !== undefined) return ours.note
  return row.isRatio
    ? `${ratio(row.versus.median)} of ${title(row.rival)}`
    : row.format(ours.median)
}

// ---- Markdown

async function markdownReport (results, { plot, command }) {
  const { markdownTable } = await import('markdown-table')
  const parts = [
    `# Results on Node ${results.machine.node.slice(1).split('.')[0]}`,
    settingsText(results),
    `Reproduce with \`${command}\`.`,
    `![Throughput and latency of the drivers, logarithmic](${plot})`
  ]
  for (const { title: heading, rows } of summarise(results)) {
    const columns = columnsOf(rows)
    const notes = new Footnotes()
    const body = rows.map((row) => [
      row.title,
      String(row.threads),
      ...columns.map((driver) =>
        cellText(row.cells[driver], driver, row.format, notes, belowMarkdown)),
      ratioCell(row, rows, belowMarkdown),
      row.target ?? '',
      row.met === false ? '**NO**' : verdict(row)
    ])
    parts.push(`## ${heading}`, markdownTable(
      [['', 'threads', ...columns.map(title), ratioHead(rows), 'target', 'met'], ...body],
      {
        align: ['l', 'r', ...columns.map(() => 'r'), 'r', 'r', 'l'],
        stringLength: (text) => [...text].length
      }
    ))
    if (notes.lines.length > 0) parts.push(notes.lines.join('  \n'))
  }

  const versus = againstEach(results)
  if (versus.length > 0) {
    const rivals = [...new Set(versus.flatMap((row) => Object.keys(row.rivals)))]
    parts.push(`## ${title(SUBJECT)}'s throughput over that of each rival`, markdownTable([
      ['', 'threads', ...rivals.map(title)],
      ...versus.map((row) => [
        row.title,
        String(row.threads),
        ...rivals.map((rival) => ratioText(row.rivals[rival] ?? null, belowMarkdown))
      ])
    ], { align: ['l', 'r', ...rivals.map(() => 'r')], stringLength: (text) => [...text].length }))
  }
  return parts.join('\n\n') + '\n'
}

function settingsText ({ machine, libraries, settings, groups }) {
  const versions = Object.entries(libraries)
    .filter(([, version]) => version !== null)
    .map(([driver, version]) => `${title(driver)} ${version}`)
  const fewer = groups
    .filter(({ rounds }) => rounds.length < settings.trials)
    .map(({ task, rounds }) => `${task}: ${rounds.length}`)
  const trials = [settings.trials, fewer.length === 0 ? '' : ` (${fewer.join(', ')})`].join('')
  return [
    `Machine: ${machineLine(machine)}. Load average before the run: ${machine.loadAverage}.`,
    `Libraries: ${versions.join(', ')}.`,
    `Each figure is the median of ${trials} trials, below it the smallest and the largest, ` +
      'each trial a process of its own, the drivers taking turns. ' +
      'A ratio is taken within each round of turns, and the median of those is shown.'
  ].join('\n\n')
}

module.exports = { terminalReport, markdownReport }
