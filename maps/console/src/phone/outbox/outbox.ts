/**
 * Hands in what the phone has to report: writes it down first, sends it when there is a network, and forgets it only when the
 * server said that it has it (or refuses it for good, which is shown).
 */
import { shallowRef, type ShallowRef } from 'vue'
import { newId, Refused } from '../../shared/api'
import type { Entry } from './entry'
import type { Store } from './store'

/** What a page hands in. With an `id` of its own, the same report handed in again is the same report. */
export type Report = Pick<Entry, 'path' | 'epoch' | 'about'> & { body: unknown; id?: string }
/** What became of one try. */
export type Sent = { is: 'done' } | { is: 'refused'; why: Refused } | { is: 'later' }
/** Sends one entry. */
export type Send = (entry: Entry) => Promise<Sent>

/** The wait before the next try, ms: short at first, then longer. */
const RETRY_MS = [2_000, 5_000, 10_000, 30_000]
/** Entries sent at a time: one slow answer must not hold up the others. */
const AT_ONCE = 8

export class Outbox {
  /** What waits, oldest first; watched by the page. */
  readonly waiting: ShallowRef<Entry[]> = shallowRef([])
  private sending = false
  private again = false
  private tries = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly store: Store,
    private readonly owner: string,
    private readonly send: Send,
  ) {}

  /** Whether what waits survives the page. */
  get lasts(): boolean {
    return this.store.lasts
  }

  /** Reads what an earlier visit left, and sends it. */
  async start(): Promise<void> {
    await this.refresh()
    this.hurry()
  }

  stop(): void {
    clearTimeout(this.timer)
  }

  /** Writes a report down and starts to send it. Resolves when it is safe on this phone, sent or not. */
  async add(report: Report): Promise<void> {
    const body = JSON.stringify(report.body)
    await this.store.put({ ...report, body, id: report.id ?? newId(), owner: this.owner, madeAt: Date.now() })
    await this.refresh()
    this.hurry()
  }

  /** A refused report was read. */
  async dismiss(id: string): Promise<void> {
    await this.store.remove(id)
    await this.refresh()
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
      if (this.again) this.hurry()
    })
  }

  private async sendAll(): Promise<void> {
    this.again = false
    const entries = this.waiting.value.filter((entry) => !entry.refused)
    let left = 0
    for (let at = 0; at < entries.length && left === 0; at += AT_ONCE) {
      const sent = await Promise.all(entries.slice(at, at + AT_ONCE).map((entry) => this.sendOne(entry)))
      left += sent.filter((done) => !done).length
    }
    await this.refresh()
    this.tries = left > 0 ? this.tries + 1 : 0
    const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length) - 1]
    if (left > 0) this.timer = setTimeout(() => this.hurry(), wait)
  }

  /** Whether the entry is off our hands. */
  private async sendOne(entry: Entry): Promise<boolean> {
    const sent = await this.send(entry)
    if (sent.is === 'done') await this.store.remove(entry.id)
    if (sent.is === 'refused') await this.store.put({ ...entry, refused: { zh: sent.why.zh, en: sent.why.en } })
    return sent.is !== 'later'
  }

  private async refresh(): Promise<void> {
    const all = await this.store.all()
    this.waiting.value = all.filter((entry) => entry.owner === this.owner)
  }
}
