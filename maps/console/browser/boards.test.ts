/** The boards, in the browser: an exercise is opened, a street switched, posts answered for, the roll and its help requests worked off. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, homeOf } from './city'
import { DESK, faults, launch, look, open, PHONE, signIn } from './pages'
import { startServer, type Server } from './server'

interface Compound {
  compound: { name: string }
  /** City, county, street, community. */
  areas: { name: string }[]
}

let server: Server
let browser: Browser
let city: Caller
let home: string
let compound: Compound
/** The dispatcher who works, in Chinese; and one who watches on a small screen, in English. */
let desk: Page
let watcher: Page

beforeAll(async () => {
  server = await startServer()
  browser = await launch()
  city = await Caller.signIn(server.origin, 'city1')
  home = await homeOf(await Caller.signIn(server.origin, 'commander'))
  compound = await city.get<Compound>(`/compounds/${home}`)
  desk = await open(browser, `${server.origin}/console/incidents`, DESK)
  await signIn(desk, 'city1')
  watcher = await open(browser, `${server.origin}/console/duty`, PHONE, true)
  await signIn(watcher, 'observer')
  await watcher.getByText('No incident is open').first().waitFor()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  expect(faults, 'errors in the pages').toEqual([])
})

const band = (page: Page) => page.locator('.band')
const LEVELS = ['city', 'county', 'street', 'community'] as const
const nameOf = (level: (typeof LEVELS)[number]): string => compound.areas[LEVELS.indexOf(level)]?.name ?? ''
/** Down through the breadcrumbs' areas, by the names in the table. */
async function drill(page: Page, ...names: string[]): Promise<void> {
  for (const name of names) await page.locator('tbody').getByRole('button', { name, exact: true }).click()
}
const number = (page: Page, word: string) => page.locator(`dl div:has(dt:text-is("${word}")) dd`).last()

test('an exercise is opened, and the real thing asks for a word first', async () => {
  const form = desk.getByRole('form', { name: '启动事件' })
  await form.getByText('真实', { exact: true }).click()
  await form.getByRole('combobox', { name: '灾种' }).press('Enter')
  await desk.getByRole('option', { name: '洪涝' }).click()
  await form.getByLabel('事件名称').fill('漳河洪水演练')
  expect(await form.getByRole('button', { name: '启动真实事件' }).isDisabled()).toBe(true)
  await look(desk, 'boards-open-real')
  await form.getByText('演练', { exact: true }).click()
  await form.getByRole('button', { name: '启动演练' }).click()
  await desk.getByRole('article', { name: '漳河洪水演练' }).waitFor()
  await band(desk).getByText(/演练/).waitFor()
  await band(watcher)
    .getByText(/EXERCISE|Exercise/)
    .waitFor()
  await look(desk, 'boards-incidents')
})

test('a street is switched to emergency: what that does is said before, and seen after', async () => {
  await desk.getByRole('link', { name: '到岗', exact: true }).first().click()
  await drill(desk, nameOf('county'), nameOf('street'))
  const order = desk.getByRole('form', { name: '平急转换' })
  await order.getByText('Ⅱ级', { exact: true }).click()
  const preview = order.getByRole('group', { name: '转换前核对' })
  const said = (await preview.locator('.count').textContent()) ?? ''
  const compounds = Number(/\d+/.exec(said)?.[0])
  expect(compounds).toBeGreaterThan(0)
  const calls = Number(/将呼叫 (\d+) 人/.exec((await preview.textContent()) ?? '')?.[1])
  expect(calls).toBeGreaterThan(0)
  await look(desk, 'boards-switch')
  await preview.getByRole('button', { name: '【演练】转为Ⅱ级' }).click()
  await order.getByText(new RegExp(`已将 ${compounds} 个小区转为Ⅱ级`)).waitFor()
  await expect.poll(() => number(desk, '急时小区').textContent()).toBe(String(compounds))
  await expect.poll(() => number(desk, '待应答').textContent()).toBe(calls.toLocaleString())
  await expect.poll(() => number(watcher, 'In emergency').textContent()).toBe(String(compounds))
  await look(desk, 'boards-duty')
  await look(watcher, 'boards-duty-phone-en')
  expect(await watcher.getByRole('form').count(), 'who only watches gives no order').toBe(0)
})

test('an answer by voice is noted by name', async () => {
  await drill(desk, nameOf('community'), compound.compound.name)
  const calls = desk.getByRole('region', { name: '到岗通知' }).locator('tbody tr')
  const first = calls.filter({ hasText: '待应答' }).first()
  await first.waitFor()
  expect(await first.getByText('姓名未显示').count(), 'no name before it is asked for').toBe(1)
  await desk.getByRole('button', { name: '显示姓名和电话' }).click()
  await expect.poll(() => first.getByText('姓名未显示').count()).toBe(0)
  const post = await first.locator('th').textContent()
  await first.getByRole('button', { name: /记为已到岗/ }).click()
  await calls
    .filter({ hasText: post ?? '-' })
    .filter({ hasText: '已到岗' })
    .first()
    .waitFor()
  await look(desk, 'boards-calls')
})

