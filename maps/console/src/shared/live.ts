/**
 * The live connection: one WebSocket that mends itself. It resumes from the last event taken in, says when the connection is
 * lost, and gives each command one answer. What the frames mean is the business of who listens.
 */
import { newId, Refused } from './api'
import type { ClientFrame, Command, CommandAnswer, Hello, ServerFrame } from './schema'
import { takeOffset } from './time'

/** How the connection stands. */
export type LinkState =
  /** For the first time. `news` is how old what the page shows is, ms since 1970; 0 when it shows nothing yet. */
  | { is: 'connecting'; since: number; news: number }
  | { is: 'live'; since: number }
  /** Connected, to a server that cannot reach what the city is kept in: all is as of `asOf`, ms since 1970, and commands are refused. */
  | { is: 'standing'; since: number; asOf: number }
  /** Lost; coming back by itself. `news` is when the last frame came, ms since 1970; 0 when none ever did. */
  | { is: 'lost'; since: number; news: number }
  /** Ended for good, with the server's word for why: `signed_out`, `protocol` … */
  | { is: 'ended'; code: string; news: number }

/** Where the stream of events was left; kept over a reload so that nothing is missed. */
export interface Place {
  epoch: string
  cursor: string
}

export interface Listener {
  frame(frame: ServerFrame): void
  state(state: LinkState): void
  /** What was missed cannot be told: load anew. */
  reload(): void
  /** Who is signed in here may do less or more than before, or nothing any more. */
  rightsChanged(): void
}

export interface LiveOptions {
  url: string
  /** The map is watched, too. */
  watchMap: boolean
  /** Milliseconds between our own pings; 0 for none. Consoles ping to notice a dead network soon, phones spare the battery. */
  pingMs: number
  /** When the server last said something to an earlier page, ms since 1970. */
  news?: number
  /** Where the stream was left the last time. */
  place?: Place
  /** For tests. */
  socket?: (url: string) => WebSocket
  now?: () => number
  random?: () => number
}

/** The wait before the first try to come back, and the longest, ms. */
const RETRY_FIRST_MS = 500
const RETRY_MAX_MS = 15_000
/** Heartbeats of the server after whose silence the connection counts as dead. */
const BEATS_MISSED = 2.5
/** How often the connection is looked after, ms. */
const BEAT_MS = 1_000
/** Commands that may wait for their answers. */
const WAITING_MAX = 200

interface Waiting {
  frame: string
  done: (position: number) => void
  refused: (why: Refused) => void
}

/** A new connection that says nothing for so long is given up, ms: on a bad network its first word takes its time. */
const HELLO_WITHIN_MS = 20_000

export class Live {
  private socket: WebSocket | null = null
  private place: Place | undefined
  private mapSince: { epoch: string; position: number } | undefined
  private state: LinkState
  private news = 0
  private heard = 0
  private pinged = 0
  private tries = 0
  private deadlineMs = HELLO_WITHIN_MS
  private retryTimer: ReturnType<typeof setTimeout> | undefined
  private beatTimer: ReturnType<typeof setInterval> | undefined
  private readonly waiting = new Map<string, Waiting>()
  private readonly now: () => number
  private readonly random: () => number

  constructor(
    private readonly options: LiveOptions,
    private readonly listener: Listener,
  ) {
    this.place = options.place
    this.now = options.now ?? Date.now
    this.random = options.random ?? Math.random
    this.news = options.news ?? 0
    this.state = { is: 'connecting', since: this.now(), news: this.news }
  }

  start(): void {
    this.connect()
  }

  /** Ends it for good. */
  stop(): void {
    clearTimeout(this.retryTimer)
    clearInterval(this.beatTimer)
    const socket = this.socket
    this.socket = null
    socket?.close(1000)
    this.dropAll()
  }

  /** Where the stream of events stands. */
  where(): Place | undefined {
    return this.place
  }

  /** The network came back, or the page was looked at again: try now. */
  hurry(): void {
    if (this.socket || this.state.is === 'ended') return
    clearTimeout(this.retryTimer)
    this.connect()
  }

  /**
   * Gives a command and waits until it is durable or refused. Sent again under the same id when the connection is lost between.
   * @returns the position of its record in the journal
   */
  order(command: Command, epoch?: number, id: string = newId()): Promise<number> {
    const frame: ClientFrame = { type: 'command', id, command, epoch: epoch ?? null }
    return new Promise((done, refused) => {
      if (this.waiting.size >= WAITING_MAX || this.state.is === 'ended') return refused(Refused.unreachable())
      this.waiting.set(id, { frame: JSON.stringify(frame), done, refused })
      this.send(JSON.stringify(frame))
    })
  }

  /** Tells how far an alert has got on this device. */
  receipt(alert: string, stage: 'delivered' | 'shown'): void {
    this.send(JSON.stringify({ type: 'receipt', alert, stage } satisfies ClientFrame))
  }

  private send(text: string): void {
    const greeted = this.state.is === 'live' || this.state.is === 'standing'
    if (this.socket?.readyState === 1 && greeted) this.socket.send(text)
  }

