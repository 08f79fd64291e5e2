/**
 * The worst night, between the server and a console: every compound changes, as often as one likes. It stands outside the browser: what
 * changes messages within the page would cost the page time and memory that no dispatcher pays.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import WebSocket, { WebSocketServer } from 'ws'
import { Gate } from '../browser/gate'
import type { MapState, ServerFrame } from '../src/shared/schema'

/** Compounds of one frame, as the server cuts them. */
const PART = 500
const LEVELS = [null, 'IV', 'III', 'II', 'I'] as const

type MapFrame = Extract<ServerFrame, { type: 'map' }>

export class Storm {
  private readonly states = new Map<string, MapState>()
  private readonly pages = new WebSocketServer({ noServer: true })
  private position = 0
  private round = 0
  private isWhole = false
  private timer: ReturnType<typeof setInterval> | undefined

  private constructor(
    private readonly gate: Gate,
    private readonly live: string,
  ) {}

  static async before(server: string): Promise<Storm> {
    const gate = await Gate.before(server)
    const storm = new Storm(gate, `${server.replace(/^http/, 'ws')}/api/v1/live`)
    gate.live = (asked, near, head) => storm.standBetween(asked, near, head)
    return storm
  }

  /** Where the pages are found through it. */
  get origin(): string {
    return this.gate.origin
  }

  /** Compounds of the city, once it has been told whole. */
  get compounds(): number {
    return this.isWhole ? this.states.size : 0
  }

  /** From now on every compound changes once in that time. */
  start(everyMs: number): void {
    this.timer = setInterval(() => this.changeAll(), everyMs)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  close(): void {
    this.stop()
    this.gate.close()
  }

  private standBetween(asked: IncomingMessage, near: Duplex, head: Buffer): void {
    const { cookie, host, origin } = asked.headers
    this.pages.handleUpgrade(asked, near, head, (page) => {
      const server = new WebSocket(this.live, { headers: { cookie, host, origin } })
      server.on('message', (bytes) => {
        const text = String(bytes)
        this.note(JSON.parse(text) as ServerFrame)
        page.send(text)
      })
      // The page speaks only after the server's greeting.
      page.on('message', (bytes) => server.send(String(bytes)))
      page.on('close', () => server.close())
      server.on('close', () => page.close())
    })
  }

  private note(frame: ServerFrame): void {
    if (frame.type !== 'map') return
    this.position = frame.position
    for (const state of frame.compounds) this.states.set(state.id, state)
    this.isWhole ||= !frame.more
  }

  private changeAll(): void {
    this.round += 1
    const changed = [...this.states.values()].map((state, i) => another(state, i + this.round))
    for (let from = 0; from < changed.length; from += PART) {
      const more = from + PART < changed.length
      const compounds = changed.slice(from, from + PART)
      const frame: MapFrame = { type: 'map', position: this.position, snapshot: false, more, compounds }
      const text = JSON.stringify(frame)
      for (const page of this.pages.clients) page.send(text)
    }
  }
}

/** The compound as it might stand a moment later. */
function another(state: MapState, turn: number): MapState {
  const level = LEVELS[turn % LEVELS.length]
  const help = turn % 7 === 0 ? turn % 11 : 0
  return { ...state, emergency: level !== null, level, exercise: true, silent: turn % 20 === 0, help_open: help }
}
