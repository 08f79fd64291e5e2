/** The lines of the log that a filter lets through: the newest first, older ones as asked for, new ones as they come. */
import { onBeforeUnmount, ref, shallowRef, type Ref } from 'vue'
import { api, take } from '../../shared/api'
import type { LogLine, LogPage } from '../../shared/schema'
import { city } from '../city'
import { useLoaded } from '../loaded'
import { queryOf, type LogFilter, type LogQuery } from './filter'

/** A line, told apart from the others of its record. */
export interface Line extends LogLine {
  key: string
}

/** Lines of one page. */
const PAGE = 100
/** A server's page is empty where a narrow filter found nothing in 5,000 records: so many are asked for before the person is. */
const LOOKS = 10
/** Lines on the screen; whoever wants more exports them. */
export const SHOWN_MAX = 3_000
/** New lines that wait to be shown; past them the list is read anew. */
export const FRESH_MAX = 500
/** It is looked for new lines at most so often while the city changes, and so often when nothing is heard, ms. */
const AGAIN_MS = 1_000
const ANYWAY_MS = 5_000

const page = (query: LogQuery): Promise<LogPage> => take(api.GET('/api/v1/log', { params: { query } }))

/** A page never cuts a record in two, so a line is known by its record and its place in it. */
function keyed(lines: LogLine[]): Line[] {
  let [position, place] = [0, 0]
  return lines.map((line) => {
    place = line.position === position ? place + 1 : 0
    position = line.position
    return { ...line, key: `${position}.${place}` }
  })
}

/** @param follows whether new lines are shown at once, and do not wait */
export function useLogLines(filter: Ref<LogFilter>, follows: () => boolean) {
  const lines = shallowRef<Line[]>([])
  /** Newer than all lines, and not shown yet. */
  const fresh = shallowRef<Line[]>([])
  /** Where older ones go on; `null` at the first record. */
  const next = ref<number | null>(null)
  /** How far back it was looked. */
  const lookedTo = ref<string | null>(null)
  const busy = ref(false)
  /** The newest record that was looked at; `null` until the first page is there. */
  let end: number | null = null
  let wantsOlder = true
  /** Answers to an older filter are not taken in. */
  let turn = 0

  async function older(): Promise<void> {
    const [asked, found] = [turn, lines.value.length]
    for (let look = 0; look < LOOKS && lines.value.length - found < PAGE; look++) {
      const before = next.value ?? undefined
      const answer = await page({ ...queryOf(filter.value), before, limit: PAGE })
      if (asked !== turn) return
      end ??= answer.end
      lines.value = [...lines.value, ...keyed(answer.items)]
      next.value = answer.next ?? null
      lookedTo.value = answer.looked_to ?? lookedTo.value
      if (next.value === null) break
    }
    wantsOlder = false
  }

  async function newer(): Promise<void> {
    const asked = turn
    for (let more = true; more && fresh.value.length < FRESH_MAX;) {
      const answer = await page({ ...queryOf(filter.value), after: end ?? 0, limit: FRESH_MAX })
      if (asked !== turn) return
      fresh.value = [...keyed(answer.items).reverse(), ...fresh.value]
      end = answer.next ?? answer.end
      more = typeof answer.next === 'number'
    }
    if (follows()) show()
  }

  /** One look at a time: two would take the same lines in twice. */
  async function look(): Promise<void> {
    if (busy.value) return
    const asked = turn
    busy.value = true
    try {
      await (wantsOlder ? older() : newer())
    } finally {
      if (asked === turn) busy.value = false
    }
  }
  const { fault, load, loadSoon } = useLoaded(look, () => true, AGAIN_MS)

  /** From the newest on, by the filter as it is now. */
  function restart(): void {
    turn += 1
    end = null
    wantsOlder = true
    busy.value = false
    lines.value = []
    fresh.value = []
    next.value = null
    lookedTo.value = null
    void load()
  }

  /** Shows the new lines that wait; where that makes too many, the list is read anew. */
  function show(): void {
    if (fresh.value.length === 0) return
    if (fresh.value.length >= FRESH_MAX || lines.value.length + fresh.value.length > SHOWN_MAX) return restart()
    lines.value = [...fresh.value, ...lines.value]
    fresh.value = []
  }

  function more(): void {
    wantsOlder = true
    void load()
  }

  const stop = city.onNews(loadSoon)
  const anyway = setInterval(loadSoon, ANYWAY_MS)
  onBeforeUnmount(() => {
    stop()
    clearInterval(anyway)
    turn += 1
  })
  return { lines, fresh, next, lookedTo, busy, fault, load, more, show, restart }
}
