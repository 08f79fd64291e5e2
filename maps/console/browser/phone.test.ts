/** What a commander, a deputy and a post-holder do on their phones, one handing to the other. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, homeOf } from './city'
import { faults, launch, look, open, PHONE, signIn } from './pages'
import type { OwnAlert } from '../src/shared/schema'
import { startServer, type Server } from './server'

let server: Server
let browser: Browser
let city: Caller
let home: string
let incident: string
let commander: Page
let deputy: Page
/** In English. */
let holder: Page
let holderId: string
let deputyId: string

beforeAll(async () => {
  server = await startServer()
  browser = await launch()
  city = await Caller.signIn(server.origin, 'city1')
  home = await homeOf(await Caller.signIn(server.origin, 'commander'))
  deputyId = await giveDeputyAnAccount()
  const me = await (await Caller.signIn(server.origin, 'post')).get<{ giver: { person: string } }>('/me')
  holderId = me.giver.person
  ;[commander, deputy, holder] = await Promise.all([onPhone('commander'), onPhone('deputy'), onPhone('post', true)])
  await look(commander, 'phone-quiet')
  const opened = { hazard: 'flood', exercise: true, title: '手机页面演练' }
  incident = (await city.post<{ id: string }>('/incidents', opened)).id
  await city.post(`/incidents/${incident}/switch`, { compounds: [home], to: { emergency: 'II' } })
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  expect(faults, 'errors in the pages').toEqual([])
})

async function giveDeputyAnAccount(): Promise<string> {
  const { line } = await city.get<{ line: string[] }>(`/compounds/${home}/command`)
  const person = line[1]
  if (!person) throw new Error("the commander's compound has no deputy")
  const admin = await Caller.signIn(server.origin, 'admin')
  await admin.post('/accounts', { person, login: 'deputy', password: 'muster-demo-1404', grants: [] })
  return person
}

async function onPhone(login: string, english = false): Promise<Page> {
  const page = await open(browser, `${server.origin}/m`, PHONE, english)
  await signIn(page, login)
  await page.getByRole('navigation').waitFor()
  return page
}
const tab = (page: Page, name: string | RegExp) => page.getByRole('navigation').getByRole('button', { name })

test('the checklist keeps its ticks over a reload', async () => {
  await commander.getByRole('heading', { name: /处置清单/ }).waitFor()
  const tasks = commander.locator('.task')
  await tasks.nth(0).click()
  await tasks.nth(2).click()
  await commander.reload()
  await tasks.nth(2).waitFor()
  const ticked = (await tasks.all()).map((task) => task.getAttribute('aria-pressed'))
  expect((await Promise.all(ticked)).slice(0, 3)).toEqual(['true', 'false', 'true'])
  await look(commander, 'phone-command')
})

test('the text to call out is said in large letters, with the word that it is an exercise', async () => {
  await commander.getByRole('button', { name: '喊话内容' }).click()
  const sheet = commander.getByRole('dialog', { name: '喊话内容' })
  await sheet.getByText(/^【演练】.+【演练】$/).waitFor()
  await look(commander, 'phone-read-out')
  await sheet.getByRole('button', { name: '关闭' }).click()
  await commander.getByRole('button', { name: '邻近小区' }).click()
  await commander
    .getByText(/步行约|没有其他小区/)
    .first()
    .waitFor()
  await look(commander, 'phone-neighbours')
  await commander.getByRole('button', { name: '关闭' }).click()
})

