/** What a dispatcher sees of an alert that is out: how far and how fast it got, who is silent, who is asked next, whom to call. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, homeOf, issueExercise } from './city'
import { DESK, faults, launch, look, open, PHONE, signIn } from './pages'
import { startServer, type Server } from './server'

/** Short, so that nobody waits here for long; time enough to answer from a slow machine. */
const ACK_TIMEOUT_S = 12
const REASON = '预警未确认，电话叫应'

interface Counts {
  compounds: number
  compounds_acknowledged: number
  funnel: Record<'sent' | 'delivered' | 'shown' | 'acknowledged', number>
}
interface Row {
  compound: string
  name: string
  people: number
}

let server: Server
let origin: string
let browser: Browser
let city: Caller
let commander: Caller
let desk: Page
let home: string
let others: string[]
let alert: string

beforeAll(async () => {
  server = await startServer({ config: { alert: `ack_timeout_s = ${ACK_TIMEOUT_S}` } })
  origin = server.origin
  browser = await launch()
  city = await Caller.signIn(origin, 'city1')
  commander = await Caller.signIn(origin, 'commander')
  home = await homeOf(commander)
  const { items } = await city.get<{ items: { id: string }[] }>('/compounds?limit=40')
  const ids = items.map(({ id }) => id).filter((id) => id !== home)
  others = [...ids.slice(0, 3), ...ids.slice(-2)]
  desk = await open(browser, `${origin}/console/alerts`, DESK)
  await signIn(desk, 'city1')
  await desk.getByText('还没有预警').waitFor()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  expect(faults, 'errors in the pages').toEqual([])
})

const silent = (page: Page) => page.locator('section:has(h3:text("未确认的小区")) > ul > li')

test('the funnel, area by area, says what the server counts', async () => {
  alert = (await issueExercise(origin, [home, ...others])).alert
  await commander.post(`/alerts/${alert}/acknowledge`)
  const post = await Caller.signIn(origin, 'post')
  await post.post(`/alerts/${alert}/receipt`, { stage: 'shown' })
  await desk.getByRole('button', { name: /已发布/ }).click()
  await desk.getByRole('heading', { name: '1 / 6 个小区已确认' }).waitFor()
  const told = await city.get<Counts & { areas: (Counts & { name: string })[] }>(`/alerts/${alert}/funnel`)
  const bars = desk.locator('dl dd .number')
  const { sent, delivered, shown, acknowledged } = told.funnel
  await expect.poll(() => bars.allTextContents()).toEqual([sent, delivered, shown, acknowledged].map(String))
  expect([shown, acknowledged]).toEqual([2, 1])
  const table = desk.getByRole('region', { name: '各区域送达情况' })
  expect(await table.locator('tbody tr').count()).toBe(told.areas.length)
  await table.getByRole('button').first().click()
  const first = told.areas[0]
  await desk.getByRole('button', { name: `› ${first?.name}` }).waitFor()
  await expect.poll(() => bars.first().textContent()).toBe(String(first?.funnel.sent))
  await desk.getByRole('button', { name: '全部', exact: true }).click()
})

test('the curve is drawn, and its table has the numbers of the server', async () => {
  await desk.locator('.chart canvas').waitFor()
  await desk.getByText('以表格查看').click()
  const rows = desk.getByRole('region', { name: '以表格查看' }).locator('tbody tr')
  const { points } = await city.get<{ points: Counts[] }>(`/alerts/${alert}/curve?span_s=600`)
  const last = points.at(-1)
  if (!last) throw new Error('a curve has a point')
  const { sent, delivered, shown, acknowledged } = last.funnel
  const wanted = [delivered, shown, acknowledged].map((people) => `${people} / ${sent}`)
  wanted.push(`${last.compounds_acknowledged} / ${last.compounds}`)
  await expect.poll(() => rows.last().locator('td').allTextContents()).toEqual(wanted)
  expect(await rows.first().locator('td').last().textContent(), 'nobody had it when it was sent').toBe('0 / 6')
  expect(await desk.getByRole('img').getAttribute('aria-label')).toContain('1 / 6 个小区已确认')
  await desk.getByText('以表格查看').click()
})

