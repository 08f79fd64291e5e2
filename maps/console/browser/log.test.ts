/** What happened, read back: filtered, exported, and replayed on the map. */
import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, homeOf, submitExercise } from './city'
import { DESK, faults, launch, look, open, PHONE, signIn } from './pages'
import { startServer, type Server } from './server'

let server: Server
let browser: Browser
let city: Caller
let page: Page
let homes: string[]
let incident: string
/** A title that a spreadsheet would take for a formula. */
const FORMULA = '=1+1 桌面推演'

/** A flat of the compound, and a report on it. */
async function report(home: string, status: unknown): Promise<void> {
  const at = `/incidents/${incident}/compounds/${home}/households?unit=1-1`
  const { items } = await city.get<{ items: { flat: string }[] }>(at)
  const form = { household: `${home}/${items[0]?.flat}`, status, heads: 2, verified: 'door_to_door' }
  await city.post(`/incidents/${incident}/check-ins`, { ...form, made_at: new Date().toISOString() })
}

beforeAll(async () => {
  server = await startServer()
  const { origin } = server
  browser = await launch()
  city = await Caller.signIn(origin, 'city1')
  const commander = await Caller.signIn(origin, 'commander')
  const home = await homeOf(commander)
  const { items } = await city.get<{ items: { id: string }[] }>('/map/state')
  homes = [home, ...items.map(({ id }) => id).filter((id) => id !== home)].slice(0, 3)
  // The exercise: an alert to three compounds, one acknowledges; two are switched to emergency; one asks for help and gets it.
  const submitted = await submitExercise(origin, homes)
  incident = submitted.incident
  const second = await Caller.signIn(origin, 'city2')
  await second.post(`/alerts/${submitted.alert}/approve`, { confirm_compounds: homes.length })
  await commander.post(`/alerts/${submitted.alert}/acknowledge`)
  await city.post(`/incidents/${incident}/switch`, { compounds: homes.slice(0, 2), to: { emergency: 'II' } })
  await report(home, { need_help: { kinds: ['medical'] } })
  const help = await city.get<{ items: { help: string }[] }>(`/incidents/${incident}/help`)
  const end = { help: help.items[0]?.help, how: 'resolved', reason: '已送医' }
  await city.post(`/incidents/${incident}/help/end`, end)
  await city.post('/incidents', { hazard: 'fire', exercise: true, title: FORMULA })
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  expect(faults, 'errors in the pages').toEqual([])
})

const lines = () => page.locator('.list details')
const texts = () => page.locator('.list summary').allTextContents()

/** Chooses in one of Element Plus's selects, opened by the keyboard. */
async function pick(label: string, option: RegExp): Promise<void> {
  await page.getByRole('combobox', { name: label, exact: true }).press('Enter')
  await page.getByRole('option', { name: option }).click()
}

test('the log says what happened, newest first, and marks what is an exercise', async () => {
  page = await open(browser, `${server.origin}/console/log`, DESK)
  await signIn(page, 'city1')
  await lines().first().waitFor()
  const said = await texts()
  expect(said[0]).toMatch(/演练.*桌面推演/)
  expect(said.some((line) => /2 个小区转入急时/.test(line))).toBe(true)
  expect(said.at(-1), 'what is in no incident is neither').toMatch(/日常/)
})

test('what happens meanwhile appears by itself', async () => {
  await city.post(`/incidents/${incident}/switch`, { compounds: homes.slice(1, 2), to: 'normal' })
  await expect.poll(async () => (await texts())[0]).toMatch(/1 个小区转回平时/)
})

test('it is filtered by incident, kind and giver, and its events unfold', async () => {
  await pick('事件', /浏览器测试演练/)
  await pick('类别', /^点名$/)
  await page.keyboard.press('Escape')
  await expect.poll(() => lines().count()).toBe(1)
  await lines().locator('summary').click()
  const event = page.getByLabel('事件原文', { exact: true })
  expect(await event.textContent()).toContain('checked_in')
  await look(page, 'console-log')
  await page.getByRole('button', { name: '只看其指令' }).click()
  await expect
    .poll(() => page.getByRole('combobox', { name: '下达人' }).locator('xpath=../..').textContent())
    .toMatch(/本人/)
  await expect.poll(() => lines().count()).toBe(1)
  await page.getByRole('button', { name: '清除筛选' }).click()
  await expect.poll(() => lines().count()).toBeGreaterThan(5)
  await page.getByLabel('至').fill('2020-01-01T00:00')
  await page.getByText('没有符合条件的记录').waitFor()
  await page.getByRole('button', { name: '清除筛选' }).click()
})