test('the command is offered, and is handed over when the deputy accepts it', async () => {
  await commander.getByRole('button', { name: '移交指挥' }).click()
  const sheet = commander.getByRole('dialog', { name: '移交指挥' })
  await sheet.getByRole('button', { name: '显示姓名和电话' }).click()
  await sheet.getByRole('button', { name: '移交指挥' }).click()
  await sheet.locator('a[href^="tel:"]').first().waitFor()
  await sheet.getByRole('button', { name: '移交给此人' }).first().click()
  await sheet.getByText('已发出，等待对方接受').waitFor()
  await look(commander, 'phone-hand-over')
  const before = await city.get<{ holder: { person: string } }>(`/compounds/${home}/command`)
  expect(before.holder.person, 'an offer changes nothing').not.toBe(deputyId)
  await deputy.getByRole('button', { name: '接受指挥权' }).waitFor()
  await look(deputy, 'phone-offer')
  await deputy.getByRole('button', { name: '接受指挥权' }).click()
  await deputy.getByText('由您指挥').waitFor()
  await sheet.getByText(/现由副指挥.*指挥/).waitFor()
  await sheet.getByRole('button', { name: '关闭' }).click()
  expect(await commander.getByText('由您指挥').count()).toBe(0)
  const after = await city.get<{ holder: { person: string } }>(`/compounds/${home}/command`)
  expect(after.holder.person).toBe(deputyId)
  await look(deputy, 'phone-in-command')
})

test('a post-holder is told what to do in English, accepts, and is on post', async () => {
  await look(holder, 'phone-call-en')
  const duty = await holder.locator('.call .duty').textContent()
  expect(duty).toMatch(/^[A-Z][a-z ]/)
  await holder.getByRole('button', { name: 'Got it, on my way' }).click()
  await holder.getByRole('button', { name: 'I am on post' }).click()
  await holder.getByText('On post', { exact: true }).waitFor()
})

test('several kinds of help and a note are reported at a door, and a report is corrected', async () => {
  await holder.getByRole('button', { name: 'Door-to-door roll' }).click()
  await holder.getByRole('button', { name: /\d+ households not reported yet/ }).waitFor()
  await look(holder, 'phone-roll-en')
  await holder.getByRole('button', { name: /^1-1 / }).click()
  const door = holder.locator('article.card').nth(1)
  await door.getByRole('button', { name: 'Needs help' }).click()
  await door.getByRole('button', { name: 'Medical' }).click()
  await door.getByRole('button', { name: 'Trapped' }).click()
  await door.getByRole('textbox').fill('back door, 2nd floor')
  await look(holder, 'phone-door-en')
  await door.getByRole('button', { name: 'Report: needs help' }).click()
  await door.getByText('Needs help').waitFor()
  const waiting = () =>
    city.get<{ items: { kinds: string[]; note: string }[] }>(`/incidents/${incident}/help?compound=${home}`)
  await expect.poll(async () => (await waiting()).items).toHaveLength(1)
  expect((await waiting()).items[0]).toMatchObject({ kinds: ['medical', 'trapped'], note: 'back door, 2nd floor' })
  const other = holder.locator('article.card').nth(2)
  await other.getByRole('button', { name: 'Missing' }).click()
  await other.getByRole('button', { name: /Correct/ }).click()
  await other.getByRole('button', { name: 'Safe' }).click()
  const counts = async () =>
    (await city.get<{ counts: object }>(`/incidents/${incident}/compounds/${home}/roll`)).counts
  await expect.poll(counts).toMatchObject({ safe: 1, missing: 0, need_help: 1 })
  await look(holder, 'phone-doors-en')
})

test('help is given to somebody by name, who ends it with a reason', async () => {
  await tab(deputy, /求助/).click()
  await deputy.getByText('备注：back door, 2nd floor').waitFor()
  await deputy.getByRole('button', { name: '派人' }).click()
  await deputy.getByRole('button', { name: '显示姓名和电话' }).click()
  await deputy.getByRole('button', { name: '安排人员救助' }).click()
  const { name } = await (await Caller.signIn(server.origin, 'post')).get<{ name: string }>('/me')
  await look(deputy, 'phone-assign')
  await deputy.getByRole('button', { name }).first().click()
  await deputy.getByText(`已派人：${name}`).waitFor()
  await look(deputy, 'phone-help')
  await tab(holder, 'Now').click()
  await holder.getByRole('button', { name: /1 help requests are yours/ }).click()
  await holder.getByText('Given to you').waitFor()
  await holder.getByRole('button', { name: 'End it' }).click()
  await look(holder, 'phone-end-help-en')
  await holder.getByRole('button', { name: 'Taken to hospital' }).click()
  await deputy.getByText('目前没有待处理的求助').waitFor()
  const left = await city.get<{ items: unknown[] }>(`/incidents/${incident}/help`)
  expect(left.items).toEqual([])
})

