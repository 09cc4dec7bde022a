'use strict'

// The plot of a run: bars on a logarithmic scale, one panel for each measurement, as SVG.

const echarts = require('echarts')

const { drivers } = require('./drivers')
const { short, digits, threadsText } = require('./format')
const { machineLine } = require('./machine')
const { summarise } = require('./summarise')

const COLORS = {
  telar: '#e4572e',
  'telar/piscina': '#f0a07c',
  piscina: '#29335c',
  tinypool: '#5577a8',
  workerpool: '#8fb8c9',
  poolifier: '#9aa66b',
  handwritten: '#b3b0aa'
}

const BAR = 13
const GAP = 18
const TOP = 92
const BOTTOM = 56
const LABELS = 190
const PANEL = 360
const BETWEEN = 60

// The names have no quotes: a quote would end the attribute into which the renderer writes them.
const FONT = 'system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif'

/** Returns the panels for which this run has figures. */
function panelsOf (results) {
  const [throughput, latency] = ['Throughput', 'Latency'].map((word) =>
    summarise(results).find((section) => section.title.startsWith(word)))
  const panels = []
  const add = (section, threads, heading, format) => {
    const rows = section?.rows.filter((row) => row.threads === threads) ?? []
    if (rows.length > 0) panels.push({ heading, format, rows })
  }
  for (const threads of new Set(throughput?.rows.map((row) => row.threads))) {
    add(throughput, threads, `tasks per second, ${threadsText(threads)} (more is better)`, short)
  }
  const [fewest] = new Set(latency?.rows.map((row) => row.threads))
  const heading = `median latency, µs, ${threadsText(fewest)}, one at a time (less is better)`
  add(latency, fewest, heading, digits)
  return panels
}

function floorOfTen (number) {
  return 10 ** Math.floor(Math.log10(number))
}

/** Returns an SVG as a string, or null if no results belong in the plot. */
function plot (results) {
  const panels = panelsOf(results)
  if (panels.length === 0) return null

  const rowsOfAll = panels.flatMap(({ rows }) => rows)
  const ids = [...new Set(rowsOfAll.flatMap((row) => Object.keys(row.cells)))]
  const tasks = Math.max(...panels.map(({ rows }) => rows.length))
  const height = TOP + tasks * (ids.length * BAR + GAP) + BOTTOM
  const width = LABELS + panels.length * (PANEL + BETWEEN)

  const option = {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: FONT },
    title: [
      {
        text: 'telar and the other worker pools',
        left: 16,
        top: 10,
        textStyle: { fontSize: 17, color: '#222' }
      },
      {
        text: machineLine(results.machine),
        left: 16,
        bottom: 10,
        textStyle: { fontSize: 11, fontWeight: 'normal', color: '#666' }
      },
      ...panels.map(({ heading }, i) => ({
        text: heading,
        left: LABELS + i * (PANEL + BETWEEN),
        top: 64,
        textStyle: { fontSize: 12, fontWeight: 'bold', color: '#444' }
      }))
    ],
    legend: {
      top: 36,
      left: 12,
      itemWidth: 14,
      itemHeight: 10,
      itemGap: 20,
      data: ids.map((id) => drivers[id].title)
    },
    grid: panels.map((_, i) => ({
      left: LABELS + i * (PANEL + BETWEEN), top: TOP, width: PANEL, height: height - TOP - BOTTOM
    })),
    xAxis: panels.map(({ rows }, i) => {
      const all = rows.flatMap((row) =>
        Object.values(row.cells).map((cell) => cell?.median).filter(Boolean))
      return {
        type: 'log',
        gridIndex: i,
        // A logarithmic axis has no zero at which bars could start. It starts below half of the
        // smallest figure.
        min: floorOfTen(Math.min(...all) * 0.5),
        max: floorOfTen(Math.max(...all)) * 10,
        axisLabel: { formatter: (value) => short(value).replace(/\.0+(?=\D|$)/, ''), fontSize: 10 },
        splitLine: { lineStyle: { color: '#e4e4e4' } }
      }
    }),
    yAxis: panels.map(({ rows }, i) => ({
      type: 'category',
      gridIndex: i,
      inverse: true,
      data: rows.map((row) => row.title),
      axisTick: { show: false },
      axisLabel: {
        show: i === 0,
        fontSize: 11,
        color: '#333',
        width: LABELS - 20,
        overflow: 'break'
      }
    })),
    series: panels.flatMap(({ rows, format }, i) => ids.map((id) => ({
      name: drivers[id].title,
      type: 'bar',
      xAxisIndex: i,
      yAxisIndex: i,
      barWidth: BAR - 1,
      barGap: '10%',
      itemStyle: { color: COLORS[id] },
      label: {
        show: true,
        position: 'right',
        distance: 3,
        fontSize: 9,
        color: '#444',
        fontWeight: id === 'telar' ? 'bold' : 'normal',
        formatter: ({ value }) => value == null ? '' : format(value)
      },
      data: rows.map((row) => row.cells[id]?.median ?? null)
    })))
  }

  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height })
  chart.setOption(option)
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

module.exports = { plot }
