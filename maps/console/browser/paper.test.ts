/** Paper: sheets and cards that are printed, and a filled sheet that is entered on a phone. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, homeOf } from './city'
import { DESK, faults, launch, look, open, PHONE, signIn } from './pages'
import { scanned } from './qr'
import { startServer, type Server } from './server'

interface Building {
  no: number
  units: number
  floors: number
  flats_per_floor: number
}
interface Household {
  flat: string
  report?: { status: unknown; heads: number; verified: string; made_at: string }
}

let server: Server
let origin: string
let browser: Browser
let city: Caller
let home: string
let incident: string
let buildings: Building[]
let desk: Page
/** The code of the first sheet: stairwell 1 of the first building. */
let code: string

beforeAll(async () => {
  server = await startServer()
  origin = server.origin
  browser = await launch()
  city = await Caller.signIn(origin, 'city1')
  home = await homeOf(await Caller.signIn(origin, 'commander'))
  buildings = (await city.get<{ compound: { buildings: Building[] } }>(`/compounds/${home}`)).compound.buildings
  const opened = { hazard: 'flood', exercise: true, title: '纸质点名演练' }
  incident = (await city.post<{ id: string }>('/incidents', opened)).id
  await city.post(`/incidents/${incident}/switch`, { compounds: [home], to: { emergency: 'II' } })
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  expect(faults, 'errors in the pages').toEqual([])
})

const stairwells = (): number => buildings.reduce((all, building) => all + building.units, 0)
/** Flats of a stairwell of the first building. */
const flats = (): number => (buildings[0]?.floors ?? 0) * (buildings[0]?.flats_per_floor ?? 0)

/** Pages of what would come out of the printer. */
async function printedPages(page: Page): Promise<number> {
  const pdf = await page.pdf({ preferCSSPageSize: true })
  return pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0
}

test('a sheet of A4 for each stairwell, with the incident, its word, the flats in order and a code that phones read', async () => {
  desk = await open(browser, `${origin}/console/paper?place=${home}`, DESK)
  await signIn(desk, 'city1')
  const sheets = desk.locator('.sheet')
  await expect.poll(() => sheets.count()).toBe(stairwells())
  expect(await sheets.first().textContent()).toContain('【演练】')
  expect(await sheets.first().textContent()).toContain('纸质点名演练')
  // Two stairwells are enough for the printer.
  await desk.getByRole('button', { name: '全不选' }).click()
  await desk.getByText('请至少选择一个单元').waitFor()
  for (const unit of ['1-1', '1-2']) await desk.getByLabel(unit, { exact: true }).check()
  expect(await printedPages(desk)).toBe(2)
  await look(desk, 'paper-desk')
  const doors = await sheets.first().locator('tbody th').allTextContents()
  expect(doors.slice(0, 2)).toEqual(['101', buildings[0]?.flats_per_floor === 1 ? '201' : '102'])
  expect(doors).toHaveLength(flats())
  const link = await scanned(desk.locator('svg.qr').first())
  code = link?.split('#')[1] ?? ''
  expect(link).toBe(`${origin}/m/sheet#${code}`)
  expect((await sheets.first().locator('.code p').allTextContents()).join('').replaceAll(' ', '')).toBe(code)
  await desk.emulateMedia({ media: 'print' })
  await desk.screenshot({ path: '../../target/screenshots/paper-sheet.png' })
  await desk.emulateMedia({ media: null })
})

test('a sheet for the cupboard names no incident', async () => {
  await desk.getByLabel('用于事件').selectOption('')
  const first = desk.locator('.sheet').first()
  await expect.poll(() => first.textContent()).toContain('备用表')
  expect(await first.textContent()).not.toContain('【演练】')
})

test('household cards, eight to a sheet; each opens its household', async () => {
  await desk.getByLabel('1-2', { exact: true }).uncheck()
  await desk.getByRole('button', { name: '住户二维码卡' }).click()
  await desk.getByRole('button', { name: '生成二维码卡' }).click()
  await expect.poll(() => desk.locator('.household').count()).toBe(flats())
  expect(await printedPages(desk)).toBe(Math.ceil(flats() / 8))
  await look(desk, 'paper-cards-desk')
  await desk.emulateMedia({ media: 'print' })
  await desk.screenshot({ path: '../../target/screenshots/paper-cards.png' })
  await desk.emulateMedia({ media: null })
  const link = await scanned(desk.locator('svg.qr').first())
  const household = await open(browser, link ?? '', PHONE)
  await household.getByRole('heading', { name: /1-1-101/ }).waitFor()
  await household.context().close()
  await desk.context().close()
})

