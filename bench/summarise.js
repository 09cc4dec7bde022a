'use strict'

// Turns the raw trials of a run into the rows of its tables. These functions are pure.
//
// results = { machine, libraries, settings, groups: [{ task, threads, drivers, rounds }] }
// A round is { [driver]: figures }. The figures of a trial that failed are { failed }, those of a
// trial that did not finish are { ended, completed, expected }.

const { short, digits, percent, ratio, integer } = require('./format')
const { summary } = require('./stats')
const { tasks } = require('./tasks')

const SECTIONS = [
  {
    title: 'Throughput, tasks per second',
    metrics: { throughput: { kind: 'flow', format: short, name: 'throughput' } }
  },
  {
    title: 'Calls that block, per second',
    metrics: { calls: { kind: 'sync', format: short, name: 'blocking calls' } }
  },
  {
    title: 'Latency of tasks awaited one at a time, median, µs',
    metrics: { p50: { kind: 'flow', format: digits, name: 'median latency' } }
  },
  {
    title: 'Latency of tasks awaited one at a time, 99th percentile, µs',
    metrics: { p99: { kind: 'flow', format: digits, name: '99th percentile' } },
    // The terminal shows enough without the figures that have no target.
    onlyWritten: true
  },
  {
    title: 'CPU time of all threads for each task, µs',
    metrics: { cpuPerTask: { kind: 'flow', format: digits, name: 'CPU time' } },
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
      rested: { kind: 'rested', format: digits, unit: 'µs' },
      readyMilliseconds: { kind: 'startup', format: digits, unit: 'ms' },
      blockedMilliseconds: {
        kind: 'startup',
        format: digits,
        unit: 'ms',
        detail: "ms of the owner's longest turn"
      },
      cpuMilliseconds: { kind: 'idle', format: digits, unit: 'ms', detail: 'ms of CPU' }
    }
  }
]

const SUBJECT = 'telar'
const BASELINE = 'piscina'

/** Returns one driver's figures for a metric, with a note if a trial failed or did not finish. */
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

/** Divides telar's figure by a rival's, round by round: both were measured within a minute. */
function roundRatios (group, rival, metric) {
  const ratios = []
  for (const round of group.rounds) {
    const ours = round[SUBJECT]?.[metric]
    const theirs = round[rival]?.[metric]
    if (ours !== undefined && theirs !== undefined) ratios.push(ours / theirs)
  }
  return summary(ratios)
}

/** '≥ 100×', '≤ 1/15', '≤ 10 s'. A target is exact, so zeros after the point are removed. */
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
    // For places where the row stands without the heading of its table.
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

/** Returns whether the target is met, or null if nothing was measured that could be compared. */
function verdict (target, ours, judged) {
  // If a trial failed or did not finish, the target is missed, even if other trials reached it.
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

/** Divides telar's throughput by each rival's: one row for each task and number of threads. */
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
