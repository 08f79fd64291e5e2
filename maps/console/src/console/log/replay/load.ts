/** Reads an incident's replay and the lines of its log from the server. */
import { onBeforeUnmount, shallowRef } from 'vue'
import { api, Refused, take, walk } from '../../../shared/api'
import type { LogLine, ReplayView } from '../../../shared/schema'

/** Part of an incident, by positions of the journal; nothing for the whole. */
export interface Part {
  from?: number
  until?: number
}

export interface Loaded {
  replay: ReplayView
  /** From the first frame on, the oldest first. */
  lines: LogLine[]
}

/** The server makes one replay at a time: who comes second asks again so often, ms, so many times. */
const BUSY_AGAIN_MS = 3_000
const BUSY_TIMES = 10
/** Lines of one page of the server; `walk` names how many at most. */
const PAGE = 500

async function replayOf(id: string, query: Part, signal: AbortSignal): Promise<ReplayView> {
  for (let tries = 0; ; tries++) {
    try {
      return await take(api.GET('/api/v1/incidents/{id}/replay', { params: { path: { id }, query }, signal }))
    } catch (why) {
      const waits = why instanceof Refused && why.code === 'replay_busy' && tries < BUSY_TIMES && !signal.aborted
      if (!waits) throw why
      await new Promise((again) => setTimeout(again, BUSY_AGAIN_MS))
    }
  }
}

function linesOf(incident: string, { frames, end }: ReplayView, signal: AbortSignal): Promise<LogLine[]> {
  const start = (frames[0]?.position ?? 1) - 1
  return walk(async (after?: number) => {
    const query = { incident, after: after ?? start, limit: PAGE }
    const { items, next } = await take(api.GET('/api/v1/log', { params: { query }, signal }))
    return { items, next: typeof next === 'number' && next < end ? next : null }
  })
}

export function useReplay() {
  const loaded = shallowRef<Loaded | null>(null)
  const busy = shallowRef(false)
  const fault = shallowRef<Refused | null>(null)
  /** Whoever asks for another one, or leaves, does not keep the server folding the journal for nobody. */
  let asking = new AbortController()

  async function load(incident: string, part: Part = {}): Promise<void> {
    asking.abort()
    const { signal } = (asking = new AbortController())
    busy.value = true
    fault.value = null
    try {
      const replay = await replayOf(incident, part, signal)
      const lines = await linesOf(incident, replay, signal)
      if (!signal.aborted) loaded.value = { replay, lines }
    } catch (why) {
      if (!(why instanceof Refused)) throw why
      if (!signal.aborted) fault.value = why
    } finally {
      if (!signal.aborted) busy.value = false
    }
  }
  onBeforeUnmount(() => asking.abort())
  return { loaded, busy, fault, load }
}
