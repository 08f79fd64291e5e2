/**
 * The map under load, in Chromium's software renderer: the worst night (every compound changes twice a second) and a city of
 * 100,000 compounds. The states are the server's own, changed on their way into the page, so that the page and nothing else is
 * measured. A row a case on the screen; `make bench` keeps them.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DESK, launch, signIn } from '../browser/pages'
import { startServer } from '../browser/server'
import { Storm } from './storm'

const MINUTES = Number(process.env.MUSTER_BENCH_MINUTES ?? 10)
/** How often every compound changes, ms. */
const CHANGE_MS = 500
/** What the issue of this page promises. */
const FRAMES_PER_S_MIN = 30
const TAB_MIB_MAX = 400
/** Compounds of Changzhi. */
const CITY = 2_431
/** How long each view is dragged. */
const DRAG_MINUTES = 0.5
/**
 * What is drawn while a view is dragged, as a share of what the same renderer draws of a map without anything on it. Two cores without a
 * graphics processor draw that 23 to 26 times a second: there no map of this size can be dragged at 30.
 */
const DRAGGED_SHARE_MIN = 0.25
/** What the map's scale says where each compound is drawn. */
const NEAR = /^(500\sm|1\skm)$/

const EMPTY_PAGE = `<body style="margin: 0"><div id="map" style="height: 100vh"></div><script type="module">
  import { Map } from '/maplibre-gl.mjs'
  const layers = [{ id: 'ground', type: 'background', paint: { 'background-color': '#0b111b' } }]
  new Map({ container: 'map', style: { version: 8, sources: {}, layers }, center: [113, 36], zoom: 9 })
</script></body>`

let browser: Browser
/** What the renderer reaches with nothing to draw: the limit that dragged maps stand beside. */
let empty: Seen

beforeAll(async () => {
  browser = await launch()
  say(
    '| map in Chromium | frames/s: median | slowest 5 % of seconds | longest gap, ms | tab, MiB at most | JS heap, MiB |',
  )
  say('|---|---:|---:|---:|---:|---:|')
  empty = await dragEmpty()
})
afterAll(() => browser.close())

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Counts the page's frames until stopped. */
async function countFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const at: number[] = []
    Object.assign(window, { frameTimes: at })
    const next = (now: number): void => {
      at.push(now)
      requestAnimationFrame(next)
    }
    requestAnimationFrame(next)
  })
}

type Act = (page: Page, forMs: number) => Promise<void>

interface Frames {
  median: number
  slow: number
  gapMs: number
}

type Seen = Frames & { mib: number }

async function framesOf(page: Page): Promise<Frames> {
  const at = await page.evaluate(() => (window as unknown as { frameTimes: number[] }).frameTimes)
  const first = at[0] ?? 0
  const seconds = new Array<number>(Math.floor(((at.at(-1) ?? 0) - first) / 1_000)).fill(0)
  for (const time of at) {
    const second = Math.floor((time - first) / 1_000)
    if (second < seconds.length) seconds[second] = (seconds[second] ?? 0) + 1
  }
  seconds.sort((a, b) => a - b)
  const gaps = at.slice(1).map((time, i) => time - (at[i] ?? time))
  return {
    median: seconds[Math.floor(seconds.length / 2)] ?? 0,
    slow: seconds[Math.floor(seconds.length / 20)] ?? 0,
    gapMs: Math.round(gaps.reduce((longest, gap) => Math.max(longest, gap), 0)),
  }
}

/** MiB that the page's process holds: what is its own, and its part of what is shared. */
async function tabMib(): Promise<number> {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = (await session.send('SystemInfo.getProcessInfo')) as {
    processInfo: { type: string; id: number }[]
  }
  const sizes = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => pssMib(id))
  return Math.max(...sizes)
}

