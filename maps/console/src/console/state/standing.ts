/**
 * How every compound stands, folded from the map frames of the live connection. Pure and without Vue: thousands of compounds
 * change twice a second on the worst night, and only what changed may cost anything.
 */
import type { MapState, ServerFrame } from '../../shared/schema'

type MapFrame = Extract<ServerFrame, { type: 'map' }>

/** Counts over all compounds, moved by the difference of each change. */
export interface Totals {
  compounds: number
  emergency: number
  silent: number
  help: number
  /** Compounds whose last alert is in force and not acknowledged by who commands. */
  unacknowledged: number
  /** Households on open rolls that nobody reported on. */
  unaccounted: number
  /** Compounds in emergency under an exercise. */
  exercise: number
}

const nothing = (): Totals => ({
  compounds: 0,
  emergency: 0,
  silent: 0,
  help: 0,
  unacknowledged: 0,
  unaccounted: 0,
  exercise: 0,
})

/** Households of a roll that nobody reported on. */
export function unaccounted(state: MapState): number {
  const { roll } = state
  if (!roll) return 0
  return roll.households - roll.safe - roll.away - roll.evacuated - roll.missing - roll.need_help
}

/** Whether an alert waits for the acknowledgement of who commands. */
export const awaitsAcknowledgement = ({ alert }: MapState): boolean => alert?.status === 'issued' && !alert.acknowledged

export class Standing {
  readonly compounds = new Map<string, MapState>()
  readonly totals: Totals = nothing()
  /** Compounds that the snapshot under way has named; what it does not name is no longer there. */
  private seen: Set<string> | null = null

  /** Takes a frame in. @returns the compounds that changed */
  take(frame: MapFrame): MapState[] {
    if (frame.snapshot) this.seen ??= new Set()
    for (const state of frame.compounds) {
      this.replace(this.compounds.get(state.id), state)
      this.seen?.add(state.id)
    }
    if (this.seen && !frame.more) {
      this.forgetAllBut(this.seen)
      this.seen = null
    }
    return frame.compounds
  }

  /** Whether a whole snapshot has been taken in. */
  get whole(): boolean {
    return this.seen === null && this.compounds.size > 0
  }

  private replace(before: MapState | undefined, after: MapState): void {
    if (before) this.count(before, -1)
    this.count(after, 1)
    this.compounds.set(after.id, after)
  }

  private forgetAllBut(seen: Set<string>): void {
    for (const [id, state] of this.compounds) {
      if (seen.has(id)) continue
      this.count(state, -1)
      this.compounds.delete(id)
    }
  }

  private count(state: MapState, by: 1 | -1): void {
    const { totals } = this
    totals.compounds += by
    if (state.emergency) totals.emergency += by
    if (state.emergency && state.exercise) totals.exercise += by
    if (state.silent) totals.silent += by
    if (awaitsAcknowledgement(state)) totals.unacknowledged += by
    totals.help += by * state.help_open
    totals.unaccounted += by * unaccounted(state)
  }
}
