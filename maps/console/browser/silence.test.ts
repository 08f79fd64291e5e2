/** A compound of which nothing is heard is hatched on the map, whatever else is known of it: unknown, never fine. */
import type { Browser, Page, WebSocketRoute } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { MapState, ServerFrame } from '../src/shared/schema'
import { Caller, homeOf } from './city'
import { stripesInTheMiddle } from './map-eye'
import { DESK, faults, launch, look, open, signIn } from './pages'
import { startServer, type Server } from './server'

/** Share of what is looked at that stripes cover at least; names and edges stay far below. */
const STRIPED = 0.2
const BARE = 0.1

let server: Server
let browser: Browser
let desk: Page
let home: string
/** What the server told of the home compound, and where it told it. */
let told: { state: MapState; position: number; page: WebSocketRoute } | undefined

beforeAll(async () => {
  server = await startServer()
  browser = await launch()
  home = await homeOf(await Caller.signIn(server.origin, 'commander'))
  desk = await open(browser, `${server.origin}/console`, DESK)
  await desk.routeWebSocket(/\/live/, (page) => {
    page.connectToServer().onMessage((said) => {
      note(JSON.parse(String(said)) as ServerFrame, page)
      page.send(said)
    })
  })
  await signIn(desk, 'city1')
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  expect(faults, 'errors in the pages').toEqual([])
})

function note(frame: ServerFrame, page: WebSocketRoute): void {
  if (frame.type !== 'map') return
  const state = frame.compounds.find(({ id }) => id === home)
  if (state) told = { state, position: frame.position, page }
}

/** The server's own word of the compound, but for this. It takes minutes of silence to become true. */
function tell(silent: boolean): void {
  if (!told) throw new Error('nothing was told of the compound')
  const { state, position, page } = told
  const compounds = [{ ...state, silent }]
  const frame: ServerFrame = { type: 'map', position, snapshot: false, more: false, compounds }
  page.send(JSON.stringify(frame))
}

test('a silent compound is hatched, and no longer once it is heard', async () => {
  await desk.getByRole('combobox', { name: '查找小区' }).fill(home)
  await desk.getByRole('option').first().waitFor()
  await desk.keyboard.press('Enter')
  await desk.getByRole('region', { name: '小区情况', exact: true }).getByRole('button', { name: '关闭' }).click()
  await expect.poll(() => stripesInTheMiddle(desk)).toBeLessThan(BARE)
  tell(true)
  await expect.poll(() => stripesInTheMiddle(desk)).toBeGreaterThan(STRIPED)
  await look(desk, 'map-silent')
  tell(false)
  await expect.poll(() => stripesInTheMiddle(desk)).toBeLessThan(BARE)
})
