/** Who gets in and how: by a password, by an invitation, as an observer who decides nothing; and what is said when the connection is lost. */
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
let console_: Page
let home: string

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
  const commander = await open(browser, `${origin}/m`, PHONE)
  await look(commander, 'phone-sign-in')
  await signIn(commander, 'commander')
  await commander.getByText('目前没有需要您处理的事项').waitFor()
  await look(commander, 'phone-quiet')
  const holder = await open(browser, `${origin}/m`, PHONE, true)
  await signIn(holder, 'post')
  await holder.getByText('Nothing waits for you now').waitFor()
  await look(holder, 'phone-quiet-en')
  for (const page of [commander, holder]) await page.context().close()
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

test('an invitation is given at the desk, and signs its holder in on the phone, once', async () => {
  const { name } = await (await Caller.signIn(origin, 'post')).get<{ name: string }>('/me')
  await console_.goto(`${network.origin}/console/records/compounds/${home}`)
  await console_.getByRole('tab', { name: '指挥与人员' }).click()
  await console_.getByLabel('查看原因（将被记录）').fill('发放手机页邀请')
  await console_.getByRole('button', { name: '显示姓名和电话' }).click()
  const row = console_.locator('li').filter({ has: console_.getByText(name, { exact: true }) })
  await row.getByRole('button', { name: '邀请登录手机页' }).click()
  const link = await console_.locator('code').textContent()
  await look(console_, 'console-invitation')
  const secret = link?.split('#')[1] ?? ''
  const phone = await open(browser, link ?? '', PHONE)
  await phone.getByRole('navigation').waitFor()
  expect(new URL(phone.url()).pathname).toBe('/m')
  await phone.getByRole('button', { name: '我的' }).click()
  await phone.getByText(name).first().waitFor()
  const again = await open(browser, link ?? '', PHONE)
  await again.getByRole('alert').waitFor()
  expect(again.url()).not.toContain(secret)
  await look(again, 'phone-invitation-used')
  for (const page of [phone, again]) await page.context().close()
  await console_.goto(`${network.origin}/console`)
  await console_.locator('.maplibregl-canvas').waitFor()
})

test('an observer, in English on a small screen, sees what waits and decides nothing', async () => {
  await submitExercise(origin, [home])
  const page = await open(browser, `${origin}/console`, PHONE, true)
  await signIn(page, 'observer')
  await page.getByText('Compounds', { exact: true }).waitFor()
  await look(page, 'console-phone-en')
  await page.getByRole('link', { name: 'Alerts' }).click()
  await page.getByRole('button', { name: /Awaiting approval/ }).click()
  await page.getByText(/1 compounds/).waitFor()
  for (const order of ['Approve and send', 'Send back', 'Edit']) {
    expect(await page.getByText(order, { exact: true }).count(), order).toBe(0)
  }
  await look(page, 'console-alerts-phone-en')
  await page.context().close()
})

test('a lost connection is said at the top, with the time of the last news, and mends itself', async () => {
  network.cut()
  await console_.getByText(/连接中断，正在重连/).waitFor({ timeout: 6_000 })
  network.mend()
  await console_.getByText(/连接中断/).waitFor({ state: 'detached' })
})
