/**
 * How long until somebody can use the phone pages on a slow network and a slow phone: 400 kbit/s down, 400 ms for each answer and a
 * processor slowed to a quarter. `MUSTER_BIN` is the binary that is measured; the figures are printed.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launch, PHONE, signIn } from '../browser/pages'
import { startServer, type Server } from '../browser/server'

const NETWORK = { offline: false, latency: 400, downloadThroughput: 400_000 / 8, uploadThroughput: 400_000 / 8 }
const CPU_SLOWDOWN = 4
/** Each figure is the median of so many. */
const TIMES = 5
/** What the pages are to keep to, ms. */
const TARGET_MS = 2_000

const FORM = '#login'
const HOME = 'button:text("退出登录")'

let server: Server
let browser: Browser
const rows: string[] = []

beforeAll(async () => {
  server = await startServer()
  browser = await launch()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  const head = ['| phone pages, slow 3G and 4× CPU slowdown | median ms | of |', '|---|---:|---|']
  console.log(['', ...head, ...rows, ''].join('\n'))
})

async function slow(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Network.enable')
  await devtools.send('Network.emulateNetworkConditions', NETWORK)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN })
}

/** From the start of the load until what is waited for can be used, by the page's own clock. */
async function load(context: BrowserContext, wanted: string): Promise<number> {
  const page = await context.newPage()
  await slow(page)
  await page.goto(`${server.origin}/m`, { waitUntil: 'commit' })
  await page.locator(wanted).waitFor()
  const ms = await page.evaluate(() => performance.now())
  await page.close()
  return ms
}

async function measure(what: string, context: () => Promise<BrowserContext>, wanted: string): Promise<number> {
  const all: number[] = []
  for (let i = 0; i < TIMES; i++) {
    const fresh = await context()
    all.push(await load(fresh, wanted))
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
  await page.locator(HOME).waitFor()
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

test('the first visit', async () => {
  await measure('sign-in form, first visit', cold, FORM)
  await measure('home, signed in, nothing on the phone', () => signedIn(false), HOME)
})

test('the phone page opens from what the phone keeps within two seconds', async () => {
  const home = await measure('home, signed in, installed', () => signedIn(true), HOME)
  expect(home).toBeLessThan(TARGET_MS)
})