  private connect(): void {
    const make = this.options.socket ?? ((url: string) => new WebSocket(url))
    const socket = make(this.options.url)
    this.socket = socket
    socket.onmessage = ({ data }: MessageEvent) => this.take(socket, String(data))
    socket.onclose = ({ code, reason }: CloseEvent) => this.closed(socket, code, reason)
    const born = this.now()
    clearInterval(this.beatTimer)
    this.beatTimer = setInterval(() => this.beat(socket, born), BEAT_MS)
  }

  /** Asks whether the other side is there, and gives it up when it has not said anything for too long. */
  private beat(socket: WebSocket, born: number): void {
    const quiet = this.now() - Math.max(this.heard, born)
    if (quiet > this.deadlineMs) {
      socket.close()
      this.closed(socket, 1006, '')
    } else if (this.options.pingMs > 0 && socket.readyState === 1 && this.now() - this.pinged >= this.options.pingMs) {
      this.pinged = this.now()
      socket.send('{"type":"ping"}')
    }
  }

  private take(socket: WebSocket, text: string): void {
    if (socket !== this.socket) return
    this.heard = this.now()
    const frame = JSON.parse(text) as ServerFrame
    // A server that stands still has no news, however often it says that it is there.
    if (this.state.is !== 'standing') this.news = this.heard
    switch (frame.type) {
      case 'hello':
        this.greeted(frame)
        break
      case 'event':
        if (this.place) this.place = { epoch: this.place.epoch, cursor: frame.cursor }
        break
      case 'map':
        if (!frame.more && this.place) this.mapSince = { epoch: this.place.epoch, position: frame.position }
        break
      case 'reload':
        this.mapSince = undefined
        this.listener.reload()
        break
      case 'picture':
        this.shows(frame.as_of)
        break
      case 'answer':
        this.answered(frame)
        break
      case 'ping':
        socket.send('{"type":"pong"}')
        break
    }
    this.listener.frame(frame)
  }

  private greeted(hello: Hello): void {
    this.tries = 0
    takeOffset(hello.at)
    const own = this.options.pingMs * 2
    this.deadlineMs = own > 0 ? own : hello.heartbeat_s * 1_000 * BEATS_MISSED
    const left = this.place
    this.place = { epoch: hello.epoch, cursor: hello.cursor }
    this.shows(hello.as_of)
    if (left)
      this.send(JSON.stringify({ type: 'resume', epoch: left.epoch, cursor: left.cursor } satisfies ClientFrame))
    if (this.options.watchMap) {
      const since = this.mapSince?.epoch === hello.epoch ? this.mapSince : null
      this.send(JSON.stringify({ type: 'watch', what: 'map', since } satisfies ClientFrame))
    }
    for (const { frame } of this.waiting.values()) this.send(frame)
    // Events are held back until the first word of ours: where there is nothing to say, this is it.
    if (!left && !this.options.watchMap && this.waiting.size === 0) this.send('{"type":"ping"}')
  }

  /** What is shown is as of then, or as of now. */
  private shows(asOf: string | null | undefined): void {
    const since = this.now()
    this.news = asOf ? Date.parse(asOf) : since
    this.become(asOf ? { is: 'standing', since, asOf: this.news } : { is: 'live', since })
  }

  private answered({ id, ok, refused }: CommandAnswer): void {
    const waiting = this.waiting.get(id)
    if (!waiting) return
    this.waiting.delete(id)
    if (ok) waiting.done(ok.position)
    else
      waiting.refused(
        new Refused(refused?.code ?? 'refused', 409, refused?.zh ?? '被拒绝。', refused?.en ?? 'Refused.'),
      )
  }

  private closed(socket: WebSocket, number: number, reason: string): void {
    if (socket !== this.socket) return
    this.socket = null
    clearInterval(this.beatTimer)
    const said = parseReason(reason)
    if (said?.reconnect === false && number !== 1000) {
      this.become({ is: 'ended', code: said.code, news: this.news })
      this.dropAll()
      return
    }
    if (said?.code === 'rights_changed') this.listener.rightsChanged()
    if (this.state.is !== 'lost') this.become({ is: 'lost', since: this.now(), news: this.news })
    this.retryTimer = setTimeout(() => this.connect(), said?.after_ms ?? this.backoffMs())
  }

  /** Twice as long each time, spread by half so that not all phones come at once. */
  private backoffMs(): number {
    const whole = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(this.tries++, 10))
    return whole / 2 + (this.random() * whole) / 2
  }

  private become(state: LinkState): void {
    this.state = state
    this.listener.state(state)
  }

  private dropAll(): void {
    for (const { refused } of this.waiting.values()) refused(Refused.unreachable())
    this.waiting.clear()
  }
}

/** What the server said with the close: whether to come back, and how soon. */
export function parseReason(reason: string): { code: string; reconnect: boolean; after_ms?: number } | undefined {
  try {
    const said = JSON.parse(reason) as { code: string; reconnect: boolean; after_ms?: number }
    return typeof said.reconnect === 'boolean' ? said : undefined
  } catch {
    return undefined
  }
}

/** Where the live connection is, as this page was loaded. */
export function liveUrl(page: { protocol: string; host: string }): string {
  return `${page.protocol === 'https:' ? 'wss' : 'ws'}://${page.host}/api/v1/live`
}
