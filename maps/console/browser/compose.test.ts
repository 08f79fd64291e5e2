/** Writing an alert: drawn, previewed, filled in, mended, handed in, approved, updated and withdrawn, all by the page. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, homeOf } from './city'
import { drawOver, takeTool } from './draw'
import { DESK, faults, launch, look, open, PHONE, signIn } from './pages'
import { startServer, type Server } from './server'

let server: Server
let browser: Browser
let city: Caller
let first: Page
let second: Page
/** The alert that is drawn, approved, updated and withdrawn. */
let alert: string

beforeAll(async () => {
  server = await startServer()
  browser = await launch()
  city = await Caller.signIn(server.origin, 'city1')
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  expect(faults, 'errors in the pages').toEqual([])
})

interface Alert {
  status: string
  compounds: number
  target: { include: { polygons?: unknown[]; corridors?: { within_m: number }[] } }
}
const alertOf = (id: string): Promise<Alert> => city.get<Alert>(`/alerts/${id}`)
const compoundsSeen = (page: Page) =>
  page.getByRole('status', { name: /影响范围预览|Whom it would reach/ }).locator('.compounds dd')
/** The alert to which the page went when it was kept or sent. */
async function alertShown(page: Page): Promise<string> {
  await page.waitForURL(({ pathname, searchParams }) => pathname.endsWith('/alerts') && searchParams.has('alert'))
  return new URL(page.url()).searchParams.get('alert') ?? ''
}

const MAP = '划定范围的地图'

test('an exercise is opened, and the whole frame says so', async () => {
  first = await open(browser, `${server.origin}/console`, DESK)
  await signIn(first, 'city1')
  await first.getByRole('link', { name: '发布预警' }).click()
  const openIt = first.getByRole('button', { name: '启动事件' })
  await first.getByRole('textbox', { name: '事件名称' }).fill('漳河洪水演练')
  expect(await openIt.isDisabled(), 'real or exercise is never taken for granted').toBe(true)
  await first.getByText('演练', { exact: true }).click()
  await openIt.click()
  await first.getByRole('radio', { name: /漳河洪水演练/ }).waitFor()
  await expect.poll(() => first.locator('.band').first().textContent()).toContain('演练')
  await look(first, 'compose-start')
})

test('an outline drawn with the mouse hits what the server says that it hits', async () => {
  await takeTool(first, '画多边形')
  await drawOver(first, MAP, [0.25, 0.3], [0.75, 0.75], 'enter')
  await first.getByText('多边形（4 个顶点）').waitFor()
  await expect.poll(() => compoundsSeen(first).textContent()).toMatch(/^[1-9]/)
  const drawn = await compoundsSeen(first).textContent()
  // A smaller one is left out of it, and the number falls.
  await takeTool(first, '画多边形')
  await drawOver(first, MAP, [0.55, 0.6], [0.75, 0.75], 'enter')
  await first.getByRole('button', { name: '改为排除' }).last().click()
  await expect.poll(() => compoundsSeen(first).textContent()).not.toBe(drawn)
  await look(first, 'compose-drawn')
})

test('the template is filled in; the linter marks what is missing where it stands, until it is mended', async () => {
  await first.getByText('红色', { exact: true }).click()
  for (const [language, place, sender] of [
    ['中文', '浊漳河沿岸', '长治市应急管理局'],
    ['英文', 'Zhuozhang River', 'Changzhi Emergency Bureau'],
  ]) {
    await first.getByRole('textbox', { name: `地点 · ${language}` }).fill(place ?? '')
    await first.getByRole('textbox', { name: `发布单位 · ${language}` }).fill(sender ?? '')
  }
  const marks = first.locator('mark.blocks')
  await expect.poll(() => marks.allTextContents()).toEqual(['{phone}', '{phone}', '{phone}', '{phone}'])
  await first.getByText('“{phone}”还没有填写，请填写后再提交。').first().waitFor()
  const handIn = first.getByRole('button', { name: '提交审批' })
  expect(await handIn.isDisabled()).toBe(true)
  await look(first, 'compose-marks')
  for (const language of ['中文', '英文']) {
    await first.getByRole('textbox', { name: `联系电话 · ${language}` }).fill('0355-2190119')
  }
  await first.getByText('文字检查通过').waitFor()
  expect(await marks.count()).toBe(0)
  expect(await first.locator('.phone .headline').textContent()).toContain('【演练】浊漳河沿岸')
  await handIn.scrollIntoViewIfNeeded()
  await look(first, 'compose-ready')
  const seen = Number(await compoundsSeen(first).textContent())
  await handIn.click()
  alert = await alertShown(first)
  const { status, compounds, target } = await alertOf(alert)
  expect([status, compounds, target.include.polygons?.length]).toEqual(['awaiting_approval', seen, 1])
})

test('a second person sends it back; the author mends the draft and hands it in anew; it is approved', async () => {
  second = await open(browser, `${server.origin}/console/alerts?alert=${alert}`, DESK)
  await signIn(second, 'city2')
  await second.getByLabel('退回原因').fill('请写明撤离路线')
  await second.getByRole('button', { name: '退回' }).click()
  await expect.poll(async () => (await alertOf(alert)).status).toBe('rejected')
  await first.reload()
  await first.getByRole('link', { name: '修改' }).click()
  await first.getByText('被退回：请写明撤离路线').waitFor()
  await first.getByText('多边形（4 个顶点）').first().waitFor()
  const said = first.getByRole('region', { name: '中文' }).getByLabel('行动指引')
  await said.fill(`${await said.inputValue()}\n6. 沿英雄中路向北撤离。`)
  await first.getByRole('button', { name: '提交审批' }).click()
  await expect.poll(async () => (await alertOf(alert)).status).toBe('awaiting_approval')
  await second.reload()
  await second.getByLabel(/请输入小区数/).fill(String((await alertOf(alert)).compounds))
  await second.getByRole('button', { name: '批准并发送' }).click()
  await expect.poll(async () => (await alertOf(alert)).status).toBe('issued')
})

