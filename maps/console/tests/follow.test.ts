import { expect, test } from 'vitest'
import { asksAcknowledgement } from '../src/console/alerts/asks'
import { Called } from '../src/console/alerts/follow/called'
import { countOf, LINES, percentOf, SPANS_S, spanFor, turningPoints } from '../src/console/alerts/follow/curve'
import { curveOption, type CurveWords } from '../src/console/alerts/follow/curve-option'
import { stateOf } from '../src/console/alerts/follow/steps'
import type { CurvePoint, CurveView, StepView } from '../src/shared/schema'
import { lasting } from '../src/shared/time'

const point = (after_s: number, delivered: number, acknowledged = 0, compounds_acknowledged = 0): CurvePoint => ({
  after_s,
  compounds: 4,
  compounds_acknowledged,
  funnel: { sent: 50, delivered, shown: delivered, acknowledged },
})
const curve: CurveView = {
  sent: '2026-11-24T10:00:00+08:00',
  step_s: 5,
  ack_timeout_s: 300,
  points: [point(0, 0), point(5, 20), point(10, 20), point(15, 20, 1, 1), point(20, 20, 1, 1), point(23, 20, 1, 1)],
}
const words: CurveWords = {
  line: { delivered: 'on device', shown: 'shown', acknowledged: 'acknowledged', compounds: 'compounds' },
  deadline: 'deadline',
  mark: (afterS) => `${afterS} s`,
  clock: (afterS) => `at ${afterS}`,
}

test('the table has the first point, the last, and each at which something moved', () => {
  expect(turningPoints(curve).map(({ after_s }) => after_s)).toEqual([0, 5, 15, 23])
  expect(turningPoints({ ...curve, points: curve.points.slice(0, 1) })).toHaveLength(1)
})

test('each line is drawn in per cent of what it was sent to, and the deadline once', () => {
  const option = curveOption(curve, 600, words)
  const series = option.series as { name: string; data: [number, number][]; markLine?: { data: unknown[] } }[]
  expect(series.map(({ name }) => name)).toEqual(LINES.map((line) => words.line[line]))
  expect(series.map(({ data }) => data.at(-1))).toEqual([
    [23, 40],
    [23, 40],
    [23, 2],
    [23, 25],
  ])
  expect(series.flatMap(({ markLine }) => markLine?.data ?? [])).toEqual([{ xAxis: 300 }])
})

test('a cancel has no deadline, and no line of compounds that acknowledge', () => {
  const option = curveOption({ ...curve, ack_timeout_s: null }, 600, words)
  const series = option.series as { name: string; markLine?: unknown }[]
  expect(series.map(({ name }) => name)).toEqual(['on device', 'shown', 'acknowledged'])
  expect(series.some(({ markLine }) => markLine)).toBe(false)
  const replaces = '00000000-0000-7000-8000-000000000001'
  const kinds = ['alert', { update: { replaces } }, { cancel: { replaces } }] as const
  expect(kinds.map((kind) => asksAcknowledgement({ kind }))).toEqual([true, true, false])
})

test('the pointer is told people, not per cent', () => {
  const { formatter } = curveOption(curve, 600, words).tooltip as { formatter: (shown: unknown) => string }
  expect(formatter([{ dataIndex: 3 }])).toBe(
    'at 15 · 15 s<br>on device 20 / 50<br>shown 20 / 50<br>acknowledged 1 / 50<br>compounds 1 / 4',
  )
  expect(formatter([])).toBe('')
})

test('an alert that went to nobody is at zero, not at no number', () => {
  const nobody = { ...point(0, 0), compounds: 0, funnel: { sent: 0, delivered: 0, shown: 0, acknowledged: 0 } }
  expect(LINES.map((line) => percentOf(nobody, line))).toEqual([0, 0, 0, 0])
  expect(countOf(point(0, 7), 'delivered')).toEqual([7, 50])
})

test('the shortest time is chosen that shows all that happened so far', () => {
  expect([0, 600, 601, 30_000, 1e9].map(spanFor)).toEqual([600, 600, 3_600, 259_200, SPANS_S.at(-1)])
})

const step = (asked_at: string | null, rest: Partial<StepView> = {}): StepView => ({
  asked_at,
  after_silence: true,
  ...rest,
})

test('each step down the line stands where it stands', () => {
  const states = (steps: StepView[]) => steps.map((_, i) => stateOf(steps, i))
  const until = '2026-11-24T10:10:00+08:00'
  const waiting = [step('a', { until }), step('b', { until }), step(null), step(null)]
  expect(states(waiting)).toEqual(['passed_over', 'waiting', 'next', 'to_come'])
  const changed = [step('a', { until }), step('b', { after_silence: false, stage: 'acknowledged' })]
  expect(states(changed)).toEqual(['handed_on', 'acknowledged'])
  expect(states([step('a', { stage: 'shown' })])).toEqual(['last'])
})

test('who was called is kept over a reload, and a tick can be taken back', () => {
  const kept = new Map<string, string>()
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
  }
  new Called('alert', storage).turn('p1', 5)
  const again = new Called('alert', storage)
  expect([again.at('p1'), again.at('p2')]).toEqual([5, undefined])
  expect(new Called('another', storage).at('p1')).toBeUndefined()
  again.turn('p1', 6)
  expect(new Called('alert', storage).at('p1')).toBeUndefined()
  kept.set('muster.called.alert', '{"broken')
  expect(new Called('alert', storage).at('p1')).toBeUndefined()
})

test('ticks are made where a browser keeps nothing', () => {
  const full = {
    getItem: () => null,
    setItem: () => {
      throw new Error('QuotaExceededError')
    },
  }
  const called = new Called('alert', full)
  called.turn('p1', 5)
  expect(called.at('p1')).toBe(5)
})

test('a time that lasts is short to read, and never below zero', () => {
  expect([0, 9, 65, 3_599, 3_605, -4].map(lasting)).toEqual(['0:00', '0:09', '1:05', '59:59', '1:00:05', '0:00'])
})