test('a commander prints without the console', async () => {
  const page = await open(browser, `${origin}/m/print`, PHONE, true)
  await signIn(page, 'commander')
  await page.getByRole('button', { name: 'None', exact: true }).click()
  await page.getByLabel('1-1', { exact: true }).check()
  expect(await page.locator('.sheet').first().textContent()).toContain('EXERCISE')
  expect(await printedPages(page)).toBe(1)
  await look(page, 'paper-phone-en')
  await page.context().close()
})

test('a damaged code is refused in words; the right one opens the sheet', async () => {
  const page = await open(browser, `${origin}/m/sheet`, PHONE)
  const field = page.getByLabel(/表上的编码/)
  const button = page.getByRole('button', { name: '打开这张表' })
  // 1404… → 4104…
  const swapped = `${code[1]}${code[0]}${code.slice(2)}`
  await field.fill(swapped)
  await page.getByText(/编码不对/).waitFor()
  expect(await button.isDisabled()).toBe(true)
  await look(page, 'sheet-code-damaged')
  await field.fill(code)
  await button.click()
  await signIn(page, 'commander')
  await page.getByRole('button', { name: `其余 ${flats()} 户全部安全` }).waitFor()
  await page.context().close()
})

test('a stairwell is entered in a few taps: each report arrives once, with the time on the sheet', async () => {
  const page = await open(browser, `${origin}/m/sheet#${code}`, PHONE, true)
  await signIn(page, 'commander')
  await expect.poll(() => page.locator('.occasion').textContent()).toContain('EXERCISE')
  const door = (flat: string) => page.getByRole('group', { name: flat, exact: true })
  await door('1-1-101').getByRole('button', { name: 'Needs help' }).click()
  const report = page.getByRole('button', { name: /^Report 1 of/ })
  expect(await report.isDisabled(), 'it is not said what help is needed').toBe(true)
  await page.getByRole('button', { name: 'Trapped' }).click()
  await door('1-1-201').getByRole('button', { name: 'Missing' }).click()
  await page.getByRole('button', { name: `All other ${flats() - 2} are safe` }).click()
  await page.reload()
  await page.getByRole('button', { name: `Report ${flats()} of ${flats()} households` }).waitFor()
  // Yesterday evening: later news from the household itself has to win.
  const time = page.getByLabel(/When it was checked/)
  const asked = new Date(Date.now() + 8 * 3_600_000 - 12 * 3_600_000).toISOString().slice(0, 16)
  await time.fill(asked)
  await look(page, 'sheet-entry-en')
  await page.context().setOffline(true)
  await page.getByRole('button', { name: `Report ${flats()} of` }).click()
  await page.getByText(`${flats()} are still on this phone`).waitFor()
  await page.context().setOffline(false)
  await page.getByText('All of it has arrived.').waitFor()
  await look(page, 'sheet-entered-en')
  const { items } = await city.get<{ items: Household[] }>(
    `/incidents/${incident}/compounds/${home}/households?unit=1-1&limit=500`,
  )
  const said = new Map(items.map(({ flat, report }) => [flat, report]))
  expect(said.get('1-1-101')?.status).toEqual({ need_help: { kinds: ['trapped'] } })
  expect(said.get('1-1-201')).toMatchObject({ status: 'missing', heads: 0 })
  expect([...said.values()].filter((one) => one?.status === 'safe')).toHaveLength(flats() - 2)
  expect(said.get('1-1-101')?.verified).toBe('door_to_door')
  expect(Date.parse(said.get('1-1-101')?.made_at ?? '')).toBe(Date.parse(`${asked}+08:00`))
  await page.context().close()
})

test('the same sheet again is warned of; one of an incident that is over is refused', async () => {
  const page = await open(browser, `${origin}/m/sheet#${code}`, PHONE)
  await signIn(page, 'commander')
  await page.getByText(`其中 ${flats()} / ${flats()} 户已有报告`).waitFor()
  await page.getByRole('button', { name: `其余 ${flats()} 户全部安全` }).click()
  await page.getByRole('button', { name: `上报 ${flats()} / ${flats()} 户` }).click()
  await page.getByText('已全部送达').waitFor()
  await page.reload()
  await page.getByText(/此手机已于 .* 录入过这张表/).waitFor()
  await look(page, 'sheet-again')
  const help = await city.get<{ items: { help: string }[] }>(`/incidents/${incident}/help`)
  expect(help.items, '"safe" does not undo "need help"').toHaveLength(1)
  await city.post(`/incidents/${incident}/switch`, { compounds: [home], to: 'normal' })
  const end = { help: help.items[0]?.help, how: 'resolved', reason: '已转移到安全处' }
  await city.post(`/incidents/${incident}/help/end`, end)
  await city.post(`/incidents/${incident}/close`)
  await page.reload()
  await page.getByText('已经结束，不能再录入').waitFor()
  await look(page, 'sheet-over')
  await page.context().close()
})
