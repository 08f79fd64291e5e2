/**
 * An incident as it can be wound to and fro: frames of what changed, each exactly how the map stood after a record of the journal.
 * Pure. Winding costs by what changed in between, in both directions.
 */
import type { MapState, ReplayView } from '../../../shared/schema'
import { Standing } from '../../state/standing'

/** How a compound stands of which nothing is known yet: the first frame says all of it. */
const BLANK: Omit<MapState, 'id'> = {
  emergency: false,
  exercise: false,
  silent: false,
  nobody_named: false,
  duty: {
    posts: 0,
    posts_ready: 0,
    needed: 0,
    called: 0,
    acknowledged: 0,
    on_post: 0,
    declined: 0,
    no_answer: 0,
    vacant: 0,
  },
  ready: false,
  help_open: 0,
}

interface Shot {
  position: number
  /** ms since 1970. */
  at: number
  before: MapState[]
  after: MapState[]
}

export class Film {
  /** How the compounds stand in the frame that is shown. */
  readonly standing = new Standing()
  private readonly shots: Shot[] = []
  private index = 0

  constructor(replay: Pick<ReplayView, 'frames'>) {
    const last = new Map<string, MapState>()
    for (const { position, at, changes } of replay.frames) {
      const shot: Shot = { position, at: Date.parse(at), before: [], after: [] }
      for (const change of changes) {
        const before = last.get(change.id)
        const after: MapState = { ...(before ?? BLANK), ...change }
        last.set(change.id, after)
        // What was registered meanwhile is there from the start, as it was registered: the map draws today's compounds.
        if (!before && this.shots[0]) this.shots[0].after.push(after)
        shot.before.push(before ?? after)
        shot.after.push(after)
      }
      this.shots.push(shot)
    }
    this.show(this.shots[0]?.after ?? [])
  }

  get frames(): readonly Readonly<Shot>[] {
    return this.shots
  }

  /** Winds to a frame. @returns the compounds that changed on the way, as they stand now */
  wind(to: number): MapState[] {
    const target = Math.min(Math.max(to, 0), this.shots.length - 1)
    const changed = new Map<string, MapState>()
    const note = (states: MapState[]): void => states.forEach((state) => changed.set(state.id, state))
    while (this.index < target) note(this.shots[++this.index]?.after ?? [])
    while (this.index > target) note(this.shots[this.index--]?.before ?? [])
    const states = [...changed.values()]
    this.show(states)
    return states
  }

  private show(compounds: MapState[]): void {
    this.standing.take({ type: 'map', position: 0, snapshot: false, more: false, compounds })
  }
}

/** A moment at which the player can stop: a change on the map, or a line of the log. */
export interface Stop {
  position: number
  /** ms since 1970; never before the stop before, even where a clock was put back. */
  at: number
  /** Which frame is shown: the last that holds no later record. */
  frame: number
}

interface Moment {
  position: number
  at: number
}

/** All stops, in the order of the journal. Lines count only where they lie within the film. */
export function stopsOf(frames: readonly Moment[], lines: readonly Moment[], end: number): Stop[] {
  const first = frames[0]?.position ?? Infinity
  const within = lines.filter(({ position }) => position >= first && position <= end)
  const moments = [...frames, ...within].sort((a, b) => a.position - b.position)
  const stops: Stop[] = []
  let [frame, at] = [0, -Infinity]
  for (const moment of moments) {
    at = Math.max(at, moment.at)
    while ((frames[frame + 1]?.position ?? Infinity) <= moment.position) frame += 1
    if (stops.at(-1)?.position !== moment.position) stops.push({ position: moment.position, at, frame })
  }
  return stops
}

/** Which of what is sorted by `of` is the last that is not beyond `limit`; 0 where all are. */
export function lastNotBeyond<T>(sorted: readonly T[], of: (one: T) => number, limit: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const one = sorted[middle]
    if (one !== undefined && of(one) <= limit) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}

/** How much happened in each of `bins` equal parts of the film's time, from 0 to 1. */
export function bustle(stops: readonly Stop[], from: number, until: number, bins: number): number[] {
  const counts = new Array<number>(bins).fill(0)
  const width = Math.max(1, until - from) / bins
  for (const { at } of stops) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((at - from) / width)))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  // By the root: one busy minute must not hide all others.
  const most = Math.sqrt(Math.max(1, ...counts))
  return counts.map((count) => Math.sqrt(count) / most)
}
