/** The register in the browser: files, commanders, posts, plans, accounts and areas entered and corrected by those who may. */
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller } from './city'
import { DESK, faults, launch, look, open, PHONE, signIn } from './pages'
import { startServer, type Server } from './server'

let server: Server
let origin: string
let browser: Browser
/** A city dispatcher, in Chinese, at a desk. */
let desk: Page
/** An administrator, in English, on a small screen. */
let admin: Page
/** Where the demo's post-holder lives; and a compound without a commander. */
let home: string
let headless: string

interface Row {
  id: string
  name: string
  gaps: string[]
}

beforeAll(async () => {
  server = await startServer()
  origin = server.origin
  browser = await launch()
  const holder = await Caller.signIn(origin, 'post')
  home = (await holder.get<{ places: { compound: string }[] }>('/me')).places[0]?.compound ?? ''
  desk = await open(browser, `${origin}/console/records`, DESK)
  await signIn(desk, 'city1')
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  expect(faults, 'errors in the pages').toEqual([])
})

/** Chooses from a list with the keyboard to open it. */
async function choose(page: Page, list: string, option: string | RegExp, within: Page | Locator = page): Promise<void> {
  await within.getByRole('combobox', { name: list }).press('ArrowDown')
  await page.getByRole('option', { name: option }).click()
}
/** A file as somebody picks it. */
const csv = (name: string, text: string) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) })

test('the list shows what is missing, and can be narrowed to it', async () => {
  const rows = desk.locator('tbody tr')
  await expect.poll(() => rows.count()).toBe(60)
  await look(desk, 'records-list')
  await choose(desk, '缺项', '无指挥长')
  const city = await Caller.signIn(origin, 'city1')
  const { items } = await city.get<{ items: Row[] }>('/compounds?gap=no_commander')
  headless = items[0]?.id ?? ''
  await expect.poll(() => rows.count()).toBe(items.length)
  await rows.getByRole('link', { name: items[0]?.name }).click()
  await desk.getByText('尚未任命指挥长').waitFor()
})

test('a commander is entered and named, a deputy follows, and the order is changed', async () => {
  const form = desk.getByRole('form', { name: '登记人员' })
  for (const [name, phone, part] of [
    ['测试甲', '13900000001', /^指挥长/],
    ['测试乙', '13900000002', /^副指挥长/],
  ] as const) {
    await form.getByLabel('姓名').fill(name)
    await form.getByLabel('电话').fill(phone)
    await choose(desk, '职责', part, form)
    await form.getByRole('button', { name: '登记' }).click()
    await expect.poll(() => form.getByLabel('姓名').inputValue()).toBe('')
  }
  await desk.getByLabel('查看原因（将被记录）').fill('测试核对')
  await desk.getByRole('button', { name: '显示姓名和电话' }).click()
  const line = desk.getByRole('region', { name: '指挥顺序' }).locator('li')
  await expect
    .poll(() => line.allTextContents())
    .toEqual([
      expect.stringMatching(/指挥长.*测试甲.*13900000001.*现任指挥/),
      expect.stringMatching(/第1副指挥长.*测试乙/),
    ])
  await desk.getByRole('button', { name: '上移：测试乙' }).click()
  await look(desk, 'records-command')
  // A wrong click must not lose it.
  await desk.getByRole('link', { name: '区划' }).click()
  await desk.getByRole('button', { name: '留在此页' }).click()
  await desk.getByRole('button', { name: '保存' }).click()
  await desk.getByText(/已于 .* 保存/).waitFor()
  const city = await Caller.signIn(origin, 'city1')
  const contacts = await city.get<{ name: string; rank: number | null }[]>(`/compounds/${headless}/contacts?why=test`)
  expect(contacts.filter(({ rank }) => rank).map(({ name }) => name)).toEqual(['测试乙', '测试甲'])
})

