/** The curve as ECharts draws it: one step line for each of LINES in per cent, over the time since sending, and the deadline. */
import type { LineSeriesOption } from 'echarts/charts'
import type { GridComponentOption, LegendComponentOption, TooltipComponentOption } from 'echarts/components'
import type { ComposeOption } from 'echarts/core'
import type { CurveView } from '../../../shared/schema'
import { countOf, linesOf, MARKS_S, percentOf, type Line } from './curve'

export type CurveOption = ComposeOption<
  LineSeriesOption | GridComponentOption | LegendComponentOption | TooltipComponentOption
>

/** What the chart says, in the language of the page. */
export interface CurveWords {
  line: Record<Line, string>
  deadline: string
  /** Time after sending as it stands on the axis: `5 min`, `2 h`. */
  mark: (afterS: number) => string
  /** Time of day at a point. */
  clock: (afterS: number) => string
}

/** Told apart by colour and by dash, also by who sees no colours. */
const STROKES: Record<Line, { color: string; type: 'solid' | 'dashed' | 'dotted' }> = {
  delivered: { color: '#4ea3ff', type: 'solid' },
  shown: { color: '#ffd24d', type: 'dashed' },
  acknowledged: { color: '#35b56a', type: 'solid' },
  compounds: { color: '#ffffff', type: 'dotted' },
}
const RAISED = '#131d2b'
const TEXT = '#eef2f7'
const QUIET = '#a9b8cb'
const GRID = '#2a3a50'
const DEADLINE = '#ff8f2e'

export function curveOption(curve: CurveView, span: number, words: CurveWords): CurveOption {
  const due = curve.ack_timeout_s
  const mark =
    typeof due === 'number' && due <= span ? { silent: true, symbol: 'none', ...deadline(due, words) } : undefined
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: 'inherit' },
    grid: { top: 56, left: 44, right: 24, bottom: 28 },
    legend: { top: 0, textStyle: { color: QUIET }, itemWidth: 30 },
    tooltip: {
      trigger: 'axis',
      confine: true,
      backgroundColor: RAISED,
      borderColor: GRID,
      textStyle: { color: TEXT },
      formatter: (shown) => tip(curve, shown, words),
    },
    xAxis: {
      type: 'value',
      min: 0,
      max: span,
      interval: MARKS_S[span] ?? span / 6,
      axisLabel: { color: QUIET, hideOverlap: true, formatter: words.mark },
      splitLine: { show: false },
      axisLine: { lineStyle: { color: GRID } },
    },
    yAxis: {
      type: 'value',
      min: 0,
      max: 100,
      axisLabel: { color: QUIET, formatter: '{value}%' },
      splitLine: { lineStyle: { color: GRID } },
    },
    series: linesOf(curve).map((line, i) => ({
      type: 'line',
      name: words.line[line],
      step: 'end',
      symbol: 'none',
      color: STROKES[line].color,
      lineStyle: { width: 2, type: STROKES[line].type },
      data: curve.points.map((point) => [point.after_s, percentOf(point, line)]),
      markLine: i === 0 ? mark : undefined,
    })),
  }
}

function deadline(due: number, words: CurveWords): NonNullable<LineSeriesOption['markLine']> {
  return {
    data: [{ xAxis: due }],
    lineStyle: { color: DEADLINE, type: 'dashed', width: 2 },
    label: { formatter: words.deadline, color: DEADLINE },
  }
}

/** What stands beside the pointer: the time, and the people themselves. */
function tip(curve: CurveView, shown: unknown, words: CurveWords): string {
  const first: unknown = Array.isArray(shown) ? shown[0] : shown
  const index = (first as { dataIndex?: number } | undefined)?.dataIndex
  const point = curve.points[index ?? -1]
  if (!point) return ''
  const counts = linesOf(curve).map((line) => `${words.line[line]} ${countOf(point, line).join(' / ')}`)
  return [`${words.clock(point.after_s)} · ${words.mark(point.after_s)}`, ...counts].join('<br>')
}
