/**
 * Hands in what the phone has to report: writes it down first, sends it when there is a network, and forgets it only when the
 * server said that it has it (or refuses it for good, which is shown).
 */
import { shallowRef, type ShallowRef } from 'vue'
import { newId } from '../../shared/api'
import { busy } from '../busy'
import { CHANNEL, SYNC } from '../worker/words'
import { drain, type Send } from './drain'
import type { Entry } from './entry'
import type { Store } from './store'

/** What a page hands in. With an `id` of its own, the same report handed in again is the same report. */
export type Report = Pick<Entry, 'path' | 'line' | 'epoch' | 'about'> & { body: unknown; id?: string }

/** The wait before the next try, ms: short at first, then longer. */
const RETRY_MS = [2_000, 5_000, 10_000, 30_000]

export class Outbox {
  /** What waits, oldest first; watched by the page. */
  readonly waiting: ShallowRef<Entry[]> = shallowRef([])
  /** How many of somebody else's wait on this phone: only they can send them. */
  readonly others = shallowRef(0)
  private readonly channel = new BroadcastChannel(CHANNEL)
  private stopped = false
  private sending = false
  private again = false
  private tries = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly store: Store,
    private readonly owner: string,
    private readonly send: Send,
  ) {
    this.channel.onmessage = () => void this.refresh()
    document.addEventListener('visibilitychange', this.leave)
  }

  /** Whether what waits survives the page. */
  get lasts(): boolean {
    return this.store.lasts
  }

  /** Reads what an earlier visit left, and sends it. */
  async start(): Promise<void> {
    await this.refresh()
    this.hurry()
  }

  /** The page no longer shows it; what is on its way is still noted when it arrived. */
  stop(): void {
    this.stopped = true
    document.removeEventListener('visibilitychange', this.leave)
    clearTimeout(this.timer)
    this.channel.close()
  }

  /** Writes a report down and starts to send it. Resolves when it is safe on this phone, sent or not. */
  async add(report: Report): Promise<void> {
    const body = JSON.stringify(report.body)
    const entry = { ...report, body, id: report.id ?? newId(), owner: this.owner, madeAt: Date.now() }
    await busy(() => this.store.put(entry))
    await this.changed()
    askToKeep()
    this.hurry()
  }

  /** A refused report was read. */
  async dismiss(id: string): Promise<void> {
    await this.store.remove(id)
    await this.changed()
  }

  /** Tries now: the network came back, or there is something new. */
  hurry(): void {
    clearTimeout(this.timer)
    if (this.sending) {
      this.again = true
      return
    }
    this.sending = true
    void this.sendAll().finally(() => {
      this.sending = false
      if (this.again && !this.stopped) this.hurry()
    })
  }

  /** A page that is not looked at may be closed: from here on the worker sends, too. */
  private readonly leave = (): void => {
    const waits = this.waiting.value.some((entry) => !entry.refused)
    if (document.visibilityState === 'hidden' && waits) askToWake()
  }

  private async sendAll(): Promise<void> {
    this.again = false
    if (!this.waiting.value.some((entry) => !entry.refused)) return
    const left = await drain(this.store, this.owner, this.send)
    await this.changed()
    this.tries = left > 0 ? this.tries + 1 : 0
    const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length) - 1]
    if (left > 0 && !this.stopped) this.timer = setTimeout(() => this.hurry(), wait)
  }

  private async changed(): Promise<void> {
    await this.refresh()
    if (!this.stopped) this.channel.postMessage('changed')
  }

  private async refresh(): Promise<void> {
    const all = await this.store.all()
    this.waiting.value = all.filter((entry) => entry.owner === this.owner)
    this.others.value = all.filter((entry) => entry.owner !== this.owner && !entry.refused).length
  }
}

/** Where the browser can (Chromium), it sends when the network is back, also after the page was closed. */
function askToWake(): void {
  const workers = (globalThis.navigator as Navigator | undefined)?.serviceWorker
  void workers?.getRegistration().then((registration) => {
    const sync = (registration as { sync?: { register(tag: string): Promise<void> } } | undefined)?.sync
    // Refused where the person does not allow it: the page sends when it is opened.
    return sync?.register(SYNC).catch(() => undefined)
  })
}

/** Asks the browser not to clear what this phone keeps when its disk runs full; some ask the person, so only when there is something. */
function askToKeep(): void {
  const storage = (globalThis.navigator as Navigator | undefined)?.storage
  void storage?.persist?.().catch(() => false)
}
