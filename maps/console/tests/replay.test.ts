import { expect, test } from 'vitest'
import { bustle, Film, lastNotBeyond, stopsOf } from '../src/console/log/replay/film'
import type { MapChange, RollCounts } from '../src/shared/schema'

const HOME = '140403001001001'
const OTHER = '140403001001002'
const at = (second: number): string => new Date(1_795_500_000_000 + second * 1_000).toISOString()
const ms = (second: number): number => Date.parse(at(second))
const roll = (safe: number): RollCounts => ({
  households: 10,
  safe,
  away: 0,
  evacuated: 0,
  missing: 0,
  need_help: 0,
  heads: 0,
  help_open: 0,
})
const frame = (position: number, second: number, ...changes: MapChange[]) => ({ position, at: at(second), changes })
const whole = (id: string): MapChange => ({
  id,
  emergency: false,
  level: null,
  incident: null,
  roll: null,
  silent: false,
})

const film = () =>
  new Film({
    frames: [
      frame(10, 0, whole(HOME), whole(OTHER)),
      frame(12, 5, { id: HOME, emergency: true, level: 'II', roll: roll(0) }, { id: OTHER, silent: true }),
      frame(13, 5, { id: HOME, roll: roll(4) }),
      frame(
        20,
        90,
        { id: HOME, emergency: false, level: null, roll: null },
        { id: OTHER, silent: false, nobody_named: true },
      ),
    ],
  })

/** What one sees of the compounds in a frame. */
const seen = (of: Film) => [...of.standing.compounds.values()].map((state) => ({ ...state }))

test('a frame looks the same from whichever side one winds to it', () => {
  const [forward, looks] = [film(), [] as unknown[]]
  for (let i = 0; i < 4; i++) {
    forward.wind(i)
    looks.push(seen(forward))
  }
  const back = film()
  back.wind(3)
  for (const to of [2, 0, 3, 1, 0]) {
    back.wind(to)
    expect(seen(back)).toEqual(looks[to])
  }
  expect(new Set(looks.map((look) => JSON.stringify(look))).size).toBe(4)
})

test('what was left out of a change is as it was, and totals follow', () => {
  const shown = film()
  shown.wind(2)
  expect(shown.standing.compounds.get(HOME)).toMatchObject({ emergency: true, level: 'II', roll: { safe: 4 } })
  expect(shown.standing.totals).toMatchObject({ compounds: 2, emergency: 1, silent: 1, unaccounted: 6 })
  expect(
    shown
      .wind(3)
      .map(({ id }) => id)
      .sort(),
  ).toEqual([HOME, OTHER])
  expect(shown.standing.totals).toMatchObject({ compounds: 2, emergency: 0, silent: 0, unaccounted: 0 })
  expect(shown.wind(99), 'beyond the end is the end').toEqual([])
})

test('a compound that was registered meanwhile is there from the start', () => {
  const shown = new Film({ frames: [frame(1, 0, whole(HOME)), frame(2, 1, whole(OTHER))] })
  expect(shown.standing.compounds.size).toBe(2)
})

test('one stops at each change and each line, in the order of the journal', () => {
  const lines = [9, 11, 12, 20, 30].map((position) => ({ position, at: ms(position === 11 ? 7 : 5) }))
  const stops = stopsOf(film().frames, lines, 20)
  expect(stops.map(({ position }) => position)).toEqual([10, 11, 12, 13, 20])
  expect(
    stops.map(({ frame }) => frame),
    'no stop shows what came after it',
  ).toEqual([0, 0, 1, 2, 3])
  expect(
    stops.map(({ at }) => at),
    'time never goes back',
  ).toEqual([ms(0), ms(7), ms(7), ms(7), ms(90)])
})

test('the last that is not beyond is found by halves', () => {
  const sorted = [2, 4, 4, 9]
  const places = [1, 2, 3, 4, 8, 9, 10].map((limit) => lastNotBeyond(sorted, (n) => n, limit))
  expect(places).toEqual([0, 0, 0, 2, 2, 3, 3])
})

test('the busiest part of the time is the highest, and none is beyond the ends', () => {
  const stops = stopsOf(film().frames, [], 20)
  const bars = bustle(stops, ms(0), ms(90), 9)
  expect(bars).toHaveLength(9)
  expect(bars[0]).toBe(1)
  expect(bars[8], 'one stop of three, by the root').toBeCloseTo(Math.sqrt(1 / 3))
  expect(bustle([], 0, 0, 3)).toEqual([0, 0, 0])
})
