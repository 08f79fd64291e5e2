/** Finds what a sheet's code is about: its compound, its flats, and the incident under which it is entered. */
import type { SheetId } from '../../paper/sheet-code'
import { incidentNo } from '../../paper/sheet-code'
import { pagesOf } from '../../paper/stairwell'
import { api, take, walk } from '../../shared/api'
import type { Compound, HouseholdRow, IncidentView } from '../../shared/schema'

/** Why a good code leads nowhere here. */
export type SheetFault = 'other_city' | 'no_stairwell' | 'unknown_incident' | 'incident_closed' | 'none_open'

/** A sheet that was found. */
export interface FoundSheet {
  id: SheetId
  compound: Compound
  pages: number
  /** In the order of the rows on paper. */
  flats: string[]
  /** Under which it may be entered; more than one for a spare sheet. */
  incidents: IncidentView[]
}

/** Digits of a code that name the city. */
const CITY_DIGITS = 4
/** Households that a page of the server holds at most. */
const PAGE = 500

/** @throws Refused when the server refuses or is away */
export async function findSheet(id: SheetId): Promise<FoundSheet | SheetFault> {
  const areas = await take(api.GET('/api/v1/areas'))
  const ours = id.compound.slice(0, CITY_DIGITS)
  if (!areas.some(({ code }) => code === ours)) return 'other_city'
  const path = { compound: id.compound }
  const { compound } = await take(api.GET('/api/v1/compounds/{compound}', { params: { path } }))
  const building = compound.buildings.find(({ no }) => no === id.building)
  if (!building || id.unit > building.units) return 'no_stairwell'
  const pages = pagesOf({ building, unit: id.unit })
  const flats = pages[id.page - 1]
  if (!flats) return 'no_stairwell'
  const incidents = incidentsOf(id, await allIncidents())
  return typeof incidents === 'string' ? incidents : { id, compound, pages: pages.length, flats, incidents }
}

function allIncidents(): Promise<IncidentView[]> {
  const page = (after?: string) => api.GET('/api/v1/incidents', { params: { query: { after } } })
  return walk((after?: string) => take(page(after)))
}

/** Those that are open and have the sheet's number; for a spare sheet all that are open. */
export function incidentsOf(
  { incident }: Pick<SheetId, 'incident'>,
  all: readonly IncidentView[],
): IncidentView[] | SheetFault {
  const spare = incident === 0
  const meant = spare ? all : all.filter(({ id }) => incidentNo(id) === incident)
  const open = meant.filter((one) => !one.closed_at)
  if (open.length > 0) return open
  if (spare) return 'none_open'
  return meant.length > 0 ? 'incident_closed' : 'unknown_incident'
}

/**
 * What is known already of the flats of the sheet.
 * @throws Refused when no roll is taken there, or the server is away
 */
export async function knownOf({ id, flats }: FoundSheet, incident: string): Promise<Map<string, HouseholdRow>> {
  const path = { id: incident, compound: id.compound }
  const unit = `${id.building}-${id.unit}`
  const rows = await walk((after?: string) => {
    const query = { unit, limit: PAGE, after }
    return take(api.GET('/api/v1/incidents/{id}/compounds/{compound}/households', { params: { path, query } }))
  })
  const here = new Set(flats)
  return new Map(rows.filter(({ flat }) => here.has(flat)).map((row) => [row.flat, row]))
}
