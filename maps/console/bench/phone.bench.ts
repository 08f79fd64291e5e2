/**
 * How long until somebody can use the phone pages on a slow network and a slow phone: 400 kbit/s down, 400 ms for each answer and a
 * processor slowed to a quarter. `MUSTER_BIN` is the binary that is measured; the figures are printed. Measure on a machine that does
 * nothing else: the slowed processor is slowed again by whatever runs beside it.
 *
 * What is the least that this network allows, ms: one answer and the bytes of the page (brotli), at 50 bytes a millisecond.
 *
 *   household  400 + 42.8 KB / 50 = 1,260   its data is asked from the head of the page, and comes beside its script
 *   form       400 + 51.9 KB / 50 = 1,440
 *   home       400 + 51.9 KB / 50 = 1,440   and 4 KB of one answer that shares the line: 1,520
 *   alert      400                =   400   from the phone: one question, who I am and which alerts hold for me
 *
 * The rest is the processor: 150 to 300 ms for script and first drawing, and again as much where the outbox is opened and the person's
 * page is drawn. What did not help the home of somebody with nothing on the phone: files preloaded from the head of the page, which share
 * the line with the answer, and the whole in one file. What did: all that is pressing comes with one answer, asked from the head.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, homeOf, issueExercise, openExercise } from '../browser/city'
import { launch, PHONE, signIn } from '../browser/pages'
import { startServer, type Server } from '../browser/server'

const NETWORK = { offline: false, latency: 400, downloadThroughput: 400_000 / 8, uploadThroughput: 400_000 / 8 }
const CPU_SLOWDOWN = 4
/** Each figure is the median of so many. */
const TIMES = 5
/** What the pages are to keep to, ms. */
const TARGET_MS = 2_000

const FORM = '#login'
const HOME = 'nav button'
const SAFE = 'button.go.big:enabled'
const ALERT = 'dialog.alert[open] button.go'

let server: Server
let browser: Browser
let commander: Caller
/** The commander's compound, in an emergency. */
let compound: string
/** What the code on a door of it opens. */
let door: string
const rows: string[] = []

beforeAll(async () => {
  server = await startServer()
  browser = await launch()
  door = await openDoor()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  const head = ['| phone pages, slow 3G and 4× CPU slowdown | median ms | of |', '|---|---:|---|']
  console.log(['', ...head, ...rows, ''].join('\n'))
})

/** Puts the commander's compound in emergency. Gives back a household's link in it. */
async function openDoor(): Promise<string> {
  commander = await Caller.signIn(server.origin, 'commander')
  compound = await homeOf(commander)
  const city = await Caller.signIn(server.origin, 'city1')
  const incident = await openExercise(city, '慢网络测量')
  await city.post(`/incidents/${incident}/switch`, { compounds: [compound], to: { emergency: 'II' } })
  const links = await city.post<{ url: string }[]>(`/compounds/${compound}/household-links`, { unit: '1-2' })
  return `/h${new URL(links[0]?.url ?? '').hash}`
}

async function slow(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Network.enable')
  await devtools.send('Network.emulateNetworkConditions', NETWORK)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN })
}

/** Marks by the page's own clock when what is waited for has been drawn: a look from outside takes its time on a slow processor. */
function markUsable(wanted: string): void {
  const drawn = new MessageChannel()
  drawn.port1.onmessage = () => performance.mark('usable')
  const watch = new MutationObserver(() => {
    if (!document.querySelector(wanted)) return
    watch.disconnect()
    requestAnimationFrame(() => drawn.port2.postMessage(null))
  })
  watch.observe(document, { childList: true, subtree: true, attributes: true })
}

/** From the start of the load until what is waited for can be used. */
async function load(context: BrowserContext, path: string, wanted: string): Promise<number> {
  const page = await context.newPage()
  await page.addInitScript(markUsable, wanted)
  await slow(page)
  await page.goto(`${server.origin}${path}`, { waitUntil: 'commit' })
  const mark = await page.waitForFunction(() => performance.getEntriesByName('usable')[0]?.startTime)
  const ms = (await mark.jsonValue()) ?? Infinity
  expect(await page.locator(wanted).first().isVisible()).toBe(true)
  await page.close()
  return ms
}

async function measure(
  what: string,
  context: () => Promise<BrowserContext>,
  wanted: string,
  path = '/m',
): Promise<number> {
  const all: number[] = []
  for (let i = 0; i < TIMES; i++) {
    const fresh = await context()
    all.push(await load(fresh, path, wanted))
    await fresh.close()
  }
  const sorted = all.sort((a, b) => a - b)
  const median = sorted[Math.floor(TIMES / 2)] ?? Infinity
  rows.push(`| ${what} | ${median.toFixed(0)} | ${sorted.map((ms) => ms.toFixed(0)).join(', ')} |`)
  return median
}

const cold = (): Promise<BrowserContext> => browser.newContext({ viewport: PHONE })

/** Signed in once on a good network; with what the phone then keeps, or only with the session. */
async function signedIn(keeping: boolean): Promise<BrowserContext> {
  const context = await cold()
  const page = await context.newPage()
  await page.goto(`${server.origin}/m`)
  await signIn(page, 'commander')
  await page.locator(HOME).first().waitFor()
  await page.evaluate(async () => (await navigator.serviceWorker.ready).active)
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
  if (keeping) {
    await page.close()
    return context
  }
  const cookies = await context.cookies()
  await context.close()
  const other = await cold()
  await other.addCookies(cookies)
  return other
}

/** Opened before on a good network, from the code on the door. */
async function openedBefore(): Promise<BrowserContext> {
  const context = await cold()
  const page = await context.newPage()
  await page.goto(server.origin + door)
  await page.locator(SAFE).waitFor()
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
  await page.close()
  return context
}

/** Installed; then an alert came of which the phone does not know yet. */
async function alerted(): Promise<BrowserContext> {
  for (const { id } of (await commander.get<{ items: { id: string }[] }>('/alerts?status=issued')).items) {
    await commander.post(`/alerts/${id}/acknowledge`)
  }
  const context = await signedIn(true)
  await issueExercise(server.origin, [compound])
  return context
}

test('a household can say how it is, the first time that its code is opened', async () => {
  const first = await measure('household, first opening of its code', cold, SAFE, door)
  expect(first).toBeLessThan(TARGET_MS)
})

test('a household can say how it is when its code is opened again', async () => {
  const again = await measure('household, opened again', openedBefore, SAFE, door)
  expect(again).toBeLessThan(TARGET_MS)
})

test('the form to sign in, on the first visit', async () => {
  const form = await measure('sign-in form, first visit', cold, FORM)
  expect(form).toBeLessThan(TARGET_MS)
})

test('the home of who is signed in, with nothing on the phone but the session', async () => {
  const home = await measure('home, signed in, nothing on the phone', () => signedIn(false), HOME)
  expect(home).toBeLessThan(TARGET_MS)
})

test('the home from what the phone keeps', async () => {
  const home = await measure('home, signed in, installed', () => signedIn(true), HOME)
  expect(home).toBeLessThan(TARGET_MS)
})

test('an alert that came while the page was closed', async () => {
  const alert = await measure('alert, the page opened after it came, installed', alerted, ALERT)
  expect(alert).toBeLessThan(TARGET_MS)
})
