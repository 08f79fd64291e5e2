import { beforeEach, expect, test } from 'vitest'
import { countsOf, reportsOf, unfinished, type Row } from '../src/phone/sheet/answers'
import { enteredAt, rememberEntered } from '../src/phone/sheet/entered'
import { incidentsOf } from '../src/phone/sheet/find'
import { incidentNo } from '../src/paper/sheet-code'
import { fromWallClock, wallClock } from '../src/shared/time'
import type { IncidentView } from '../src/shared/schema'

const row = (answer: Row['answer'], heads = 3, kinds: Row['kinds'] = []): Row => ({ answer, heads, kinds })
const filled = (rows: [string, Row][], madeAt = Date.UTC(2026, 10, 24, 6)) => ({
  compound: '140403001001001',
  incident: '0192f0c1-aaaa-7bbb-8ccc-00000001869e',
  madeAt,
  rows: new Map(rows),
})

test('each ticked row becomes a report of somebody who was at the door, and no other row', () => {
  const reports = reportsOf(
    filled([
      ['3-2-101', row('safe', 4)],
      ['3-2-102', row(null)],
      ['3-2-201', row('need_help', 2, ['medical', 'trapped'])],
      ['3-2-202', row('evacuated', 5)],
      ['3-2-301', row('away', 3)],
      ['3-2-302', row('missing', 3)],
    ]),
  )
  expect(reports.map(({ about }) => about)).toEqual(['3-2-101', '3-2-201', '3-2-202', '3-2-301', '3-2-302'])
  expect(reports.map(({ body }) => [body.status, body.heads])).toEqual([
    ['safe', 4],
    [{ need_help: { kinds: ['medical', 'trapped'] } }, 2],
    [{ evacuated: {} }, 5],
    ['away', 0],
    ['missing', 0],
  ])
  expect(reports[0]?.body.household).toBe('140403001001001/3-2-101')
  expect(reports.every(({ body }) => body.verified === 'door_to_door')).toBe(true)
  expect(countsOf(reports)).toEqual({ by: { safe: 1, need_help: 1, evacuated: 1, away: 1, missing: 1 }, heads: 11 })
})

test('the same sheet entered twice is the same reports; a correction is another one', () => {
  const ids = (rows: [string, Row][], madeAt?: number) => reportsOf(filled(rows, madeAt)).map(({ id }) => id)
  const sheet: [string, Row][] = [
    ['3-2-101', row('safe')],
    ['3-2-102', row('safe')],
  ]
  expect(ids(sheet)).toEqual(ids(sheet))
  expect(new Set(ids(sheet)).size).toBe(2)
  const others = [
    ids([['3-2-101', row('missing')]]),
    ids([['3-2-101', row('safe', 2)]]),
    ids([['3-2-101', row('safe')]], Date.UTC(2026, 10, 24, 7)),
  ]
  expect(new Set([...ids(sheet), ...others.flat()]).size).toBe(5)
})

test('help of which nothing is circled is not sent', () => {
  const rows = new Map([
    ['3-2-101', row('need_help')],
    ['3-2-102', row('need_help', 1, ['supplies'])],
  ])
  expect(unfinished(rows)).toEqual(['3-2-101'])
})

test('a sheet is entered under its own incident while that is open', () => {
  const one = { id: filled([]).incident, closed_at: null } as IncidentView
  const other = { ...one, id: '0192f0c1-aaaa-7bbb-8ccc-000000000007' }
  const closed = { ...one, closed_at: '2026-11-24T08:00:00+08:00' }
  const incident = incidentNo(one.id)
  expect(incidentsOf({ incident }, [one, other])).toEqual([one])
  expect(incidentsOf({ incident }, [other])).toBe('unknown_incident')
  expect(incidentsOf({ incident }, [closed, other])).toBe('incident_closed')
  expect(incidentsOf({ incident: 0 }, [one, other, closed])).toEqual([one, other])
  expect(incidentsOf({ incident: 0 }, [closed])).toBe('none_open')
})

test("the time on the sheet is the city's, wherever the phone thinks that it is", () => {
  const at = Date.UTC(2026, 10, 24, 6, 5)
  expect(wallClock(at)).toBe('2026-11-24T14:05')
  expect(fromWallClock('2026-11-24T14:05')).toBe(at)
  expect(fromWallClock('')).toBeNaN()
})

beforeEach(() => localStorage.clear())

test('a phone knows which sheets it entered, and forgets the oldest', () => {
  rememberEntered('1', 'a', 100)
  expect([enteredAt('1', 'a'), enteredAt('1', 'b'), enteredAt('2', 'a')]).toEqual([100, null, null])
  rememberEntered('1', 'a', 200)
  expect(enteredAt('1', 'a')).toBe(200)
  for (let sheet = 2; sheet <= 201; sheet++) rememberEntered(String(sheet), 'a', sheet)
  expect([enteredAt('1', 'a'), enteredAt('201', 'a')]).toEqual([null, 201])
  localStorage.setItem('muster.sheets', '{')
  expect(enteredAt('201', 'a')).toBe(null)
})