test('who is silent is listed by people at risk; the command is passed on before the eyes of who watches', async () => {
  const { items } = await city.get<{ items: Row[] }>(`/alerts/${alert}/compounds?unacknowledged=true`)
  const names = items.map(({ name }) => name)
  expect(items.map(({ people }) => people)).toEqual(items.map(({ people }) => people).sort((a, b) => b - a))
  await expect.poll(() => silent(desk).locator('strong').allTextContents()).toEqual(names)
  await silent(desk).first().getByRole('button').first().click()
  const steps = silent(desk).first().locator('ol li')
  await steps.filter({ hasText: '逾期未确认' }).first().waitFor()
  const now = steps.and(desk.locator('[aria-current=step]'))
  await expect.poll(() => now.textContent()).toMatch(/第\d副指挥长.*正在等待确认.*剩 0:[01]\d/)
  await steps.filter({ hasText: '下一顺位' }).waitFor()
  const log = desk.getByRole('log', { name: '递补经过' })
  await expect.poll(() => log.textContent()).toContain('指挥长 → 第1副指挥长')
  await look(desk, 'console-follow')
})

test('the call list asks why once, logs each look, keeps no phone, and marks who acknowledges meanwhile', async () => {
  const second = (await issueExercise(origin, [home, ...others])).alert
  await desk.goto(`${origin}/console/alerts/${second}/calls`)
  expect(await desk.locator('a[href^="tel:"]').count(), 'nothing before the reason').toBe(0)
  await desk.getByLabel(/查看电话的原因/).fill(REASON)
  await desk.keyboard.press('Enter')
  const cards = desk.locator('article')
  await expect.poll(() => cards.count()).toBe(6)
  const own = cards.filter({ hasText: await nameOf(home) })
  await own.locator('a[href^="tel:"]').first().waitFor()
  await own.getByText('现由其确认').waitFor()
  const phone = (await own.locator('a[href^="tel:"]').first().textContent()) ?? ''
  expect(phone).toMatch(/^\d{11}$/)
  await own.getByLabel('已拨打').first().check()
  await commander.post(`/alerts/${second}/acknowledge`)
  await own.getByText('已确认，无需再拨').waitFor()
  expect(await cards.count(), 'nothing moves under the finger').toBe(6)
  await desk.getByText('名单 6 个小区，未确认 5 个').waitFor()
  await look(desk, 'console-calls')

  const admin = await Caller.signIn(origin, 'admin')
  const looks = await admin.get<{ items: { why: string }[] }>('/looks?area=1404')
  expect(looks.items.map(({ why }) => why)).toEqual(Array<string>(6).fill(REASON))
  const kept = await desk.evaluate('JSON.stringify([location.href, { ...localStorage }, { ...sessionStorage }])')
  expect(kept).not.toContain(phone)
  await desk.reload()
  await desk.getByLabel(/查看电话的原因/).waitFor()
  expect(await desk.locator('a[href^="tel:"]').count(), 'a reload asks again').toBe(0)
})

test('an observer sees how it goes and no phones; on a small screen, in English, one thing at a time', async () => {
  const page = await open(browser, `${origin}/console/alerts`, PHONE, true)
  await signIn(page, 'observer')
  await page
    .getByRole('button', { name: /Issued/ })
    .last()
    .click()
  await page.getByRole('heading', { name: '1 of 6 compounds acknowledged' }).waitFor()
  await page.locator('.chart canvas').waitFor()
  expect(await page.getByRole('link', { name: 'Call list' }).count()).toBe(0)
  await page
    .getByRole('button', { name: /people/ })
    .first()
    .click()
  await page.locator('[aria-current=step]').first().waitFor()
  await look(page, 'console-follow-phone-en')
  await page.getByRole('button', { name: 'All alerts' }).click()
  await page
    .getByRole('button', { name: /\[EXERCISE\]/ })
    .first()
    .waitFor()
  await page.context().close()
})

test('a dispatcher calls with one thumb', async () => {
  const page = await open(browser, `${origin}/console/alerts/${alert}/calls`, PHONE, true)
  await signIn(page, 'city2')
  await page.getByLabel(/Why you look/).fill('no acknowledgement, calling')
  await page.getByRole('button', { name: 'Show the list' }).click()
  await page.locator('a[href^="tel:"]').first().waitFor()
  await look(page, 'console-calls-phone-en')
  await page.context().close()
})

async function nameOf(compound: string): Promise<string> {
  return (await city.get<{ compound: { name: string } }>(`/compounds/${compound}`)).compound.name
}
