import { expect, test } from 'vitest'
import { checkInsPath, merged, progressByUnit, unitOf, withWaiting } from '../src/phone/roll/rows'
import type { Entry } from '../src/phone/outbox/entry'
import type { HouseholdRow, ReportView } from '../src/shared/schema'

const PLACE = { incident: 'i', compound: '140403103001001' }
const report = (made_at: string, status: ReportView['status'] = 'safe'): ReportView => ({
  status,
  heads: 3,
  verified: 'door_to_door',
  made_at,
})
const row = (flat: string, known: ReportView | null = null): HouseholdRow => ({ flat, report: known, conflicts: [] })
const waiting = (flat: string, said: ReportView, change: Partial<Entry> = {}): Entry => ({
  id: `${flat} ${said.made_at}`,
  owner: 'me',
  path: checkInsPath(PLACE.incident),
  body: JSON.stringify({ household: `${PLACE.compound}/${flat}`, ...said }),
  epoch: null,
  madeAt: Date.parse(said.made_at),
  about: flat,
  ...change,
})

test('of two tellings the report that was made later stands, whatever clock wrote it', () => {
  const server = [row('1-1-101', report('2026-07-11T14:00:00+08:00')), row('1-1-102'), row('1-1-103')]
  const phone = [
    row('1-1-101', report('2026-07-11T06:00:01.000Z', 'missing')),
    row('1-1-102', report('2026-07-11T05:00:00.000Z', 'away')),
  ]
  const statuses = merged(server, phone).map((one) => one.report?.status)
  expect(statuses).toEqual(['missing', 'away', undefined])
  const older = [row('1-1-101', report('2026-07-11T05:59:59.000Z', 'missing'))]
  expect(merged(server, older)[0]?.report?.status).toBe('safe')
})

test('what waits to be sent is on the list, the last word on each household', () => {
  const rows = [row('1-1-101'), row('1-1-102', report('2026-07-11T07:00:00.000Z'))]
  const shown = withWaiting(rows, PLACE, [
    waiting('1-1-101', report('2026-07-11T06:05:00.000Z', 'away')),
    waiting('1-1-101', report('2026-07-11T06:00:00.000Z', 'safe')),
    waiting('1-1-102', report('2026-07-11T06:00:00.000Z', 'missing')),
  ])
  expect(shown.map((one) => one.report?.status)).toEqual(['away', 'safe'])
})

test('a report that was refused, or is of another roll, is not on the list', () => {
  const said = report('2026-07-11T06:00:00.000Z')
  const refused = { refused: { zh: '', en: '' } }
  const entries = [
    waiting('1-1-101', said, refused),
    waiting('1-1-101', said, { path: checkInsPath('another') }),
    waiting('1-1-101', said, { body: JSON.stringify({ household: '140403103001002/1-1-101', ...said }) }),
  ]
  expect(withWaiting([row('1-1-101')], PLACE, entries)[0]?.report).toBeNull()
})

test('progress is counted by stairwell', () => {
  expect(unitOf('12-3-1502')).toBe('12-3')
  const rows = [row('1-1-101', report('2026-07-11T06:00:00.000Z')), row('1-1-102'), row('1-2-101')]
  expect([...progressByUnit(rows)]).toEqual([
    ['1-1', { done: 1, all: 2 }],
    ['1-2', { done: 0, all: 1 }],
  ])
})
