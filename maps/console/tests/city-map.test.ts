// @vitest-environment node
import { expect, test } from 'vitest'
import { Bubbles } from '../src/console/map/bubbles'
import { viewOf } from '../src/console/map/view'
import type { AreaView, MapState } from '../src/shared/schema'

const area = (code: string, level: AreaView['level'], center?: [number, number]): [string, AreaView] => [
  code,
  { code, level, name: code, center },
]
const AREAS = new Map([
  area('1404', 'city', [112.9, 36.5]),
  area('140403', 'county', [113.1, 36.2]),
  area('140403001', 'street', [113.12, 36.21]),
  area('140403001001', 'community'),
  area('140404', 'county', [113.0, 36.0]),
])
const normal = (id: string): MapState => ({
  id,
  emergency: false,
  exercise: false,
  silent: false,
  nobody_named: false,
  ready: false,
  help_open: 0,
  duty: {
    needed: 0,
    called: 0,
    acknowledged: 0,
    on_post: 0,
    declined: 0,
    no_answer: 0,
    posts: 0,
    posts_ready: 0,
    vacant: 0,
  },
})

test('the map looks at the area of whoever is signed in; at the whole city for the city', () => {
  expect(viewOf('140403', AREAS)).toEqual({ center: [113.1, 36.2], zoom: 9.5 })
  expect(viewOf('140403001', AREAS)).toEqual({ center: [113.12, 36.21], zoom: 12 })
  expect(viewOf('1404', AREAS)).toBeNull()
  expect(viewOf('', AREAS)).toBeNull()
})

test('an area of which nobody knows where it lies is looked for in the one round it', () => {
  expect(viewOf('140403001001', AREAS)).toEqual({ center: [113.12, 36.21], zoom: 12 })
  expect(viewOf('140403001001001', AREAS)).toEqual({ center: [113.12, 36.21], zoom: 12 })
  expect(viewOf('140499', AREAS)).toBeNull()
})

test('bubbles count the compounds of the area that is kept to, and no others', () => {
  const states = ['140403001001001', '140403001001002', '140403002001001', '140404001001001'].map(normal)
  const countIn = (within: string): [string, number][] => {
    const bubbles = new Bubbles('mode', within)
    states.forEach((state) => bubbles.take(state))
    return bubbles.at('county', AREAS).map(({ code, count }) => [code, count])
  }
  expect(countIn('')).toEqual([
    ['140403', 3],
    ['140404', 1],
  ])
  expect(countIn('140403001')).toEqual([['140403', 2]])
})