test('what somebody else saved meanwhile is not overwritten unseen', async () => {
  await desk.getByRole('tab', { name: '物资' }).click()
  await desk.getByRole('button', { name: /增加一项/ }).click()
  await desk.getByLabel('物资名称').last().fill('测试沙袋')
  const other = await Caller.signIn(origin, 'city2')
  await other.post(`/compounds/${headless}/stock`, { stock: { 他人的水泵: 3 } })
  await desk.getByText('您修改期间，他人已保存了另一份内容。').waitFor()
  await look(desk, 'records-conflict')
  await desk.getByRole('button', { name: '采用他人的内容' }).click()
  await expect.poll(() => desk.getByLabel('物资名称').inputValue()).toBe('他人的水泵')
})

test('a post is set, and a claim on it is granted', async () => {
  await desk.goto(`${origin}/console/records/compounds/${home}`)
  await desk.getByRole('tab', { name: '岗位' }).click()
  const posts = desk.getByRole('region', { name: '岗位' })
  const rows = posts.locator('tbody tr')
  await rows.first().waitFor()
  const before = await rows.count()
  await choose(desk, '增设岗位', '值班联络员', posts)
  await expect.poll(() => rows.count()).toBe(before + 1)
  await posts.getByRole('button', { name: '保存' }).click()
  await posts.getByText(/已于 .* 保存/).waitFor()
  const no = await rows.last().locator('th').textContent()
  const holder = await Caller.signIn(origin, 'post')
  await holder.post(`/compounds/${home}/posts/${no}/claims`)
  await rows.last().getByText('申请领岗').waitFor()
  await look(desk, 'records-posts')
  await rows.last().getByRole('button', { name: '批准', exact: true }).click()
  await rows.last().getByRole('button', { name: '退岗' }).waitFor()
  const me = await holder.get<{ places: { compound: string; posts: { no: number }[] }[] }>('/me')
  expect(JSON.stringify(me.places)).toContain(`${home}#${no}`)
})

test('a plan is written, handed in and put in force', async () => {
  await desk.goto(`${origin}/console/records/compounds/${headless}`)
  await desk.getByRole('tab', { name: '预案' }).click()
  const panel = desk.getByRole('region', { name: '预案' })
  await panel.getByRole('button', { name: '起草预案' }).click()
  const form = desk.getByRole('form', { name: '起草预案' })
  await choose(desk, '灾种', '疫情', form)
  const save = form.getByRole('button', { name: '保存为第 1 版草稿' })
  expect(await save.isDisabled(), 'a plan that says nothing').toBe(true)
  await form.getByLabel('处置清单（每行一项）').fill('通知居民\n设置卡口\n\n')
  await form.getByText('2 项，最多 50 项').waitFor()
  await form.getByLabel('告知居民的内容').fill('请居家等候通知。')
  await form.getByRole('button', { name: '＋ Ⅱ级' }).click()
  await look(desk, 'records-plan-writing')
  await save.click()
  const row = panel.getByRole('row', { name: /疫情/ })
  await row.getByText('草稿').waitFor()
  await row.getByRole('button', { name: '提交街道' }).click()
  await row.getByRole('button', { name: '批准生效' }).click()
  await row.getByText('生效', { exact: true }).waitFor()
  await row.getByRole('button', { name: '查看' }).click()
  await panel.getByText('设置卡口').first().waitFor()
  await look(desk, 'records-plan')
})

test('a file with faults is shown row by row and changes nothing; mended, it is taken in as a whole', async () => {
  await desk.getByRole('link', { name: '导入' }).click()
  await desk.getByRole('radiogroup').getByText('区划', { exact: true }).click()
  const input = desk.locator('input[type=file]')
  await input.setInputFiles(csv('areas.csv', '区划代码,名称\n140403998,测试街道\n14040399,短了\n140403998001,\n'))
  await desk.getByText('共 3 行，发现 2 处错误。未导入任何内容。').waitFor()
  const faultRows = desk.locator('.faults tbody tr')
  expect(await faultRows.locator('td:nth-child(-n+2)').allTextContents()).toEqual(['3', 'code', '4', 'name'])
  await look(desk, 'records-import-faults')
  const good = '区划代码,名称\n140403998,测试街道\n140403998001,测试社区\n140403,潞州区\n'
  await input.setInputFiles(csv('areas.csv', good))
  await desk.getByText('3 行全部正确。').waitFor()
  expect(await desk.locator('main dl dd').allTextContents()).toEqual(['2', '0', '1'])
  await look(desk, 'records-import-good')
  const city = await Caller.signIn(origin, 'city1')
  const codes = async () => (await city.get<{ code: string }[]>('/areas')).map(({ code }) => code)
  expect(await codes(), 'so far it was only looked at').not.toContain('140403998001')
  await desk.getByRole('button', { name: '导入 3 行' }).click()
  await desk.getByText('已导入 3 行。').waitFor()
  expect(await codes()).toContain('140403998001')
})

