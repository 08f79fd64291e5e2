/** From the alert to the household, in the browser: what a dispatcher, a commander, a post-holder and a household see and do. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, homeOf, submitExercise } from './city'
import { Network } from './network'
import { DESK, faults, launch, look, open, PHONE, signIn } from './pages'
import { startServer, type Server } from './server'

/** The console's; the phones have one of their own. */
let network: Network
let server: Server
let origin: string
let browser: Browser
let commander: Page
let holder: Page
let console_: Page
let home: string
let incident: string

beforeAll(async () => {
  server = await startServer()
  origin = server.origin
  browser = await launch()
  network = await Network.before(origin)
  home = await homeOf(await Caller.signIn(origin, 'commander'))
})
afterAll(async () => {
  await browser.close()
  network.close()
  await server.stop()
  expect(faults, 'errors in the pages').toEqual([])
})

const total = (word: string) => console_.locator(`header dl div:has(dt:text-is("${word}")) dd`)

test('people sign in, and see that all is quiet', async () => {
  commander = await open(browser, `${origin}/m`, PHONE)
  await look(commander, 'phone-sign-in')
  await signIn(commander, 'commander')
  await commander.getByText('目前没有需要您处理的事项').waitFor()
  await look(commander, 'phone-quiet')
  holder = await open(browser, `${origin}/m`, PHONE, true)
  await signIn(holder, 'post')
  await holder.getByText('Nothing waits for you now').waitFor()
  await look(holder, 'phone-quiet-en')
})

test('a wrong password is said in words', async () => {
  const page = await open(browser, `${origin}/m`, PHONE)
  await page.fill('#login', 'commander')
  await page.fill('#password', 'not the password')
  await page.click('form button')
  await expect.poll(() => page.locator('.fault').textContent()).toMatch(/账号|密码/)
  await page.context().close()
})

test('the console shows the city on the map, and finds a compound', async () => {
  console_ = await open(browser, `${network.origin}/console`, DESK)
  await look(console_, 'console-sign-in')
  await signIn(console_, 'city1')
  await expect.poll(() => total('小区').textContent()).toBe('60')
  await console_.locator('.maplibregl-canvas').waitFor()
  const search = console_.getByRole('combobox', { name: '查找小区' })
  await search.fill(home)
  await console_.getByRole('option').first().waitFor()
  await search.press('Enter')
  await console_.getByRole('heading', { name: '风险排查' }).waitFor()
  await look(console_, 'console-sheet')
})

test('an alert fills the screen of those whom it concerns, and the console follows', async () => {
  incident = (await submitExercise(origin, [home])).incident
  const second = await open(browser, `${origin}/console/alerts`, DESK)
  await signIn(second, 'city2')
  await second.getByRole('button', { name: /待审批/ }).click()
  const approve = second.getByRole('button', { name: '批准并发送' })
  await second.getByLabel(/请输入小区数/).fill('7')
  expect(await approve.isDisabled(), 'the number that is typed is not the one that it hits').toBe(true)
  await look(second, 'console-approval')
  await second.getByLabel(/请输入小区数/).fill('1')
  await approve.click()
  const alert = commander.getByRole('alertdialog')
  await alert.waitFor()
  expect(await alert.textContent()).toContain('演练')
  await look(commander, 'phone-alert')
  await expect.poll(() => total('未确认预警').textContent()).toBe('1')
  await commander.getByRole('button', { name: '我已收到' }).click()
  await alert.waitFor({ state: 'detached' })
  await expect.poll(() => total('未确认预警').textContent()).toBe('0')
  await holder.getByRole('alertdialog').waitFor()
  await look(holder, 'phone-alert-en')
  await holder.getByRole('button', { name: 'I have got it' }).click()
  await second.getByRole('heading', { name: '1 / 1 个小区已确认' }).waitFor()
  const acknowledged = second.locator('dl dt:has-text("已确认") + dd .number')
  await expect.poll(() => acknowledged.textContent()).toBe('2')
  await look(second, 'console-funnel')
  await second.context().close()
})

test('what was acknowledged stays acknowledged when the page is loaded again', async () => {
  await commander.reload()
  await commander.getByText('已确认收到').waitFor()
  expect(await commander.getByRole('alertdialog').count()).toBe(0)
})

test('duty is switched: the commander gets the checklist, the post-holder the call', async () => {
  const city = await Caller.signIn(origin, 'city1')
  await city.post(`/incidents/${incident}/switch`, { compounds: [home], to: { emergency: 'II' } })
  await commander.getByRole('heading', { name: '处置清单' }).waitFor()
  await look(commander, 'phone-checklist')
  // A reload on the worst night must not take the checklist away.
  await commander.reload()
  await commander.getByRole('heading', { name: '处置清单' }).waitFor()
  expect(await commander.locator('.task').count()).toBeGreaterThan(0)
  await holder.getByRole('button', { name: 'Got it, on my way' }).click()
  await holder.getByRole('button', { name: 'I am on post' }).click()
  await holder.getByText('On post', { exact: true }).waitFor()
  await look(holder, 'phone-on-post-en')
  await expect.poll(() => total('急时').textContent()).toBe('1')
  await expect.poll(() => console_.locator('.band').textContent()).toContain('演练')
  await look(console_, 'console-exercise')
  const duty = await city.get<{ duty: { on_post: number } }>(`/compounds/${home}/duty`)
  expect(duty.duty.on_post).toBe(1)
})

