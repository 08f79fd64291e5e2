/** What is drawn and told of an alert's curve. Pure; the chart itself is in `CurveChart.vue`. */
import type { CurvePoint, CurveView } from '../../../shared/schema'

/** Steps of the funnel in their order. */
export const STEPS = ['sent', 'delivered', 'shown', 'acknowledged'] as const
export type Step = (typeof STEPS)[number]

/** What has a line: people by how far the alert got with them, and compounds in which somebody in command acknowledged. */
export const LINES = ['delivered', 'shown', 'acknowledged', 'compounds'] as const
export type Line = (typeof LINES)[number]

/** The lines of an alert: of a cancel no compound is asked to acknowledge. */
export const linesOf = ({ ack_timeout_s }: CurveView): readonly Line[] =>
  typeof ack_timeout_s === 'number' ? LINES : LINES.filter((line) => line !== 'compounds')

/** Times that can be looked at, s after sending: the first ten minutes, an hour, six hours, three days. */
export const SPANS_S = [600, 3_600, 21_600, 259_200] as const
/** Seconds between the marks of the time axis. */
export const MARKS_S: Record<number, number> = { 600: 60, 3_600: 600, 21_600: 3_600, 259_200: 43_200 }

/** The shortest time that shows all that happened so far. */
export function spanFor(elapsedS: number): number {
  return SPANS_S.find((span) => span >= elapsedS) ?? SPANS_S[SPANS_S.length - 1] ?? 0
}

/** How many of how many a line has come to at a point. */
export function countOf({ funnel, compounds, compounds_acknowledged }: CurvePoint, line: Line): [number, number] {
  return line === 'compounds' ? [compounds_acknowledged, compounds] : [funnel[line], funnel.sent]
}

/** The same in per cent; all lines share one axis. */
export function percentOf(point: CurvePoint, line: Line): number {
  const [done, all] = countOf(point, line)
  return all === 0 ? 0 : (100 * done) / all
}

/** The points of a curve at which something moved, the first and the last: all that there is to read. */
export function turningPoints({ points }: CurveView): CurvePoint[] {
  const moved = (point: CurvePoint, before: CurvePoint): boolean =>
    LINES.some((line) => countOf(point, line)[0] !== countOf(before, line)[0])
  return points.filter((point, i) => {
    const before = points[i - 1]
    return !before || i === points.length - 1 || moved(point, before)
  })
}
