/**
 * Whether an alert is heard on a phone. Browsers let a page sound only after a finger touched it, and what Playwright does in a page
 * counts as such a touch: so here the page itself tells what happens, and nothing but a finger comes near it.
 */
import type { Browser, ConsoleMessage, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, homeOf, issueExercise } from './city'
import { launch, PASSWORD, PHONE } from './pages'
import { startServer, type Server } from './server'

let server: Server
let browser: Browser

beforeAll(async () => {
  server = await startServer()
  browser = await launch()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
})

/** Says on the page's console what is to be heard and seen on it. */
function tell(): void {
  const { createOscillator } = AudioContext.prototype
  AudioContext.prototype.createOscillator = function () {
    console.log('heard: a tone')
    return createOscillator.call(this)
  }
  const seen = new Map<string, boolean>()
  new MutationObserver(() => {
    for (const what of ['dialog[open]', 'nav', '.silent']) {
      const is = document.querySelector(what) !== null
      if (is !== (seen.get(what) ?? false)) console.log(is ? `seen: ${what}` : `gone: ${what}`)
      seen.set(what, is)
    }
  }).observe(document, { childList: true, subtree: true, attributes: true })
}

const told = (page: Page, words: string): Promise<ConsoleMessage> =>
  page.waitForEvent('console', (message) => message.text() === words)

test('a page that may not sound says so; from the first touch of a finger the alert is heard', async () => {
  const context = await browser.newContext({ viewport: PHONE, hasTouch: true, isMobile: true })
  const data = { login: 'commander', password: PASSWORD, lasting: true }
  expect((await context.request.post(`${server.origin}/api/v1/session`, { data })).ok()).toBe(true)
  const page = await context.newPage()
  await page.addInitScript(tell)
  const all: string[] = []
  page.on('console', (message) => all.push(message.text()))
  const [home] = await Promise.all([
    homeOf(await Caller.signIn(server.origin, 'commander')),
    told(page, 'seen: nav'),
    told(page, 'seen: .silent'),
    page.goto(`${server.origin}/m`),
  ])
  await Promise.all([told(page, 'seen: dialog[open]'), issueExercise(server.origin, [home])])
  expect(all, 'it was not touched').not.toContain('heard: a tone')
  await Promise.all([
    told(page, 'heard: a tone'),
    told(page, 'gone: .silent'),
    page.touchscreen.tap(PHONE.width / 2, PHONE.height / 4),
  ])
  await context.close()
})
