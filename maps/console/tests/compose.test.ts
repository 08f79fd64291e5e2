import { expect, test } from 'vitest'
import { circleOf, distanceKm, holds, lengthKm, ringOf, type Point } from '../src/console/map/geometry'
import { findingsOf, marked } from '../src/console/compose/lint'
import { cut, riverOf } from '../src/console/compose/rivers'
import { fromTarget, toTarget, withDrawn, type Piece, type Shape } from '../src/console/compose/target'
import { withBlanks } from '../src/console/compose/use-texts'
import { fromWallClock, wallClock } from '../src/shared/time'
import type { LintFinding } from '../src/shared/schema'

const HERE: Point = [113.1, 36.2]
const square = (west: number, south: number, side: number): Point[] => [
  [west, south],
  [west + side, south],
  [west + side, south + side],
  [west, south + side],
  [west, south],
]

test('a circle that was drawn is the circle that is sent', () => {
  const ring = ringOf(HERE, 2)
  expect(ring[0]).toEqual(ring.at(-1))
  for (const corner of ring) expect(distanceKm(HERE, corner)).toBeCloseTo(2, 6)
  const { center, radiusKm } = circleOf(ring)
  expect(distanceKm(center, HERE)).toBeLessThan(0.001)
  expect(radiusKm).toBeCloseTo(2, 3)
})

test('a polygon holds what is inside it, and not its holes', () => {
  const rings = [square(113, 36, 1), square(113.4, 36.4, 0.2)]
  expect(holds(rings, [113.1, 36.1])).toBe(true)
  expect(holds(rings, [113.5, 36.5])).toBe(false)
  expect(holds(rings, [114.1, 36.5])).toBe(false)
})

test('a river is cut where it passes from one county into the next, and nothing of it is lost', () => {
  const line: Point[] = [0, 1, 2, 3, 4, 5].map((i) => [113 + i * 0.2, 36.5])
  const outlines = [
    { county: '140403', polygons: [[square(113, 36, 0.5)], [square(113, 36, 0.5)]] },
    { county: '140404', polygons: [[square(113, 36.4, 0.5)]] },
  ]
  const river = cut({ name: '漳河', lines: [line] }, outlines)
  expect(river.stretches.map(({ county }) => county)).toEqual(['140404', ''])
  expect(river.stretches[0]?.lines).toEqual([line.slice(0, 3)])
  expect(river.stretches[1]?.lines).toEqual([line.slice(2)])
  expect(river.stretches.reduce((sum, { km }) => sum + km, 0)).toBeCloseTo(lengthKm(line), 9)
  expect(riverOf(line.slice(2), [river])).toBe('漳河')
  expect(riverOf([HERE, [113, 36]], [river])).toBe('')
})

const PIECES: Piece[] = [
  { id: 'a', out: false, kind: 'polygon', rings: [square(113, 36, 0.1)] },
  { id: 'b', out: false, kind: 'circle', center: HERE, radiusKm: 0.5 },
  { id: 'c', out: false, kind: 'river', name: '漳河', lines: [[HERE, [113.2, 36.3]]], withinM: 2_000 },
  { id: 'd', out: true, kind: 'area', code: '140403' },
  { id: 'e', out: true, kind: 'compound', code: '140403001001001', name: '锦绣华府' },
]

test('the pieces come back from the server as they were sent', () => {
  const target = toTarget(PIECES)
  expect(target.include.areas).toEqual([])
  expect(target.exclude?.areas).toEqual(['140403'])
  const ids = ['a', 'b', 'c', 'd', 'e'].values()
  const names = { compound: () => '锦绣华府', river: () => '漳河' }
  expect(fromTarget(target, names, () => ids.next().value ?? '')).toEqual(PIECES)
})

test('the server leaves out lists that are empty', () => {
  const target = { include: { areas: ['1404'] } } as unknown as ReturnType<typeof toTarget>
  const names = { compound: () => '', river: () => '' }
  expect(fromTarget(target, names, () => 'x')).toEqual([{ id: 'x', out: false, kind: 'area', code: '1404' }])
})

test('what the map says changes the shapes that it holds, and nothing else', () => {
  const ring = [square(114, 36, 0.1)]
  const drawn: Shape[] = [
    { id: 'a', out: false, kind: 'polygon', rings: ring },
    { id: 'b', out: false, kind: 'circle', center: [HERE[0] + 1e-9, HERE[1]], radiusKm: 0.50000001 },
    { id: 'new', out: false, kind: 'polygon', rings: ring },
  ]
  const after = withDrawn(PIECES, drawn, () => true)
  expect(after.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', 'e', 'new'])
  expect(after[0]).toEqual(drawn[0])
  expect(after[1], 'a circle that was not touched keeps its radius').toBe(PIECES[1])
  expect(withDrawn(PIECES, [], () => true).map(({ id }) => id)).toEqual(['c', 'd', 'e'])
  expect(withDrawn(PIECES, [], (id) => id !== 'a').map(({ id }) => id)).toEqual(['a', 'c', 'd', 'e'])
})

const finding = (words: string | null, part: LintFinding['part'], blocking: boolean): LintFinding => ({
  language: 'zh-CN',
  part,
  words,
  blocking,
  kind: blocking ? 'placeholder' : 'jargon',
  hint_zh: '',
  hint_en: '',
})

test('a blank is marked wherever it stands; what is missing marks no word', () => {
  const found = [
    finding('{phone}', 'headline', true),
    finding('毫米', 'headline', false),
    finding(null, 'headline', true),
  ]
  expect(marked('拨{phone}或{phone}，50毫米', found)).toEqual([
    { text: '拨', mark: null },
    { text: '{phone}', mark: 'blocks' },
    { text: '或', mark: null },
    { text: '{phone}', mark: 'blocks' },
    { text: '，50', mark: null },
    { text: '毫米', mark: 'warns' },
  ])
  expect(findingsOf(found, 'zh-CN', 'headline')).toHaveLength(3)
  expect(findingsOf(found, 'en-US', 'headline')).toEqual([])
})

test('a blank without a value stays a blank', () => {
  const values = { 'zh-CN': { place: ' 漳河 ' }, 'en-US': { place: ' ' } }
  const form = { hazard: 'flood', colour: 'red', kind: 'new', values, onset: null, expires: null } as const
  expect(withBlanks(form, ['place', 'phone'])).toEqual({
    'zh-CN': { place: '漳河', phone: '{phone}' },
    'en-US': { place: '{place}', phone: '{phone}' },
  })
})

test("an input of date and time is on the city's clock", () => {
  expect(wallClock('2026-07-11T12:15:30Z')).toBe('2026-07-11T20:15')
  expect(new Date(fromWallClock('2026-07-11T20:15')).toISOString()).toBe('2026-07-11T12:15:00.000Z')
})