test('a commander alone alerts the own compound, only by holding the button', async () => {
  await tab(deputy, /现在/).click()
  await deputy.getByRole('button', { name: '紧急直发' }).click()
  const sheet = deputy.getByRole('dialog', { name: '紧急直发' })
  await sheet.getByRole('button', { name: '火灾' }).click()
  const hold = sheet.getByRole('button', { name: /按住 3 秒，发布演练预警/ })
  await expect.poll(() => hold.isEnabled()).toBe(true)
  await look(deputy, 'phone-break-glass')
  await hold.click()
  const alerts = async () => (await city.get<{ items: unknown[] }>('/alerts?status=issued')).items.length
  expect(await alerts(), 'a tap sends nothing').toBe(0)
  await hold.hover()
  await deputy.mouse.down()
  const alert = holder.getByRole('alertdialog')
  await alert.waitFor()
  await deputy.mouse.up()
  expect(await alert.textContent()).toContain('EXERCISE')
  await look(holder, 'phone-alert-en')
  await holder.keyboard.press('Escape')
  await holder.keyboard.press('Escape')
  await expect.poll(() => alert.isVisible(), { message: 'nothing but the acknowledgement closes it' }).toBe(true)
  await alert.getByRole('button', { name: 'Silence' }).click()
  await expect.poll(() => alert.getByRole('button', { name: 'Silence' }).count()).toBe(0)
  await alert.getByRole('button', { name: 'I have got it' }).click()
  await alert.waitFor({ state: 'detached' })
  // Read anew, it stays so: the phone's word has to be with the server first.
  const same = await Caller.signIn(server.origin, 'post')
  const heard = async () => (await same.get<{ alerts: OwnAlert[] }>('/me')).alerts.map((one) => one.acknowledged)
  await expect.poll(heard).toEqual([true])
  const readAnew = holder.waitForResponse(/\/api\/v1\/me$/)
  await holder.reload()
  await (await readAnew).finished()
  await tab(holder, 'Me').click()
  await holder.getByRole('heading', { name: 'Service record' }).waitFor()
  expect(await alert.count(), 'it was acknowledged').toBe(0)
  for (const page of [deputy, commander]) await page.getByRole('button', { name: '我已收到' }).click()
  await sheet.getByRole('button', { name: '确定' }).click()
})

test('a post is given up, asked for again, and granted by whoever commands', async () => {
  const claims = async () => {
    const posts = await city.get<{ claims: { person: string; status: string }[] }[]>(`/compounds/${home}/posts`)
    return posts.flatMap((post) => post.claims).filter((claim) => claim.person === holderId)
  }
  await tab(holder, 'Posts').click()
  await look(holder, 'phone-posts-en')
  await holder.getByRole('button', { name: 'Give up' }).click()
  await holder.getByRole('button', { name: 'Yes, give it up' }).click()
  await expect.poll(claims).toEqual([])
  await holder.getByRole('button', { name: 'Ask for it again' }).click()
  await expect.poll(async () => (await claims()).map((claim) => claim.status)).toEqual(['applied'])
  await tab(deputy, /岗位/).click()
  await deputy.getByRole('button', { name: '同意', exact: true }).click()
  await expect.poll(async () => (await claims()).map((claim) => claim.status)).toEqual(['approved'])
  await look(deputy, 'phone-posts')
})

test('the service record shows the exercise, apart from the real thing', async () => {
  await city.post(`/incidents/${incident}/switch`, { compounds: [home], to: 'normal' })
  await tab(holder, 'Me').click()
  const exercise = holder.locator('dt:has-text("EXERCISE") + dd')
  await expect.poll(() => exercise.textContent()).toMatch(/on post 1 times/)
  expect(await holder.locator('dt:has-text("REAL") + dd').textContent()).toMatch(/called 0 times/)
  await look(holder, 'phone-me-en')
  await tab(commander, '我的').click()
  await commander.getByText('服务记录').waitFor()
  await look(commander, 'phone-me')
})