test('what is filtered is exported, and opens in a spreadsheet without being run', async () => {
  await pick('类别', /^事件$/)
  await page.keyboard.press('Escape')
  await expect.poll(() => lines().count()).toBe(2)
  const [table] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /CSV/ }).click()])
  const text = readFileSync(await table.path(), 'utf8')
  expect(table.suggestedFilename()).toMatch(/^muster-log-\d{14}\.csv$/)
  expect(text.startsWith('\uFEFF时间,性质,类别,内容'), 'with the mark that Excel asks for').toBe(true)
  const rows = text.trimEnd().split('\r\n')
  expect(rows).toHaveLength(3)
  expect(rows[2], 'an apostrophe makes it text').toContain(`,"'${FORMULA}",`)
  const [json] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: /^导出 JSON/ }).click(),
  ])
  const objects = readFileSync(await json.path(), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  expect(objects).toHaveLength(2)
  expect(objects[0]).toMatchObject({ kind: 'incident', exercise: true })
  expect(objects[0], 'the events themselves only where asked for').not.toHaveProperty('event')
  await page.getByText('已导出 2 条').waitFor()
  await page.getByRole('button', { name: '清除筛选' }).click()
})

/** What the legend counts: `['58', …]`, a number a shade. */
const counts = () => page.locator('aside section li b').allTextContents()
const counted = (wanted: string[], message?: string) => expect.poll(counts, { message }).toEqual(wanted)
const paint = (name: string) => page.getByRole('radiogroup').getByText(name, { exact: true }).click()

test('an incident is replayed on the map, step by step, exactly as it stood', async () => {
  await pick('事件', /浏览器测试演练/)
  await page.getByRole('link', { name: /在地图上回放/ }).click()
  await page.locator('.maplibregl-canvas').waitFor()
  expect(await page.locator('h1.band').textContent()).toMatch(/回放.*演练.*不是当前态势/)
  const slider = page.getByRole('slider', { name: '回放时间' })
  await slider.focus()
  await page.keyboard.press('Home')
  await paint('预警确认')
  expect(await counts(), 'before the alert was sent').toEqual(['3', '0', '0', '0', '0', '0'])
  await page.getByRole('button', { name: /发布预警/ }).click()
  await counted(['0', '0', '0', '0', '3', '0'], 'sent to three, acknowledged by none')
  await page.getByRole('button', { name: /2 个小区转入急时/ }).click()
  await counted(['0', '1', '0', '0', '2', '0'])
  await paint('平急状态')
  expect(await counts(), 'two at level II').toEqual(['1', '0', '0', '2', '0', '0'])
  await slider.focus()
  await page.keyboard.press('ArrowLeft')
  await counted(['3', '0', '0', '0', '0', '0'], 'one step before, nobody was')
  await page.keyboard.press('ArrowRight')
  await paint('求助')
  await slider.focus()
  await page.keyboard.press('ArrowRight')
  await counted(['2', '1', '0', '0'], 'one asked for help')
  await look(page, 'console-replay')
  await page.keyboard.press('End')
  await counted(['3', '0', '0', '0'], 'and got it')
  await paint('平急状态')
  const live = await city.get<{ items: { emergency: boolean }[] }>('/map/state')
  const emergency = live.items.filter((state) => state.emergency).length
  await counted(['2', '0', '0', String(emergency), '0', '0'], 'the last step is the live map')
})

test('it plays by itself to the end', async () => {
  await page.getByRole('button', { name: '到开头' }).click()
  await page.getByLabel('速度').selectOption('600')
  await page.getByRole('button', { name: '播放' }).click()
  const slider = page.getByRole('slider', { name: '回放时间' })
  const atEnd = () => slider.evaluate((input: HTMLInputElement) => Number(input.value) >= Number(input.max))
  await expect.poll(atEnd).toBe(true)
  await page.getByRole('button', { name: '播放' }).waitFor()
})

test('who only watches reads and replays it in English on a phone', async () => {
  page = await open(browser, `${server.origin}/console/log`, PHONE, true)
  await signIn(page, 'observer')
  await lines().first().waitFor()
  await page.getByText('Filter the log').click()
  await pick('Kind', /^roll call$/)
  await page.keyboard.press('Escape')
  await expect.poll(() => lines().count()).toBe(1)
  await lines().locator('summary').click()
  await page.getByText('which your role does not see').waitFor()
  await look(page, 'console-log-phone-en')
  await page.goto(`${server.origin}/console/log/replay?incident=${incident}`)
  await page.locator('.maplibregl-canvas').waitFor()
  await page.getByRole('slider').focus()
  await page.keyboard.press('End')
  await counted(['2', '0', '0', '1', '0', '0'])
  await look(page, 'console-replay-phone-en')
})