function pssMib(process: number): number {
  const [, kib] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${process}/smaps_rollup`, 'utf8')) ?? []
  return Math.round(Number(kib) / 1_024)
}

async function heapMib(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  const { usedSize } = (await session.send('Runtime.getHeapUsage')) as { usedSize: number }
  return Math.round(usedSize / 1_048_576)
}

/** The console of a city, with the whole city on the map. */
async function openMap(storm: Storm, compounds: number): Promise<Page> {
  const page = await (await browser.newContext({ viewport: DESK })).newPage()
  await page.goto(`${storm.origin}/console`)
  await signIn(page, 'city1')
  await expect.poll(() => storm.compounds, { timeout: 120_000 }).toBe(compounds)
  await page.locator('.maplibregl-canvas').waitFor()
  await page.locator('.loading').waitFor({ state: 'detached' })
  return page
}

/** Drags the map to and fro, as somebody who looks for something. */
const drag: Act = async (page, forMs) => {
  const until = Date.now() + forMs
  const [x, y] = [900, 450]
  for (let turn = 0; Date.now() < until; turn++) {
    const by = turn % 2 === 0 ? 260 : -260
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + by, y + by / 2, { steps: 25 })
    await page.mouse.up()
  }
}

/** MapLibre with a ground and nothing on it. */
async function dragEmpty(): Promise<Seen> {
  const page = await (await browser.newContext({ viewport: DESK })).newPage()
  const library = fileURLToPath(new URL('.', import.meta.resolve('maplibre-gl')))
  await page.route('**/*', async (route) => {
    const { pathname } = new URL(route.request().url())
    if (pathname === '/') await route.fulfill({ contentType: 'text/html', body: EMPTY_PAGE })
    else await route.fulfill({ path: join(library, pathname) })
  })
  await page.goto('http://127.0.0.1/')
  await page.locator('.maplibregl-canvas').waitFor()
  const seen = await watch(page, 'an empty map, dragged', DRAG_MINUTES, drag)
  await page.context().close()
  return seen
}

/** To the middle of the town where half of the city's compounds are: so near that each is drawn, and many at once. */
async function goToTown(page: Page): Promise<void> {
  await page.locator('.tools .el-select').last().click()
  await page.getByRole('option', { name: '英雄中路街道' }).click()
  await expect.poll(() => page.locator('.maplibregl-ctrl-scale').textContent()).toMatch(NEAR)
}

/** Frames of so many minutes in which somebody looks at the map or drags it, and the most that the tab held. */
async function watch(page: Page, what: string, minutes: number, act: Act): Promise<Seen> {
  await countFrames(page)
  const [mib, heap]: [number[], number[]] = [[], []]
  for (let left = minutes; left > 0; left -= 1) {
    await act(page, Math.min(left, 1) * 60_000)
    mib.push(await tabMib())
    heap.push(await heapMib(page))
  }
  const seen = { ...(await framesOf(page)), mib: Math.max(...mib) }
  say(`| ${what} | ${seen.median} | ${seen.slow} | ${seen.gapMs} | ${seen.mib} | ${Math.max(...heap)} |`)
  return seen
}

/** Somebody only looks. */
const look: Act = (page, forMs) => page.waitForTimeout(forMs)

test(`2,431 compounds change twice a second, ${MINUTES} minutes`, async () => {
  const server = await startServer({ compounds: CITY })
  const storm = await Storm.before(server.origin)
  const page = await openMap(storm, CITY)
  await watch(page, 'calm, dragged: the whole city', DRAG_MINUTES, drag)
  storm.start(CHANGE_MS)
  const city = await watch(page, 'each of 2,431 compounds changes twice a second: the whole city', MINUTES / 2, look)
  await goToTown(page)
  const town = await watch(page, 'each of 2,431 compounds changes twice a second: the town', MINUTES / 2, look)
  const dragged = await watch(page, 'the same, dragged', DRAG_MINUTES, drag)
  storm.stop()
  await watch(page, 'calm, dragged: the town', DRAG_MINUTES, drag)
  await page.context().close()
  storm.close()
  await server.stop()
  for (const { mib } of [city, town, dragged]) expect(mib).toBeLessThan(TAB_MIB_MAX)
  for (const { slow } of [city, town]) expect(slow).toBeGreaterThan(FRAMES_PER_S_MIN)
  expect(dragged.median).toBeGreaterThan(empty.median * DRAGGED_SHARE_MIN)
}, 3_600_000)

test('100,000 compounds still pan', async () => {
  const server = await startServer({ compounds: 100_000 })
  const storm = await Storm.before(server.origin)
  const page = await openMap(storm, 100_000)
  const city = await watch(page, '100,000 compounds, dragged: the whole city', DRAG_MINUTES, drag)
  await goToTown(page)
  const town = await watch(page, '100,000 compounds, dragged: the town', DRAG_MINUTES, drag)
  await page.context().close()
  storm.close()
  await server.stop()
  for (const { mib } of [city, town]) expect(mib).toBeLessThan(TAB_MIB_MAX)
  for (const { median } of [city, town]) expect(median).toBeGreaterThan(empty.median * DRAGGED_SHARE_MIN)
}, 600_000)
