/** The phone pages without a network: they open, show the last picture, take reports, and each of those arrives once. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, homeOf, openExercise } from './city'
import { Gate } from './gate'
import { countKept, kept } from './kept'
import { faults, launch, launchPhone, look, open, PHONE, signIn, watched } from './pages'
import { startServer, type Server } from './server'

interface Row {
  flat: string
  report: { status: string | object; made_at: string; heads: number } | null
}

let server: Server
/** Before the server; the phones go through it. */
let gate: Gate
let origin: string
let browser: Browser
let city: Caller
let home: string
let incident: string
/** The post-holder's phone: its storage outlives the browser. */
const storage = mkdtempSync(join(tmpdir(), 'muster-phone-'))
let phone: BrowserContext
let holder: Page

beforeAll(async () => {
  server = await startServer()
  gate = await Gate.before(server.origin)
  origin = gate.origin
  browser = await launch()
  city = await Caller.signIn(server.origin, 'city1')
  home = await homeOf(await Caller.signIn(server.origin, 'commander'))
  incident = await openExercise(city, '离线测试演练')
  await city.post(`/incidents/${incident}/switch`, { compounds: [home], to: { emergency: 'II' } })
  phone = await launchPhone(storage)
})
afterAll(async () => {
  await phone.close()
  await browser.close()
  gate.close()
  await server.stop()
  rmSync(storage, { recursive: true })
  expect(faults, 'errors in the pages').toEqual([])
})

const rowsOf = async (unit: string): Promise<Row[]> =>
  (await city.get<{ items: Row[] }>(`/incidents/${incident}/compounds/${home}/households?unit=${unit}`)).items

/** How many reports the journal has, whatever came of them. */
async function reportsTaken(): Promise<number> {
  const { items } = await city.get<{ items: { kinds?: string[] }[] }>(`/log?incident=${incident}&limit=500`)
  return items.filter((line) => JSON.stringify(line).includes('checked_in')).length
}

const door = (page: Page, nth: number) => page.locator('article.card:has(h2)').nth(nth)
const openRoll = async (page: Page, unit: string): Promise<void> => {
  await page.getByRole('button', { name: /入户点名|Door-to-door roll/ }).click()
  await page.getByRole('button', { name: new RegExp(`^${unit} `) }).click()
}

test('a commander opens the page without a network: the plan is there, with the time of the last news', async () => {
  const page = await open(browser, `${origin}/m`, PHONE)
  await signIn(page, 'commander')
  await page.getByRole('heading', { name: '处置清单' }).waitFor()
  const tasks = await page.locator('.task').count()
  expect(tasks).toBeGreaterThan(0)
  await kept(page, 1)
  await page.context().setOffline(true)
  await page.reload()
  await page.getByText(/截至 \d\d:\d\d/).waitFor()
  await expect.poll(() => page.locator('.task').count()).toBe(tasks)
  expect(await page.locator('.occasion').textContent()).toContain('演练')
  await look(page, 'offline-commander')
  await page.getByRole('button', { name: '我的' }).click()
  await page.getByRole('button', { name: '退出登录' }).click()
  await page.getByRole('button', { name: '确认退出' }).click()
  await page.getByRole('alert').filter({ hasText: '连不上服务器' }).waitFor()
  await page.context().setOffline(false)
  await page.getByText(/截至/).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: '确认退出' }).click()
  await page.locator('#login').waitFor()
  expect(await page.evaluate(countKept), 'who signs out leaves nothing').toBe(0)
  await page.context().close()
})

let madeBefore = 0
test('a stairwell that was never opened is taken without a network; the reports outlive a reload and the browser', async () => {
  holder = watched(await phone.newPage(), origin)
  await holder.goto(`${origin}/m`)
  await signIn(holder, 'post')
  await holder.getByRole('button', { name: /入户点名/ }).waitFor()
  await kept(holder, 1)
  await phone.setOffline(true)
  await holder.reload()
  await openRoll(holder, '1-1')
  await holder.getByText(/名单截至 \d\d:\d\d/).waitFor()
  await door(holder, 0).getByRole('button', { name: '需要帮助' }).click()
  await door(holder, 0).getByRole('button', { name: '被困' }).click()
  await door(holder, 0).getByRole('button', { name: '上报求助' }).click()
  await door(holder, 1).getByRole('button', { name: '安全' }).click()
  // Said otherwise a moment later: the later word counts.
  await door(holder, 1).getByRole('button', { name: /更正/ }).click()
  await door(holder, 1).getByRole('button', { name: '已转移' }).click()
  await holder.getByText('待上报 3 条').waitFor()
  madeBefore = Date.now()
  await look(holder, 'offline-roll')
  await holder.reload()
  await holder.getByText('待上报 3 条').waitFor()
  // The worker of a phone that starts anew would send them: it finds no network either.
  gate.shut()
  await phone.close()

  phone = await launchPhone(storage, true)
  await phone.setOffline(true)
  holder = watched(await phone.newPage(), origin)
  await holder.goto(`${origin}/m`)
  await holder.getByText('3 waiting to be sent').waitFor()
  await openRoll(holder, '1-1')
  await door(holder, 1).getByText('Evacuated').waitFor()
  await look(holder, 'offline-roll-en')
  expect(
    (await rowsOf('1-1')).filter((row) => row.report),
    'nothing got out yet',
  ).toEqual([])
})