test('an update is filled from the old alert, and reaches who got that one; it is withdrawn in one dialog', async () => {
  await first.reload()
  await first.getByRole('group', { name: '处理这条预警' }).waitFor()
  await look(first, 'compose-actions')
  await first.getByRole('link', { name: '更新' }).click()
  const headline = first.getByRole('region', { name: '中文' }).getByLabel('标题')
  await headline.waitFor()
  expect(await headline.inputValue()).toContain('浊漳河沿岸')
  await headline.fill('【演练】浊漳河沿岸洪峰提前，请立即转移到高处【演练】')
  const { compounds } = await alertOf(alert)
  await expect.poll(() => compoundsSeen(first).textContent()).toBe(String(compounds))
  await first.getByRole('button', { name: '提交审批' }).click()
  const update = await alertShown(first)
  await second.goto(`${server.origin}/console/alerts?alert=${update}`)
  await second.getByLabel(/请输入小区数/).fill(String(compounds))
  await second.getByRole('button', { name: '批准并发送' }).click()
  await expect.poll(async () => (await alertOf(alert)).status).toBe('updated')
  await first.reload()
  await first.getByRole('button', { name: '解除' }).click()
  const dialog = first.getByRole('dialog', { name: '解除预警' })
  const confirm = dialog.getByRole('button', { name: '确认解除' })
  expect(await confirm.isDisabled(), 'nothing is withdrawn without a reason').toBe(true)
  await dialog.getByLabel('解除原因（中文）').fill('水位已回落')
  await dialog.getByLabel('解除原因（英文）').fill('the water has fallen')
  await look(first, 'compose-cancel')
  await confirm.click()
  await expect.poll(async () => (await alertOf(update)).status).toBe('cancelled')
})

test('what a commander sent alone is countersigned by the page', async () => {
  const commander = await Caller.signIn(server.origin, 'commander')
  const compound = await homeOf(commander)
  const values = {
    'zh-CN': { place: '3号楼', sender: '小区指挥部', phone: '0355-2190119' },
    'en-US': { place: 'Building 3', sender: 'Compound command' },
  }
  const request = { hazard: 'fire', colour: 'red', kind: 'new', exercise: false, values }
  const { content } = await commander.post<{ content: object }>('/templates/render', request)
  const form = { compound, content, reason: '火势已到二楼' }
  const { id } = await commander.post<{ id: string }>('/alerts/break-glass', form)
  await first.goto(`${server.origin}/console/alerts?alert=${id}`)
  await first.getByRole('button', { name: '补签', exact: true }).click()
  const countersigned = async () => (await city.get<{ needs_countersign: boolean }>(`/alerts/${id}`)).needs_countersign
  await expect.poll(countersigned).toBe(false)
  await first.getByRole('button', { name: '补签', exact: true }).waitFor({ state: 'detached' })
})

test('with the keyboard alone, on a small screen: along a river; a real alert asks for the number', async () => {
  await city.post('/incidents', { hazard: 'flood', exercise: false, title: 'Zhuozhang flood' })
  const page = await open(browser, `${server.origin}/console/alerts/new`, PHONE, true)
  const { keyboard } = page
  await signIn(page, 'city1')
  await page.getByRole('radio', { name: /Zhuozhang flood/ }).press('Space')
  await expect.poll(() => page.locator('.band').first().textContent()).toContain('REAL')
  const river = page.getByRole('combobox', { name: 'Along which river' })
  await river.focus()
  await keyboard.press('Enter')
  const option = page.getByRole('option', { name: '浊漳河南源' })
  await option.waitFor()
  const isMarked = async (): Promise<boolean> => /is-hovering/.test((await option.getAttribute('class')) ?? '')
  while (!(await isMarked())) await keyboard.press('ArrowDown')
  await keyboard.press('Enter')
  await page.getByRole('button', { name: 'Add along the river' }).press('Enter')
  await page.getByText('浊漳河南源, within 2000 m').waitFor()
  await expect.poll(() => compoundsSeen(page).textContent()).toMatch(/^[1-9]/)
  const compounds = await compoundsSeen(page).textContent()
  await page.getByRole('radio', { name: 'Red' }).press('Space')
  for (const [blank, chinese, english] of [
    ['Place', '浊漳河沿岸', 'Zhuozhang River'],
    ['Sender', '长治市应急管理局', 'Changzhi Emergency Bureau'],
    ['Phone', '0355-2190119', '0355-2190119'],
  ] as const) {
    await page.getByRole('textbox', { name: `${blank} · Chinese` }).fill(chinese)
    await page.getByRole('textbox', { name: `${blank} · English` }).fill(english)
  }
  await page.getByText('The text says what it has to').waitFor()
  const number = page.getByLabel('A real alert: type the number')
  const handIn = page.getByRole('button', { name: 'Hand in for approval' })
  await number.fill('999')
  await page.getByText(/You typed 999, but/).waitFor()
  expect(await handIn.isDisabled(), 'the number that is typed is not the one that it hits').toBe(true)
  await look(page, 'compose-real-phone-en')
  await number.fill(compounds ?? '')
  await number.press('Enter')
  const sent = await alertOf(await alertShown(page))
  expect([sent.status, sent.compounds]).toEqual(['awaiting_approval', Number(compounds)])
  expect(sent.target.include.corridors?.every(({ within_m }) => within_m === 2_000)).toBe(true)
  await page.context().close()
})
