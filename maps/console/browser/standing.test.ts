/** A node that cannot reach the Redis that the city is kept in: desk and phone say since when they stand still, and go on by themselves. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, openExercise } from './city'
import { DESK, faults, launch, look, open, PHONE, signIn } from './pages'
import { startRedis, startServer, type Redis, type Server } from './server'

let redis: Redis
let server: Server
let browser: Browser
let desk: Page
let phone: Page

beforeAll(async () => {
  redis = await startRedis()
  server = await startServer({ redis })
  browser = await launch()
  desk = await open(browser, `${server.origin}/console/incidents`, DESK)
  await signIn(desk, 'city1')
  await desk.getByText('当前没有进行中的事件').waitFor()
  phone = await open(browser, `${server.origin}/m`, PHONE)
  await signIn(phone, 'commander')
  await phone.getByRole('navigation').waitFor()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  await redis.remove()
  expect(faults, 'errors in the pages').toEqual([])
})

test('who looks is told since when nothing is new, without a command, and it goes on by itself', async () => {
  const banner = (page: Page) => page.getByRole('alert').filter({ hasText: '读写不了城市记录' })
  await redis.kill()
  await banner(desk).waitFor()
  await banner(phone).waitFor()
  expect(await banner(desk).textContent()).toMatch(/截至 \d\d:\d\d:\d\d/)
  await look(desk, 'standing-desk')
  await look(phone, 'standing-phone')
  await desk.getByRole('button', { name: 'English' }).click()
  await desk.getByRole('alert').filter({ hasText: 'cannot reach the city’s records' }).waitFor()
  await look(desk, 'standing-desk-en')
  await desk.getByRole('button', { name: '中文' }).click()
  await redis.start()
  await banner(desk).waitFor({ state: 'detached' })
  await banner(phone).waitFor({ state: 'detached' })
  await openExercise(await Caller.signIn(server.origin, 'city1'), '恢复后启动的演练')
  await desk.getByRole('article', { name: '恢复后启动的演练' }).waitFor()
})
