/** Who has been called for an alert, ticked off by hand. Ids and times only; kept in this tab, so that a reload does not lose it. */
import { reactive } from 'vue'

/** The storage that a tab has; here so that tests can bring one. */
type Kept = Pick<Storage, 'getItem' | 'setItem'>

export class Called {
  private readonly times: Map<string, number>
  private readonly key: string

  constructor(
    alert: string,
    private readonly kept: Kept,
  ) {
    this.key = `muster.called.${alert}`
    this.times = reactive(new Map(read(kept.getItem(this.key))))
  }

  /** When somebody was called, ms since 1970. */
  at(person: string): number | undefined {
    return this.times.get(person)
  }

  /** Ticks somebody off, or takes the tick back. */
  turn(person: string, now: number): void {
    if (!this.times.delete(person)) this.times.set(person, now)
    try {
      this.kept.setItem(this.key, JSON.stringify([...this.times]))
    } catch {
      // A browser that keeps nothing: the ticks live as long as the page.
    }
  }
}

/** What an earlier page of this tab wrote; nothing, if it cannot be read. */
function read(text: string | null): [string, number][] {
  try {
    const entries = JSON.parse(text ?? '[]') as unknown
    const isTick = (one: unknown): one is [string, number] =>
      Array.isArray(one) && typeof one[0] === 'string' && typeof one[1] === 'number'
    return Array.isArray(entries) ? entries.filter(isTick) : []
  } catch {
    return []
  }
}