test('the roll leads down to the flat, and the vulnerable wait first', async () => {
  const { incident } = await openIncident()
  const flats = await city.get<{ items: { flat: string; needs: string[] }[] }>(
    `/incidents/${incident}/compounds/${home}/households?limit=500`,
  )
  const frail = flats.items.find((row) => row.needs.length > 0)?.flat ?? ''
  const sound = flats.items.find((row) => row.needs.length === 0)?.flat ?? ''
  const cry = (flat: string, kind: string) =>
    city.post(`/incidents/${incident}/check-ins`, {
      household: `${home}/${flat}`,
      status: { need_help: { kinds: [kind] } },
      heads: 2,
      verified: 'relayed',
      made_at: new Date().toISOString(),
    })
  await cry(sound, 'medical')
  await cry(frail, 'supplies')
  await desk.getByRole('link', { name: '点名', exact: true }).first().click()
  await drill(desk, nameOf('county'), nameOf('street'))
  await look(desk, 'boards-roll')
  const [building, stair] = frail.split('-')
  await drill(desk, nameOf('community'), compound.compound.name, `${building} 号楼`, `${building}-${stair} 单元`)
  const row = desk.getByRole('region', { name: '逐户情况' }).getByRole('row', { name: new RegExp(frail) })
  await row.getByText('需要帮助').waitFor()
  const waiting = desk.getByRole('complementary', { name: '求助' }).getByRole('article')
  expect(await waiting.count()).toBe(2)
  expect(await waiting.first().textContent(), 'the vulnerable first, though the other is graver').toContain(frail)
  await look(desk, 'boards-stairwell')
})

test('a request is given to somebody by name, and ended with a reason', async () => {
  const first = desk.getByRole('complementary', { name: '求助' }).getByRole('article').first()
  const where = (await first.getAttribute('aria-label')) ?? ''
  await first.getByRole('button', { name: `派人：${where}` }).click()
  const dialog = desk.getByRole('dialog', { name: `派人：${where}` })
  const helper = dialog.getByRole('radio').first()
  await helper.check()
  const name = await dialog.locator('label b').first().textContent()
  await look(desk, 'boards-assign')
  await dialog.getByRole('button', { name: '确定派出' }).click()
  await dialog.waitFor({ state: 'detached' })
  await first.getByText(name ?? '-').waitFor()
  await first.getByRole('button', { name: `了结求助：${where}` }).click()
  const ending = desk.getByRole('dialog', { name: `了结求助：${where}` })
  await ending.getByLabel('说明（必填）').fill('已送达食品和药品')
  await look(desk, 'boards-end')
  await ending.getByRole('button', { name: '确定了结' }).click()
  await expect.poll(() => desk.getByRole('complementary', { name: '求助' }).getByRole('article').count()).toBe(1)
})

test('an incident is closed when nothing hinders it, and every screen says so at once', async () => {
  await desk.getByRole('link', { name: '事件', exact: true }).click()
  const card = desk.getByRole('article', { name: '漳河洪水演练' })
  await card.getByText(/尚不能结束/).waitFor()
  expect(await card.getByRole('button', { name: '结束事件' }).isDisabled()).toBe(true)
  const { incident } = await openIncident()
  const help = await city.get<{ items: { help: string }[] }>(`/incidents/${incident}/help`)
  const ended = { help: help.items[0]?.help, how: 'handed_over', reason: '移交医院' }
  await city.post(`/incidents/${incident}/help/end`, ended)
  await card.getByRole('link', { name: '到岗' }).click()
  const order = desk.getByRole('form', { name: '平急转换' })
  await order.getByText('平时', { exact: true }).click()
  await order.getByRole('button', { name: '【演练】转为平时' }).click()
  await order.getByText(/个小区转为平时/).waitFor()
  await desk.getByRole('link', { name: '事件', exact: true }).click()
  await card.getByRole('button', { name: '结束事件' }).click()
  await card.getByRole('button', { name: '确定结束' }).click()
  await card.waitFor({ state: 'detached' })
  await band(desk).waitFor({ state: 'detached' })
  await band(watcher).waitFor({ state: 'detached' })
  await watcher.getByText('This incident has ended').waitFor()
})

async function openIncident(): Promise<{ incident: string }> {
  const { items } = await city.get<{ items: { id: string }[] }>('/incidents?open=true')
  return { incident: items[0]?.id ?? '' }
}
