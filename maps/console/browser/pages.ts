/** The browser, and what a person does in it. */
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { graveFaults } from './axe'
import { chromium, type Browser, type Page } from 'playwright-core'
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
const PASSWORD = 'muster-demo-1404'
export const PHONE = { width: 360, height: 740 }
export const DESK = { width: 1440, height: 900 }
const SHOTS = fileURLToPath(new URL('../../../target/screenshots/', import.meta.url))

export function launch(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
  return chromium.launch({ executablePath, args: FLAGS })
}

/** Whatever threw in a page; `look` and the end of the tests expect none. */
export const faults: string[] = []

/** A page of its own browser profile. */
export async function open(browser: Browser, url: string, viewport: typeof PHONE, english = false): Promise<Page> {
  const context = await browser.newContext({ viewport })
  if (english) await context.addInitScript(() => localStorage.setItem('muster.language', 'en-US'))
  const page = await context.newPage()
  page.on('pageerror', (error) => faults.push(`${page.url().split('#')[0]}: ${error.stack ?? error.message}`))
  const { origin } = new URL(url)
  page.on('request', (request) => {
    const asked = new URL(request.url())
    if (asked.protocol.startsWith('http')) expect(asked.origin, 'nothing is loaded from another host').toBe(origin)
  })
  await page.goto(url)
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
  mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: `${SHOTS}${name}.png` })
  expect(await graveFaults(page), `axe-core on ${name}`).toEqual([])
}