test("a volunteer takes a stairwell's roll without a network: each report waits on the phone, and arrives once", async () => {
  await holder.getByRole('button', { name: /Door-to-door roll/ }).click()
  await holder.getByRole('button', { name: /^1-1 / }).click()
  const doors = holder.locator('article.card:has(h2)')
  await doors.nth(2).waitFor()
  await holder.context().setOffline(true)
  for (const door of [0, 1]) await doors.nth(door).getByRole('button', { name: 'Safe' }).click()
  await doors.nth(2).getByRole('button', { name: 'Needs help' }).click()
  await doors.nth(2).getByRole('button', { name: 'Trapped' }).click()
  await doors.nth(2).getByRole('button', { name: 'Report: needs help' }).click()
  await holder.getByText('3 waiting to be sent').waitFor()
  await look(holder, 'phone-roll-offline-en')
  await holder.context().setOffline(false)
  await expect.poll(() => holder.getByText('waiting to be sent').count()).toBe(0)
  const city = await Caller.signIn(origin, 'city1')
  const roll = await city.get<{ counts: { safe: number; need_help: number } }>(
    `/incidents/${incident}/compounds/${home}/roll`,
  )
  expect([roll.counts.safe, roll.counts.need_help]).toEqual([2, 1])
  const { items } = await city.get<{ items: { help: string }[] }>(`/incidents/${incident}/help`)
  expect(items).toHaveLength(1)
})

test('an invitation signs its holder in on the phone, once', async () => {
  const admin = await Caller.signIn(origin, 'admin')
  const me = await (await Caller.signIn(origin, 'post')).get<{ giver: { person: string } }>('/me')
  const form = { people: [me.giver.person] }
  const made = await admin.post<{ url: string }[]>(`/compounds/${home}/invitations`, form)
  const secret = made[0]?.url.split('#')[1] ?? ''
  const phone = await open(browser, `${origin}/join#${secret}`, PHONE)
  await phone.getByRole('navigation').waitFor()
  expect(phone.url()).toBe(`${origin}/m`)
  const again = await open(browser, `${origin}/join#${secret}`, PHONE)
  await again.getByRole('alert').waitFor()
  expect(again.url()).not.toContain(secret)
  await look(again, 'phone-invitation-used')
})

test('a household without a sign-in says that it needs help; without a network the word waits, and arrives once', async () => {
  const city = await Caller.signIn(origin, 'city1')
  const links = await city.post<{ url: string }[]>(`/compounds/${home}/household-links`, { unit: '1-2' })
  const secret = links[0]?.url.split('#')[1] ?? ''
  const household = await open(browser, `${origin}/h#${secret}`, PHONE)
  await household.getByRole('button', { name: /需要帮助/ }).waitFor()
  await look(household, 'household')
  await household.context().setOffline(true)
  await household.getByRole('button', { name: /需要帮助/ }).click()
  await household.getByRole('button', { name: '需要医疗' }).click()
  await look(household, 'household-help')
  await household.getByRole('button', { name: '发送求助' }).click()
  await household.getByText('待上报 1 条').waitFor()
  await household.context().setOffline(false)
  await household.getByText(/您已报：需要帮助/).waitFor()
  await expect.poll(() => household.getByText('待上报').count()).toBe(0)
  await look(household, 'household-reported')
  await expect.poll(() => total('求助').textContent()).toBe('2')
  const help = await city.get<{ items: unknown[] }>(`/incidents/${incident}/help`)
  expect(help.items).toHaveLength(2)
})

test('the board counts posts, roll and help down to the compound', async () => {
  await console_.getByRole('link', { name: '点名', exact: true }).click()
  const rows = console_.locator('tbody tr')
  for (const area of ['潞州区', '镇|街道', '社区|村']) {
    await expect.poll(() => rows.count()).toBe(1)
    await rows.getByRole('button', { name: new RegExp(area) }).click()
  }
  await rows.getByText(/^[1-9]\d* \/ \d+ · \d+ %$/).waitFor()
  await expect.poll(() => console_.locator('aside article').count()).toBe(2)
  await look(console_, 'console-board')
  await console_.getByRole('link', { name: '态势图' }).click()
  await console_.locator('.maplibregl-canvas').waitFor()
})

test('the console speaks English, and can be used on a phone', async () => {
  const page = await open(browser, `${origin}/console`, PHONE, true)
  await signIn(page, 'observer')
  await page.getByText('Compounds', { exact: true }).waitFor()
  await look(page, 'console-phone-en')
  await page.getByRole('link', { name: 'Alerts' }).click()
  await page.getByRole('button', { name: /Issued/ }).click()
  await page.getByRole('heading', { name: '1 of 1 compounds acknowledged' }).waitFor()
  expect(await page.getByRole('button', { name: 'Approve and send' }).count(), 'an observer decides nothing').toBe(0)
  await look(page, 'console-alerts-phone-en')
  await page.getByRole('link', { name: 'Duty' }).click()
  await page.getByText('In emergency').first().waitFor()
  await look(page, 'console-board-phone-en')
  await page.context().close()
})

test('a lost connection is said at the top, with the time of the last news, and mends itself', async () => {
  network.cut()
  await console_.getByText(/连接中断，正在重连/).waitFor({ timeout: 6_000 })
  network.mend()
  await console_.getByText(/连接中断/).waitFor({ state: 'detached' })
})
