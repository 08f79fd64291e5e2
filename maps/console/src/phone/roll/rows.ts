/** The households of a roll, of several tellings: the server's, the phone's own copy, and what waits to be sent. Pure. */
import type { HouseholdRow, ReportView } from '../../shared/schema'
import type { Entry } from '../outbox/entry'
import type { RollPlace } from '../kept/kept'

/** What a report on a household says, as it waits in the outbox. */
type CheckIn = Omit<ReportView, 'made_at'> & { household: string; made_at: string }

/** Where a roll's reports go. */
export const checkInsPath = (incident: string): string => `/api/v1/incidents/${incident}/check-ins`

/** Names a household: `140403103001001/3-2-502`. */
export const householdOf = (compound: string, flat: string): string => `${compound}/${flat}`

/** The stairwell of a flat: `3-2` of `3-2-502`. */
export const unitOf = (flat: string): string => flat.slice(0, flat.lastIndexOf('-'))

/** Of two reports the one that was made later counts, as on the server. */
function later<T extends ReportView>(one: T | null | undefined, other: T | null | undefined): T | null {
  if (!one || !other) return one ?? other ?? null
  return Date.parse(other.made_at) > Date.parse(one.made_at) ? other : one
}

/** The rows of one telling, each with the later of both reports. */
export function merged(rows: HouseholdRow[], known: HouseholdRow[]): HouseholdRow[] {
  const reports = new Map(known.map((row) => [row.flat, row.report]))
  return rows.map((row) => ({ ...row, report: later(row.report, reports.get(row.flat)) }))
}

/** The rows with what this phone has reported and not yet handed in. */
export function withWaiting(rows: HouseholdRow[], { incident, compound }: RollPlace, waiting: Entry[]): HouseholdRow[] {
  const own = waiting
    .filter((entry) => entry.path === checkInsPath(incident) && !entry.refused)
    // Written by this page's own `report`.
    .map((entry) => JSON.parse(entry.body) as CheckIn)
  const reports = new Map<string, CheckIn>()
  for (const one of own) {
    const latest = later(reports.get(one.household), one)
    if (latest) reports.set(one.household, latest)
  }
  if (reports.size === 0) return rows
  return rows.map((row) => {
    const mine = reports.get(householdOf(compound, row.flat))
    return mine ? { ...row, report: later(row.report, reportOf(mine)) } : row
  })
}

function reportOf({ status, heads, verified, made_at, note }: CheckIn): ReportView {
  return { status, heads, verified, made_at, note }
}

/** How many households of each stairwell have a report. */
export function progressByUnit(rows: HouseholdRow[]): Map<string, { done: number; all: number }> {
  const units = new Map<string, { done: number; all: number }>()
  for (const row of rows) {
    const unit = units.get(unitOf(row.flat)) ?? { done: 0, all: 0 }
    units.set(unitOf(row.flat), { done: unit.done + (row.report ? 1 : 0), all: unit.all + 1 })
  }
  return units
}
