/** The browser, and what a person does in it. */
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { graveFaults } from './axe'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { expect } from 'vitest'

/** Debian's. Without these flags it talks to hosts of its maker, and a container gives it no sandbox. */
const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
]
export const PASSWORD = 'muster-demo-1404'
export const PHONE = { width: 360, height: 740 }
export const DESK = { width: 1440, height: 900 }
const SHOTS = fileURLToPath(new URL('../../../target/screenshots/', import.meta.url))

const OPTIONS = { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS }

export function launch(): Promise<Browser> {
  return chromium.launch(OPTIONS)
}

/** A phone's browser whose storage is in a folder: closed and launched anew, it is the same phone. */
export async function launchPhone(storage: string, english = false): Promise<BrowserContext> {
  const phone = await chromium.launchPersistentContext(storage, { ...OPTIONS, viewport: PHONE })
  if (english) await phone.addInitScript(() => localStorage.setItem('muster.language', 'en-US'))
  return phone
}

/** Whatever threw in a page; `look` and the end of the tests expect none. */
export const faults: string[] = []

/** A page of its own browser profile. */
export async function open(browser: Browser, url: string, viewport: typeof PHONE, english = false): Promise<Page> {
  const context = await browser.newContext({ viewport, hasTouch: viewport === PHONE })
  if (english) await context.addInitScript(() => localStorage.setItem('muster.language', 'en-US'))
  const page = watched(await context.newPage(), new URL(url).origin)
  await page.goto(url)
  return page
}

/** Notes whatever throws in the page, and suffers nothing to be loaded from another host. */
export function watched(page: Page, origin: string): Page {
  page.on('pageerror', (error) => faults.push(`${page.url().split('#')[0]}: ${error.stack ?? error.message}`))
  page.on('request', (request) => {
    const asked = new URL(request.url())
    if (asked.protocol.startsWith('http')) expect(asked.origin, 'nothing is loaded from another host').toBe(origin)
  })
  return page
}

export async function signIn(page: Page, login: string): Promise<void> {
  await page.fill('#login', login)
  await page.fill('#password', PASSWORD)
  await page.click('button[type=submit], form button')
}

/** Keeps a picture for the eye (`target/screenshots`), and looks for what keeps people from using the page. */
export async function look(page: Page, name: string): Promise<void> {
  expect(faults, 'errors in the pages').toEqual([])
  await page.waitForFunction(isSettled)
  mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: `${SHOTS}${name}.png` })
  expect(await graveFaults(page), `axe-core on ${name}`).toEqual([])
}

/** Nothing opens or fades any more: half gone, it is neither what people see nor what they can use. Spinners turn for ever. */
function isSettled(): boolean {
  const ends = (animation: Animation): boolean => animation.effect?.getComputedTiming().endTime !== Infinity
  return document.getAnimations().every((animation) => animation.playState !== 'running' || !ends(animation))
}