test('with the network back each report arrives once, with the time when it was made; two pages send no report twice', async () => {
  const before = gate.commands.length
  const second = watched(await phone.newPage(), origin)
  await second.goto(`${origin}/m`)
  await second.getByText('3 waiting to be sent').waitFor()
  const backAt = Date.now()
  gate.reopen()
  await phone.setOffline(false)
  for (const page of [holder, second]) await expect.poll(() => page.getByText('waiting to be sent').count()).toBe(0)
  await expect.poll(async () => (await rowsOf('1-1')).filter((row) => row.report).length).toBe(2)
  const [first, other] = await rowsOf('1-1')
  expect(first?.report?.status).toEqual({ need_help: { kinds: ['trapped'] } })
  expect(other?.report?.status).toHaveProperty('evacuated')
  for (const row of [first, other]) expect(Date.parse(row?.report?.made_at ?? '')).toBeLessThan(madeBefore)
  expect(madeBefore).toBeLessThan(backAt)
  expect(await reportsTaken()).toBe(3)
  expect(gate.commands.slice(before), 'no report went out twice').toHaveLength(3)
  await second.close()
})

test('who is signed out is told that reports still wait, and they go out after signing in', async () => {
  await phone.setOffline(true)
  await door(holder, 2).getByRole('button', { name: 'Safe' }).click()
  await holder.getByText('1 waiting to be sent').waitFor()
  await phone.clearCookies()
  await phone.setOffline(false)
  await holder.getByText('1 reports still wait on this phone').waitFor()
  expect(await holder.evaluate(countKept), 'who is not signed in sees no roll').toBe(0)
  await look(holder, 'offline-signed-out-en')
  await signIn(holder, 'post')
  await expect.poll(reportsTaken).toBe(4)
  await expect.poll(() => holder.getByText('waiting to be sent').count()).toBe(0)
})

test('a new version of the pages waits until nothing is being written, and loses nothing', async () => {
  const page = await open(browser, `${origin}/m`, PHONE)
  await signIn(page, 'post')
  await page.getByRole('button', { name: /入户点名/ }).waitFor()
  await kept(page, 1)
  gate.waylaid = /check-ins$/
  await openRoll(page, '1-2')
  await door(page, 0).getByRole('button', { name: '安全' }).click()
  await page.getByText('待上报 1 条').waitFor()

  gate.nextRelease()
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update())
  const waits = () => page.evaluate(async () => (await navigator.serviceWorker.ready).waiting !== null)
  await expect.poll(waits).toBe(true)
  const lookAgain = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  await lookAgain()
  expect(await waits(), 'somebody is taking the roll').toBe(true)
  await page.getByRole('button', { name: '返回' }).click()
  await page.getByRole('button', { name: '返回' }).click()
  let loaded = 0
  page.on('load', () => (loaded += 1))
  // The old worker ends what it is at before the new one takes over. A look that the reload cuts off is one too many.
  const looked = () =>
    lookAgain().then(
      () => loaded,
      () => loaded,
    )
  await expect.poll(looked, { interval: 500, timeout: 60_000 }).toBe(1)
  await page.getByText('待上报 1 条').waitFor()
  expect(await waits()).toBe(false)
  gate.waylaid = null
  await expect.poll(() => page.getByText('待上报').count()).toBe(0)
  expect((await rowsOf('1-2'))[0]?.report?.status).toBe('safe')
  await page.context().close()
}, 120_000)

const endsInSight = (element: Element): boolean => element.getBoundingClientRect().bottom <= innerHeight

test('a household opens its page without a network, and asks for help', async () => {
  const links = await city.post<{ url: string }[]>(`/compounds/${home}/household-links`, { unit: '1-3' })
  const secret = links[0]?.url.split('#')[1] ?? ''
  const page = await open(browser, `${origin}/h#${secret}`, PHONE)
  await page.getByRole('button', { name: /需要帮助/ }).waitFor()
  await kept(page, 0)
  await page.context().setOffline(true)
  await page.reload()
  await page.getByText(/截至 \d\d:\d\d/).waitFor()
  await look(page, 'offline-household')
  expect(await page.locator('a[href="tel:119"]').isVisible(), 'who is in danger calls').toBe(true)
  await page.getByRole('button', { name: '少一人' }).click()
  await page.getByRole('button', { name: /需要帮助/ }).click()
  const asks = page.getByRole('group', { name: /需要什么帮助/ })
  expect(await asks.getByRole('button', { name: '发送求助' }).evaluate(endsInSight), 'one sees what sends it').toBe(
    true,
  )
  await page.getByRole('button', { name: '需要医疗' }).click()
  await page.getByRole('button', { name: '发送求助' }).click()
  await page.getByText('待上报 1 条').waitFor()
  await expect.poll(() => page.evaluate(() => scrollY), { message: 'what waits is in sight' }).toBe(0)
  await page.reload()
  await page.getByText('待上报 1 条').waitFor()
  await page.context().setOffline(false)
  await page.getByText(/已报：需要帮助，2 人/).waitFor()
  await expect.poll(() => page.getByText('待上报').count()).toBe(0)
  const { items } = await city.get<{ items: { help: string }[] }>(`/incidents/${incident}/help`)
  expect(items.filter(({ help }) => help.includes('/1-3-'))).toHaveLength(1)
  await page.reload()
  await page.getByText(/已报：需要帮助，2 人/).waitFor()
  expect(await page.locator('#heads').textContent(), 'as many as they said they are').toBe('2')
  const names = await page.evaluate(async () => JSON.stringify(await caches.keys()) + JSON.stringify(localStorage))
  expect(names).not.toContain(secret)
  await page.context().close()
})
