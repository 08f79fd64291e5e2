/** The console without a mouse, and on a small screen: every page can be gone through by the keyboard, and nothing is cut off. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, homeOf, issueExercise, submitExercise } from './city'
import { DESK, faults, launch, look, open, PHONE, signIn } from './pages'
import { startServer, type Server } from './server'

/** Presses of the key after which a page must have let the focus out again. */
const PRESSES = 260

let server: Server
let browser: Browser
let desk: Page
let home: string
let alert: string
let incident: string

beforeAll(async () => {
  server = await startServer()
  browser = await launch()
  home = await homeOf(await Caller.signIn(server.origin, 'commander'))
  ;({ alert, incident } = await issueExercise(server.origin, [home]))
  const city = await Caller.signIn(server.origin, 'city1')
  await city.post(`/incidents/${incident}/switch`, { compounds: [home], to: { emergency: 'II' } })
  desk = await open(browser, `${server.origin}/console`, DESK)
  await signIn(desk, 'city1')
  await desk.locator('header nav').waitFor()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  expect(faults, 'errors in the pages').toEqual([])
})

/** The pages, and what is there when one has come. */
const pages = (): [name: string, path: string, there: string][] => [
  ['map', '/console', '.maplibregl-canvas'],
  ['alert', `/console/alerts?alert=${alert}`, 'section:has(h3) canvas'],
  ['compose', '/console/alerts/new', '.target-map label:not(.is-disabled)'],
  ['incidents', '/console/incidents', 'article'],
  ['duty', '/console/duty', 'tbody tr'],
  ['duty-compound', `/console/duty?place=${home}`, 'tbody tr'],
  ['roll', '/console/roll', 'tbody tr'],
  ['paper', `/console/paper?place=${home}`, '.paper'],
  ['records', `/console/records/compounds/${home}`, 'h1, h2'],
  ['log', '/console/log', '.list summary'],
]

interface Stop {
  /** What has the focus, in a word. */
  what: string
  seen: boolean
  ringed: boolean
}

/** What has the focus now: whether it can be seen, and that it has it. */
const stopOf = (page: Page): Promise<Stop | null> =>
  page.evaluate(() => {
    const now = document.activeElement
    if (!now || now === document.body) return null
    // A field's ring is round the frame that is drawn about it; a checkbox has it on its box, beside the hidden input.
    const frames = [
      now,
      now.parentElement,
      now.parentElement?.parentElement,
      now.parentElement?.parentElement?.parentElement,
    ]
    const near = [...frames, now.nextElementSibling].filter((one) => one instanceof HTMLElement)
    const ringed = near.some((one) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one)
      return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none'
    })
    const label = now.getAttribute('aria-label') ?? now.textContent?.trim().slice(0, 30) ?? ''
    // Of a switch or a box to be ticked the input itself has no size: what is drawn for it stands beside it.
    const seen = near
      .slice(0, 2)
      .some((one) => one.getClientRects().length > 0 && one.offsetWidth * one.offsetHeight > 0)
    return { what: `${now.tagName} ${label}`, seen, ringed }
  })

test('every page lets the focus in, shows it at each stop, and lets it out again', async () => {
  for (const [name, path, there] of pages()) {
    await desk.goto(server.origin + path)
    await desk.locator(there).first().waitFor()
    const stops: Stop[] = []
    let out = false
    for (let press = 0; press < PRESSES && !out; press++) {
      await desk.keyboard.press('Tab')
      const stop = await stopOf(desk)
      out = stops.length > 0 && (!stop || stop.what === stops[0]?.what)
      if (stop && !out) stops.push(stop)
    }
    expect(out, `${name}: the focus gets out after ${stops.map(({ what }) => what).join(' | ')}`).toBe(true)
    expect(stops[0]?.what, `${name} begins with the menu`).toContain('态势图')
    const blind = stops.filter(({ seen, ringed }) => !seen || !ringed).map(({ what }) => what)
    expect(blind, `${name}: where the focus cannot be seen`).toEqual([])
  }
})

