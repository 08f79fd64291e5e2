import { expect, test } from 'vitest'
import { Standing, unaccounted } from '../src/console/state/standing'
import { Bubbles } from '../src/console/map/bubbles'
import { PAINTS, shade, shadesOf } from '../src/console/map/paint'
import type { MapState, ServerFrame } from '../src/shared/schema'

type MapFrame = Extract<ServerFrame, { type: 'map' }>

const NOBODY = { acknowledged: 0, called: 0, declined: 0, needed: 0, no_answer: 0, on_post: 0, vacant: 0 }

function compound(id: string, over: Partial<MapState> = {}): MapState {
  const calm = { emergency: false, exercise: false, silent: false, nobody_named: false, ready: false, help_open: 0 }
  return { id, ...calm, duty: NOBODY, ...over } as MapState
}
const frame = (compounds: MapState[], over: Partial<MapFrame> = {}): MapFrame => ({
  type: 'map',
  position: 1,
  snapshot: false,
  more: false,
  compounds,
  ...over,
})
const roll = (households: number, safe: number) => ({
  households,
  safe,
  away: 0,
  evacuated: 0,
  missing: 0,
  need_help: 0,
  heads: safe,
  help_open: 0,
})

/** The totals, counted anew. */
function recount(standing: Standing) {
  const all = [...standing.compounds.values()]
  const count = (is: (state: MapState) => boolean) => all.filter(is).length
  return {
    compounds: all.length,
    emergency: count((state) => state.emergency),
    exercise: count((state) => state.emergency && state.exercise),
    silent: count((state) => state.silent),
    help: all.reduce((sum, state) => sum + state.help_open, 0),
    unacknowledged: count(({ alert }) => alert?.status === 'issued' && !alert.acknowledged),
    unaccounted: all.reduce((sum, state) => sum + unaccounted(state), 0),
  }
}

/** Numbers that look like chance and are the same at each run. */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test('running totals and bubbles are what a recount gives, after every frame', () => {
  const roll6 = dice(7)
  const standing = new Standing()
  const paints = PAINTS.map((paint) => new Bubbles(paint))
  const any = (n: number): MapState =>
    compound(`14040300100100${n}`, {
      emergency: roll6(2) === 0,
      exercise: roll6(2) === 0,
      silent: roll6(5) === 0,
      help_open: roll6(7),
      roll: roll6(2) === 0 ? roll(100, roll6(101)) : null,
    })
  for (let i = 0; i < 300; i++) {
    const snapshot = roll6(40) === 0
    const changed = Array.from({ length: 1 + roll6(4) }, () => any(roll6(9)))
    const dealt = [...new Map(changed.map((state) => [state.id, state])).values()]
    standing.take(frame(dealt, { snapshot }))
    expect(standing.totals).toEqual(recount(standing))
    for (const bubbles of paints) for (const state of dealt) bubbles.take(state)
  }
  const areas = new Map([['140403', { code: '140403', name: '潞州区', level: 'county' as const, center: [113, 36] }]])
  for (const bubbles of paints) {
    const [county] = bubbles.at('county', areas)
    expect(county?.count).toBe(9)
    const silent = [...standing.compounds.values()].filter((state) => state.silent).length
    if (silent > 0 && standing.compounds.size === 9) expect(county?.label).toBe(`? ${silent} / 9`)
  }
})

test('a snapshot in parts replaces what was known only when it is whole', () => {
  const standing = new Standing()
  standing.take(frame([compound('a'), compound('gone', { silent: true })], { snapshot: true }))
  expect(standing.whole).toBe(true)
  standing.take(frame([compound('a')], { snapshot: true, more: true }))
  expect(standing.whole).toBe(false)
  expect(standing.compounds.has('gone')).toBe(true)
  standing.take(frame([compound('b')], { snapshot: true }))
  expect([...standing.compounds.keys()]).toEqual(['a', 'b'])
  expect(standing.totals.silent).toBe(0)
})

test('every compound has a shade in every paint, and none that is not known is green', () => {
  const green = '#35b56a'
  for (const paint of PAINTS) {
    const calm = shadesOf(paint)[shade(paint, compound('a'))]
    expect(calm?.colour).toBeDefined()
    expect(calm?.colour).not.toBe(green)
  }
  const half = compound('a', { roll: roll(10, 5) })
  expect(shadesOf('roll')[shade('roll', half)]?.word).toBe('roll_half')
  expect(shadesOf('roll')[shade('roll', compound('a', { roll: roll(10, 10) }))]?.word).toBe('roll_done')
})
