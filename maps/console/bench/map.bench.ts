/**
 * The map under load, in Chromium's software renderer: the worst night (every compound changes twice a second) and a city of
 * 100,000 compounds. The states are the server's own, changed on their way into the page, so that the page and nothing else is
 * measured. A row a case on the screen; `make bench` keeps them.
 */
import { readFileSync } from 'node:fs'
import type { Browser, Page, WebSocketRoute } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DESK, launch, signIn } from '../browser/pages'
import { startServer, type Server } from '../browser/server'
import type { MapState, ServerFrame } from '../src/shared/schema'

const MINUTES = Number(process.env.MUSTER_BENCH_MINUTES ?? 10)
/** Compounds of one frame, as the server cuts them. */
const PART = 500
/** How often every compound changes, ms. */
const CHANGE_MS = 500
/** What the issue of this page promises. */
const FRAMES_PER_S_MIN = 30
const TAB_MIB_MAX = 400

type MapFrame = Extract<ServerFrame, { type: 'map' }>
let browser: Browser

beforeAll(async () => {
  browser = await launch()
  say('| map in Chromium | frames/s: median | slowest 5 % of seconds | longest gap, ms | tab, MiB | JS heap, MiB |')
  say('|---|---:|---:|---:|---:|---:|')
})
afterAll(() => browser.close())

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** What stands between the server and the page's socket: it notes how the compounds stand, and can change them all. */
class Storm {
  private readonly states = new Map<string, MapState>()
  private position = 0
  private round = 0
  private whole = false
  private route: WebSocketRoute | null = null
  private timer: ReturnType<typeof setInterval> | undefined

  async sitBefore(page: Page): Promise<void> {
    await page.routeWebSocket(/\/api\/v1\/live$/, (route) => {
      this.route = route
      const server = route.connectToServer()
      server.onMessage((text) => {
        this.note(JSON.parse(String(text)) as ServerFrame)
        route.send(text)
      })
    })
  }

  private note(frame: ServerFrame): void {
    if (frame.type !== 'map') return
    this.position = frame.position
    for (const state of frame.compounds) this.states.set(state.id, state)
    this.whole ||= !frame.more
  }

  get compounds(): number {
    return this.whole ? this.states.size : 0
  }

  start(): void {
    this.timer = setInterval(() => this.changeAll(), CHANGE_MS)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private changeAll(): void {
    this.round += 1
    const changed = [...this.states.values()].map((state, i) => another(state, i + this.round))
    for (let from = 0; from < changed.length; from += PART) {
      const more = from + PART < changed.length
      const compounds = changed.slice(from, from + PART)
      const frame: MapFrame = { type: 'map', position: this.position, snapshot: false, more, compounds }
      this.route?.send(JSON.stringify(frame))
    }
  }
}

const LEVELS = [null, 'IV', 'III', 'II', 'I'] as const

/** The compound as it might stand a moment later. */
function another(state: MapState, turn: number): MapState {
  const level = LEVELS[turn % LEVELS.length]
  const help = turn % 7 === 0 ? turn % 11 : 0
  return { ...state, emergency: level !== null, level, exercise: true, silent: turn % 20 === 0, help_open: help }
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

interface Frames {
  median: number
  slow: number
  gapMs: number
}

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
async function openMap(server: Server, storm: Storm, compounds: number): Promise<Page> {
  const page = await (await browser.newContext({ viewport: DESK })).newPage()
  await storm.sitBefore(page)
  await page.goto(`${server.origin}/console`)
  await signIn(page, 'city1')
  await expect.poll(() => storm.compounds, { timeout: 120_000 }).toBe(compounds)
  await page.locator('.maplibregl-canvas').waitFor()
  await page.locator('.loading').waitFor({ state: 'detached' })
  return page
}

/** Drags the map to and fro, as somebody who looks for something. */
async function pan(page: Page, forMs: number): Promise<void> {
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

/** Closer by a step of the wheel. */
async function zoomIn(page: Page, steps: number): Promise<void> {
  await page.mouse.move(900, 450)
  for (let step = 0; step < steps; step++) await page.mouse.wheel(0, -300)
}

async function tell(page: Page, name: string): Promise<Frames & { mib: number }> {
  const frames = await framesOf(page)
  const [mib, heap] = [await tabMib(), await heapMib(page)]
  say(`| ${name} | ${frames.median} | ${frames.slow} | ${frames.gapMs} | ${mib} | ${heap} |`)
  return { ...frames, mib }
}

test(`2,431 compounds change twice a second, ${MINUTES} minutes`, async () => {
  const server = await startServer({ compounds: 2_431 })
  const storm = new Storm()
  const page = await openMap(server, storm, 2_431)
  storm.start()
  await countFrames(page)
  for (let minute = 0; minute < MINUTES; minute++) {
    // From the whole city down to single streets and back: bubbles, tiles, names.
    if (minute === 1) await zoomIn(page, 3)
    await pan(page, 60_000)
  }
  storm.stop()
  const found = await tell(page, `2,431 compounds, all changing twice a second, dragged for ${MINUTES} min`)
  await page.context().close()
  await server.stop()
  expect(found.slow).toBeGreaterThan(FRAMES_PER_S_MIN)
  expect(found.mib).toBeLessThan(TAB_MIB_MAX)
}, 3_600_000)

test('100,000 compounds still pan', async () => {
  const server = await startServer({ compounds: 100_000 })
  const storm = new Storm()
  const page = await openMap(server, storm, 100_000)
  await countFrames(page)
  await pan(page, 15_000)
  await tell(page, '100,000 compounds, the whole city dragged')
  await zoomIn(page, 4)
  await countFrames(page)
  await pan(page, 15_000)
  const found = await tell(page, '100,000 compounds, streets dragged')
  await page.context().close()
  await server.stop()
  expect(found.median).toBeGreaterThan(FRAMES_PER_S_MIN)
}, 600_000)
