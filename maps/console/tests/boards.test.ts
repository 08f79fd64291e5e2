// @vitest-environment node
import { expect, test } from 'vitest'
import { buildingOf, compoundOf, concerns, unitOf, wayTo } from '../src/console/board/place'
import { useSorted } from '../src/console/board/sorted'

const HOME = '140403001001001'

test('the way to a place is read off its code, down to the stairwell', () => {
  const areas = ['1404', '140403', '140403001', '140403001001', HOME]
  expect(wayTo('1404', HOME)).toEqual(areas)
  expect(wayTo('1404', `${HOME}/3-2`)).toEqual([...areas, `${HOME}/3`, `${HOME}/3-2`])
  expect(wayTo('140403001', '140403001001')).toEqual(['140403001', '140403001001'])
  expect(wayTo('140403', '140403')).toEqual(['140403'])
})

test('nobody gets above or beside their own area', () => {
  expect(wayTo('140403', '1404')).toEqual(['140403'])
  expect(wayTo('140403', '140404001')).toEqual(['140403'])
  expect(wayTo('140403', '')).toEqual(['140403'])
})

test('a place knows its compound, building and stairwell', () => {
  expect([compoundOf('140403001001'), compoundOf(HOME), compoundOf(`${HOME}/3-2`)]).toEqual([undefined, HOME, HOME])
  expect([buildingOf(HOME), buildingOf(`${HOME}/3`), buildingOf(`${HOME}/3-2`)]).toEqual([undefined, '3', '3'])
  expect([unitOf(HOME), unitOf(`${HOME}/3`), unitOf(`${HOME}/3-2`)]).toEqual([undefined, undefined, '3-2'])
})

test('an area concerns the compounds in it, a stairwell its own', () => {
  expect(concerns('140403001', HOME)).toBe(true)
  expect(concerns('140403002', HOME)).toBe(false)
  expect(concerns(`${HOME}/3-2`, HOME)).toBe(true)
  expect(concerns('140403001001002', HOME)).toBe(false)
})

test('a head sorts downwards, then upwards, then not at all; the next head starts anew', () => {
  const { sorted, turn, direction } = useSorted(() => [2, 3, 1], { size: (n) => n, rest: (n) => n % 3 })
  expect(sorted.value).toEqual([2, 3, 1])
  turn('size')
  expect([direction('size'), sorted.value]).toEqual(['descending', [3, 2, 1]])
  turn('size')
  expect([direction('size'), sorted.value]).toEqual(['ascending', [1, 2, 3]])
  turn('rest')
  expect([direction('size'), direction('rest'), sorted.value]).toEqual(['none', 'descending', [2, 1, 3]])
  turn('rest')
  turn('rest')
  expect([direction('rest'), sorted.value]).toEqual(['none', [2, 3, 1]])
})
