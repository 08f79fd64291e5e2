/** The console when the network goes silent: said at the top with the time of the last news, and mended without a hand. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caller, openExercise } from './city'
import { DESK, faults, launch, look, open, signIn } from './pages'
import { startServer, type Server } from './server'

/** A lost connection is said within this time, ms. */
const SAID_WITHIN_MS = 5_000
/** For the browser of a loaded machine to draw it, ms. */
const DRAWN_MS = 500

let server: Server
let browser: Browser
let desk: Page
/** Whether what either side says is swallowed, as by a network that is dead and breaks no connection. */
let isDead = false

beforeAll(async () => {
  server = await startServer()
  browser = await launch()
  desk = await open(browser, `${server.origin}/console/incidents`, DESK)
  // A network that dies before the page was greeted is another story.
  const greeted = new Promise<void>((done) => {
    void desk.routeWebSocket(/\/live/, (near) => {
      // Nobody connects over a dead network.
      if (isDead) return void near.close()
      const far = near.connectToServer()
      near.onMessage((said) => void (isDead || far.send(said)))
      far.onMessage((said) => {
        if (!isDead) near.send(said)
        done()
      })
    })
  })
  await signIn(desk, 'city1')
  await desk.getByText('当前没有进行中的事件').waitFor()
  await greeted
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  expect(faults, 'errors in the pages').toEqual([])
})

test('a dead network is said within 5 s with the time of the last news; what was missed is there when it mends', async () => {
  const banner = desk.getByRole('alert').filter({ hasText: /\d\d:\d\d:\d\d/ })
  isDead = true
  const died = Date.now()
  await banner.waitFor()
  expect(Date.now() - died).toBeLessThan(SAID_WITHIN_MS + DRAWN_MS)
  await look(desk, 'lost-said')
  await openExercise(await Caller.signIn(server.origin, 'city1'), '断网期间启动的演练')
  isDead = false
  await banner.waitFor({ state: 'detached' })
  await desk.getByRole('article', { name: '断网期间启动的演练' }).waitFor()
  await look(desk, 'lost-mended')
})
