/** What others than the city's dispatchers find on the console: their own area, and no button that would be refused. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, homeOf, issueExercise, submitExercise } from './city'
import { DESK, faults, launch, look, open, signIn } from './pages'
import { startServer, type Server } from './server'

/** Digits of a street's code. */
const STREET = 9

let server: Server
let browser: Browser
let city: Caller
let home: string
let name: string

beforeAll(async () => {
  server = await startServer()
  browser = await launch()
  city = await Caller.signIn(server.origin, 'city1')
  const commander = await Caller.signIn(server.origin, 'commander')
  home = await homeOf(commander)
  name = (await city.get<{ compound: { name: string } }>(`/compounds/${home}`)).compound.name
  const { alert } = await issueExercise(server.origin, [home])
  await commander.post(`/alerts/${alert}/acknowledge`)
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  expect(faults, 'errors in the pages').toEqual([])
})

async function as(login: string, path: string, english = false): Promise<Page> {
  const page = await open(browser, server.origin + path, DESK, english)
  await signIn(page, login)
  await page.locator('header nav').waitFor()
  return page
}

test('the map of a street begins at the street', async () => {
  const page = await open(browser, `${server.origin}/console`, DESK)
  const close = page.waitForRequest((request) => Number(/\/tiles\/compounds\/(\d+)\//.exec(request.url())?.[1]) >= 11)
  await signIn(page, 'street')
  await close
  await look(page, 'roles-street-map')
  await page.context().close()
})

test('the map is kept to a street, found by its name', async () => {
  const page = await as('city1', '/console')
  const areas = await city.get<{ code: string; name: string }[]>('/areas')
  const street = areas.find(({ code }) => code === home.slice(0, STREET))?.name ?? ''
  await page.locator('.maplibregl-canvas').waitFor()
  await page.getByRole('combobox', { name: '区域' }).fill(street)
  const close = page.waitForRequest((request) => Number(/\/tiles\/compounds\/(\d+)\//.exec(request.url())?.[1]) >= 11)
  await page.getByRole('option', { name: street }).first().click()
  await close
  await look(page, 'roles-map-kept-to-a-street')
  await page.context().close()
})

test('where no roll is called it is said what opens one, and nothing looks broken', async () => {
  const page = await as('city1', `/console/roll?place=${home}`)
  await page.getByRole('heading', { name }).waitFor()
  expect(await page.getByRole('alert').count()).toBe(0)
  expect(await page.getByRole('navigation', { name: '区域' }).textContent()).toContain(name)
  await look(page, 'roles-no-roll')
  await page.getByRole('link', { name: '到岗情况与平急转换' }).click()
  await page.waitForURL((url) => url.pathname === '/console/duty' && url.searchParams.get('place') === home)
  await page.context().close()
})

test('a line of the log says which compound it is about', async () => {
  const page = await as('city1', '/console/log')
  const line = page.locator('.list summary').filter({ hasText: '指挥确认' })
  await line.filter({ hasText: name }).first().waitFor()
  await look(page, 'roles-log-names')
  await page.context().close()
  const english = await as('city1', '/console/log', true)
  const entry = english.locator('.list summary').filter({ hasText: name }).first()
  const mark = await entry.locator('.occasion').boundingBox()
  const kind = await entry.locator('.kind').boundingBox()
  expect((mark?.x ?? 0) + (mark?.width ?? Infinity), 'EXERCISE does not lie on the next word').toBeLessThan(
    kind?.x ?? 0,
  )
  await look(english, 'roles-log-names-en')
  await english.context().close()
})

test('whoever may not write alerts or keep accounts is told so, and is offered nothing', async () => {
  const watcher = await as('observer', '/console/alerts/new')
  await watcher.getByText('您的账号不能进行此操作').waitFor()
  expect(await watcher.locator('.maplibregl-canvas, form').count()).toBe(0)
  const english = await as('city1', '/console/records/accounts', true)
  await english.getByText('Your account may not do this').waitFor()
  expect(await english.getByRole('button', { name: 'account' }).count()).toBe(0)
  expect(await english.locator('.page').textContent()).not.toContain('keep_accounts')
  await look(english, 'roles-not-your-page')
  for (const page of [watcher, english]) await page.context().close()
})

test('an alert that waits for a second person is said on every page, as it comes', async () => {
  const page = await as('city2', '/console/duty')
  const waiting = page.locator('header nav').getByRole('status')
  expect(await waiting.count()).toBe(0)
  await submitExercise(server.origin, [home])
  await waiting.waitFor()
  expect(await waiting.textContent()).toBe('1')
  await look(page, 'roles-waiting')
  await page.context().close()
})