test("an administrator corrects an area's name", async () => {
  admin = await open(browser, `${origin}/console/records/areas`, PHONE, true)
  await signIn(admin, 'admin')
  await admin.getByLabel('Name or code').fill('140403998')
  const row = admin.getByRole('row', { name: /测试街道/ })
  await row.getByRole('button', { name: 'Correct' }).click()
  await admin.getByLabel('Name', { exact: true }).fill('改名街道')
  await look(admin, 'records-areas-phone-en')
  await admin.getByRole('button', { name: 'Save' }).click()
  await admin.getByRole('button', { name: '改名街道' }).waitFor()
})

test('an account is made with a role, signs in, is turned off, and is out', async () => {
  await admin.getByRole('link', { name: 'Accounts' }).click()
  await admin.getByRole('button', { name: '＋ New account' }).click()
  const form = admin.getByRole('form', { name: 'New account' })
  await form.getByLabel('Name').fill('李安')
  await choose(admin, 'Role', 'Observer', form)
  await form.getByRole('combobox', { name: 'Area' }).fill('140403')
  await admin.getByRole('option', { name: '潞州区', exact: true }).click()
  await form.getByLabel('Login').fill('city1')
  await form.getByRole('button', { name: 'Make a password' }).click()
  await form.getByRole('button', { name: 'Make the account' }).click()
  await form.locator('.el-form-item', { hasText: 'Login' }).locator('.el-form-item__error').waitFor()
  await look(admin, 'records-account-phone-en')
  await form.getByLabel('Login').fill('li.an')
  await form.getByRole('button', { name: 'Make the account' }).click()
  const made = admin.getByRole('status').filter({ hasText: 'shown this once' })
  await made.waitFor()
  const [login = '', password = ''] = await made.locator('code').allTextContents()
  await admin.getByRole('button', { name: 'Noted, close' }).click()
  expect(await admin.getByText(password).count(), 'a password is shown once').toBe(0)

  const observer = await open(browser, `${origin}/console/records`, PHONE, true)
  await observer.fill('#login', login)
  await observer.fill('#password', password)
  await observer.click('form button')
  await observer.getByText('Compounds', { exact: true }).first().waitFor()
  expect(await observer.getByRole('link', { name: 'Imports' }).count(), 'who watches enters nothing').toBe(0)
  await look(observer, 'records-list-phone-en')

  await admin.getByRole('button', { name: 'li.an' }).click()
  await admin.getByRole('button', { name: 'Turn the account off' }).click()
  await admin
    .getByRole('row', { name: /li\.an/ })
    .getByText('off', { exact: true })
    .waitFor()
  await look(admin, 'records-accounts-phone-en')
  await observer.reload()
  await observer.locator('#login').waitFor()
})

test('an administrator enters people without seeing names, and sees who looked', async () => {
  await admin.goto(`${origin}/console/records/compounds/${headless}`)
  await admin.getByText('Names and phones are shown only to those who command here.').waitFor()
  expect(await admin.getByText('测试甲').count()).toBe(0)
  await look(admin, 'records-compound-phone-en')
  await admin.getByRole('link', { name: 'Who looked' }).click()
  await admin
    .getByRole('row', { name: /city1.*测试核对/ })
    .first()
    .waitFor()
  await look(admin, 'records-looks-phone-en')
})
