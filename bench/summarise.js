'use strict'

// From the raw trials of a run to the rows of its table. Pure: results in, rows out.
//
// results = { machine, libraries, settings, groups: [{ task, threads, drivers, rounds }] }
// where a round is { [driver]: figures }, and figures may be { failed } or
// { ended, completed, expected }.

const { short, digits, percent, ratio, integer } = require('./format')
const { summary } = require('./stats')
const { tasks } = require('./tasks')

const SECTIONS = [
  {
    title: 'Throughput, tasks per second',
    metrics: { throughput: { kind: 'flow', format: short, name: 'throughput' } }
  },
  {
    title: 'Latency of tasks awaited one at a time, median, µs',
    metrics: { p50: { kind: 'flow', format: digits, name: 'median latency' } }
  },
  {
    title: 'Latency of tasks awaited one at a time, 99th percentile, µs',
    metrics: { p99: { kind: 'flow', format: digits, name: '99th percentile' } },
    // Nothing is held against it; the terminal has enough to show.
    onlyWritten: true
  },
  {
    title: 'Share of the worker\'s time that is the work asked for',
    metrics: { share: { kind: 'share', format: percent, name: 'share of work' } }
  },
  {
    title: 'Whole jobs',
    metrics: {
      seconds: { kind: 'roots', format: digits, unit: 's' },
      megabytes: {
        kind: 'roots',
        format: digits,
        unit: 'MB',
        detail: 'MB of peak resident memory'
      },
      milliseconds: { kind: 'first', format: digits, unit: 'ms' },
      cpuMilliseconds: { kind: 'idle', format: digits, unit: 'ms', detail: 'ms of CPU' }
    }
  }
]

const SUBJECT = 'telar'
const BASELINE = 'piscina'

/** What one driver reached in a metric: its figures, or a note on why there are none. */
function cell (group, driver, metric) {
  const figures = group.rounds.map((round) => round[driver]).filter(Boolean)
  const spread = summary(figures.map((f) => f[metric]).filter((value) => value !== undefined))
  const failure = figures.find((f) => f.failed !== undefined)
  if (failure !== undefined) return { ...spread, note: `a trial failed: ${failure.failed}` }
  const unfinished = figures.find((f) => f.ended !== undefined)
  if (unfinished !== undefined) {
    const { completed, expected, ended } = unfinished
    const reached = `${integer(completed)} of ${integer(expected)} results`
    return { ...spread, note: `${reached}, then ${ended}` }
  }
  return spread
}

/** telar's figure over a rival's, round by round: both were measured within the same minute. */
function roundRatios (group, rival, metric) {
  const ratios = []
  for (const round of group.rounds) {
    const ours = round[SUBJECT]?.[metric]
    const theirs = round[rival]?.[metric]
    if (ours !== undefined && theirs !== undefined) ratios.push(ours / theirs)
  }
  return summary(ratios)
}

/** '≥ 100×', '≤ 1/15', '≤ 10 s': a bound is exact, so it sheds the zeros after the point. */
function targetText ({ against, atLeast, atMost }, format, unit = '') {
  const sign = atLeast === undefined ? '≤' : '≥'
  const bound = (against === undefined ? format : ratio)(atLeast ?? atMost)
    .replace(/\.0+(?=\D|$)/, '')
  return `${sign} ${bound} ${against === undefined ? unit : ''}`.trim()
}

function isMet ({ atLeast, atMost }, value) {
  return atLeast === undefined ? value <= atMost : value >= atLeast
}

function row (group, task, metric, { format, name, unit, detail = unit }) {
  const target = task.targets.find((candidate) => candidate.metric === metric)
  const rival = target?.against ?? BASELINE
  const entries = group.drivers.map((driver) => [driver, cell(group, driver, metric)])
  const cells = Object.fromEntries(entries)
  const versus = roundRatios(group, rival, metric)
  const judged = target?.against === undefined ? cells[SUBJECT] : versus
  return {
    task: task.id,
    title: detail === undefined ? task.title : `${task.title}, ${detail}`,
    // Names the row where no heading above it does.
    fullTitle: [task.title, name ?? detail].join(', '),
    threads: group.threads,
    format,
    cells,
    rival,
    versus,
    isRatio: target?.against !== undefined,
    target: target === undefined ? null : targetText(target, format, unit),
    met: target === undefined ? null : verdict(target, cells[SUBJECT], judged)
  }
}

/** true, false, or null where nothing was measured that could be held against the target. */
function verdict (target, ours, judged) {
  // A trial that failed or did not finish is no way to meet a target, whatever the others gave.
  if (ours?.note !== undefined) return false
  if (judged?.median === undefined) return null
  return isMet(target, judged.median)
}

function summarise (results) {
  const sections = []
  for (const { metrics, ...section } of SECTIONS) {
    const rows = []
    for (const group of results.groups) {
      const task = tasks.find(({ id }) => id === group.task)
      for (const [metric, look] of Object.entries(metrics)) {
        if (look.kind === task.kind) rows.push(row(group, task, metric, look))
      }
    }
    if (rows.length > 0) sections.push({ ...section, rows })
  }
  return sections
}

/** telar's throughput over that of each rival, one row for each task and number of threads. */
function againstEach (results) {
  return results.groups
    .filter((group) => group.rounds.some((round) => round[SUBJECT]?.throughput !== undefined))
    .map((group) => ({
      title: tasks.find(({ id }) => id === group.task).title,
      threads: group.threads,
      rivals: Object.fromEntries(group.drivers
        .filter((driver) => driver !== SUBJECT)
        .map((driver) => [driver, roundRatios(group, driver, 'throughput')]))
    }))
}

module.exports = { summarise, againstEach, SUBJECT }