test('a dialog keeps the focus, and gives it back', async () => {
  await desk.goto(`${server.origin}/console/alerts?alert=${alert}`)
  const opener = desk.getByRole('button', { name: '解除' })
  await opener.focus()
  await desk.keyboard.press('Enter')
  const dialog = desk.getByRole('dialog')
  await dialog.waitFor()
  await expect.poll(() => inside(dialog)).toBe(true)
  for (let press = 0; press < 12; press++) {
    await desk.keyboard.press('Tab')
    expect(await inside(dialog), 'the focus stays in the dialog').toBe(true)
  }
  await look(desk, 'desk-dialog')
  await desk.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  await expect.poll(() => opener.evaluate((button) => button === document.activeElement)).toBe(true)
})
const inside = (dialog: ReturnType<Page['getByRole']>): Promise<boolean> =>
  dialog.evaluate((box) => box.contains(document.activeElement))

test('a compound is found, read and left by the keyboard alone', async () => {
  await desk.goto(`${server.origin}/console`)
  const search = desk.getByRole('combobox', { name: '查找小区' })
  await search.focus()
  await desk.keyboard.type(home)
  await desk.getByRole('option').first().waitFor()
  await desk.keyboard.press('Enter')
  const sheet = desk.getByRole('region', { name: '小区情况' })
  await sheet.getByRole('heading', { name: '预案' }).waitFor()
  expect(await sheet.getByText('指挥长', { exact: true }).count(), 'who commands is said without a name').toBe(1)
  await desk.keyboard.press('Escape')
  await sheet.waitFor({ state: 'detached' })
})

test('on a small screen, in English, nothing is cut off and no number lies on another', async () => {
  const phone = await open(browser, `${server.origin}/console`, PHONE, true)
  await signIn(phone, 'city2')
  await phone.locator('header nav').waitFor()
  for (const [name, path, there] of pages()) {
    await phone.goto(server.origin + path)
    await phone.locator(there).first().waitFor()
    const cut = await phone.evaluate(() => {
      const page = document.querySelector('.page')
      const wide = page && page.scrollWidth > page.clientWidth + 1 ? ['the page'] : []
      const totals = [...document.querySelectorAll<HTMLElement>('header dl > div')]
      return [...wide, ...totals.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)]
    })
    expect(cut, `${name}: what does not fit`).toEqual([])
    await look(phone, `desk-${name}-phone-en`)
  }
  await phone.context().close()
})

test('a sheet of paper holds all that stands on it', async () => {
  await desk.goto(`${server.origin}/console/paper?place=${home}`)
  const papers = desk.locator('.paper')
  await papers.first().waitFor()
  const over = await papers.evaluateAll((all) => all.map((one) => one.scrollHeight - one.clientHeight))
  expect(over.filter((pixels) => pixels > 0)).toEqual([])
})

test('who wrote an alert is told that another must approve it; the other sees whom it would reach', async () => {
  const waiting = (await submitExercise(server.origin, [home])).alert
  await desk.goto(`${server.origin}/console/alerts?alert=${waiting}`)
  await desk.getByText('须由另一人批准').waitFor()
  expect(await desk.getByRole('button', { name: '批准并发送' }).count()).toBe(0)
  const other = await open(browser, `${server.origin}/console/alerts?alert=${waiting}`, DESK)
  await signIn(other, 'city2')
  const city = await Caller.signIn(server.origin, 'city2')
  const { compound } = await city.get<{ compound: { people: number } }>(`/compounds/${home}`)
  const scope = other.getByRole('region', { name: '将发给谁' })
  await expect.poll(() => scope.locator('.people dd').textContent()).toBe(compound.people.toLocaleString())
  await other.getByRole('button', { name: '批准并发送' }).waitFor()
  await look(other, 'desk-approval')
  await other.context().close()
})
