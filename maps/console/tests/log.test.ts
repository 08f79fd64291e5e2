import { afterEach, expect, test, vi } from 'vitest'
import { csvWriter, EXPORT_MAX, exported, jsonLinesWriter, type Progress } from '../src/console/log/export'
import { byOf, everything, queryOf } from '../src/console/log/filter'
import { countsOf } from '../src/console/map/paint'
import { api } from '../src/shared/api'
import type { LogLine, LogPage, MapState } from '../src/shared/schema'

const line = (position: number, en = `line ${position}`): LogLine => ({
  position,
  at: '2026-11-24T10:00:00+08:00',
  command: '00000000-0000-7000-8000-000000000001',
  kind: 'incident',
  exercise: true,
  occasion: { zh: '演练', en: 'EXERCISE' },
  zh: en,
  en,
  compounds: 0,
})

/** The server's log, of so many records. */
function serve(records: number, grow = 0) {
  let end = records
  return vi.spyOn(api, 'GET').mockImplementation(((_: string, { params }: { params: { query: { after: number } } }) => {
    const from = params.query.after + 1
    const items = Array.from({ length: Math.min(500, end - from + 1) }, (_, i) => line(from + i))
    const last = from + items.length - 1
    const data: LogPage = { items, end, next: last < end ? last : null, looked_to: line(last).at }
    end += grow
    return Promise.resolve({ data, response: new Response() })
    // The types of openapi-fetch know each path; the tests ask for one.
  }) as never)
}
afterEach(() => vi.restoreAllMocks())

test('what asks for all is left out, and times are those of the city', () => {
  expect(Object.values(queryOf(everything())).filter((value) => value !== undefined)).toEqual([])
  const query = queryOf({ ...everything(), kinds: ['duty', 'roll'], since: '2026-11-24T14:05', by: 'system' })
  expect(query).toMatchObject({ kinds: 'duty,roll', since: '2026-11-24T06:05:00.000Z', by: 'system' })
})

test('who gave a command is asked for as the server says it', () => {
  expect(byOf('system')).toBe('system')
  expect(byOf({ person: 'p' })).toBe('p')
  expect(byOf({ household: '140403001001001/1-1-101' }), 'never which household').toBe('households')
  expect(byOf(null)).toBe('')
})

test('an export holds every line once, as the log stood when it was begun', async () => {
  serve(1_203, 7)
  const told: Progress[] = []
  const file = await exported({}, jsonLinesWriter(false), (far) => told.push(far) > 0)
  const positions = (await file?.text())
    ?.trimEnd()
    .split('\n')
    .map((text) => (JSON.parse(text) as LogLine).position)
  expect(positions).toEqual(Array.from({ length: 1_203 }, (_, i) => i + 1))
  expect(told.map(({ lines, cut }) => [lines, cut])).toEqual([
    [500, false],
    [1_000, false],
    [1_203, false],
  ])
})

test('an export ends at its limit and says so; broken off there is none', async () => {
  serve(EXPORT_MAX + 1)
  let last: Progress | undefined
  await exported({}, jsonLinesWriter(false), (far) => Boolean((last = far)))
  expect(last).toMatchObject({ lines: EXPORT_MAX, cut: true })
  vi.restoreAllMocks()
  const asked = serve(2_000)
  expect(await exported({}, jsonLinesWriter(false), () => false)).toBeNull()
  expect(asked).toHaveBeenCalledTimes(1)
})

test('a table is UTF-8 for Excel, and no cell is a formula', () => {
  const writer = csvWriter(['What', 'Whose'], ({ en }) => [en, 'a "b", c'])
  expect(writer.head).toBe('\uFEFFWhat,Whose\r\n')
  const written = writer.write(['=1+1', '+1', '-1', '@a', '\t=1', 'fine'].map((en, i) => line(i, en)))
  const cells = written
    .trimEnd()
    .split('\r\n')
    .map((row) => row.split(',')[0])
  expect(cells).toEqual([`"'=1+1"`, `"'+1"`, `"'-1"`, `"'@a"`, `"'\t=1"`, 'fine'])
  expect(written).toContain('"a ""b"", c"')
  expect(writer.write([])).toBe('')
})

test('events themselves are in a file only where they are asked for', () => {
  const told = { ...line(1), event: {} }
  expect(jsonLinesWriter(false).write([told])).not.toContain('event')
  expect(jsonLinesWriter(true).write([told])).toContain('"event":{}')
})

test('a silent compound is counted as silent and as nothing else', () => {
  const state = { id: 'a', level: 'II', emergency: true, silent: false }
  // The mode is told by the level alone.
  const states = [state, { ...state, silent: true }, { ...state, level: null }] as MapState[]
  expect(countsOf('mode', states)).toEqual([1, 0, 0, 1, 0, 1])
})
