import { expect, test } from 'vitest'
import { chunks, flatsOf, pagesOf, ROWS_MAX, stairwellsOf } from '../src/paper/stairwell'
import { sheetsOf } from '../src/paper/printed'
import { decode, incidentNo } from '../src/paper/sheet-code'
import type { IncidentView } from '../src/shared/schema'

const block = (floors: number, doors: number) => ({ no: 3, units: 2, floors, flats_per_floor: doors })
const incident: IncidentView = {
  id: '0192f0c1-aaaa-7bbb-8ccc-00000001869e',
  exercise: true,
  occasion: { zh: '演练', en: 'Exercise' },
  hazard: 'flood',
  title: '演练',
  opened_at: '2026-11-24T08:00:00+08:00',
  alerts: 0,
  tallies: [],
}

test('a stairwell lists its flats bottom up, as the server does', () => {
  expect(flatsOf({ building: block(2, 3), unit: 2 })).toEqual([
    '3-2-101',
    '3-2-102',
    '3-2-103',
    '3-2-201',
    '3-2-202',
    '3-2-203',
  ])
  expect(stairwellsOf([block(1, 1)]).map(({ unit }) => unit)).toEqual([1, 2])
})

test('every flat stands on one sheet, whatever the building, and no sheet is too full', () => {
  for (const floors of [1, 2, 3, 6, 7, 11, 18, 26, 33, 34, 98, 99])
    for (const doors of [1, 2, 3, 4, 5, 7, 12, 24, 25, 99]) {
      const stairwell = { building: block(floors, doors), unit: 1 }
      const pages = pagesOf(stairwell)
      expect(pages.flat()).toEqual(flatsOf(stairwell))
      expect(pages.length, 'the code has three digits for the page').toBeLessThan(1_000)
      expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(ROWS_MAX)
    }
})

test('no floor is torn apart, and no sheet is left with two rows', () => {
  expect(pagesOf({ building: block(12, 2), unit: 1 }).map((page) => page.length)).toEqual([24])
  expect(pagesOf({ building: block(13, 2), unit: 1 }).map((page) => page.length)).toEqual([14, 12])
  expect(pagesOf({ building: block(33, 4), unit: 1 }).map((page) => page.length)).toEqual([24, 24, 24, 24, 24, 12])
})

test('each sheet of a stairwell has a code of its own, under its incident or none', () => {
  const building = block(33, 4)
  const place = { compound: '140403001001001', name: '小区', areas: '' }
  const wanted = [{ place, stairwells: [{ building, unit: 2 }] }]
  const sheets = sheetsOf(wanted, incident)
  expect(new Set(sheets.map(({ code }) => code)).size).toBe(6)
  const last = { compound: place.compound, building: 3, unit: 2, page: 6, incident: incidentNo(incident.id) }
  expect(decode(sheets.at(-1)?.code ?? '')).toEqual(last)
  expect(decode(sheetsOf(wanted, null).at(-1)?.code ?? '')).toEqual({ ...last, incident: 0 })
})

test('a list in pieces loses nothing', () => {
  expect(chunks([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]])
  expect(chunks([], 8)).toEqual([])
})
