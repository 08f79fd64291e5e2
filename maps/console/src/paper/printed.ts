/** What is printed: the sheets of stairwells, page by page. Pure. */
import type { IncidentView } from '../shared/schema'
import { encode, incidentNo } from './sheet-code'
import { pagesOf, unitName, type Stairwell } from './stairwell'

/** Sheets of one printing: a community has a few hundred. */
export const SHEETS_MAX = 500

/** A compound as far as paper needs it. */
export interface PrintedPlace {
  compound: string
  name: string
  /** City, county, street and community. */
  areas: string
}

/** One sheet of paper. */
export interface PrintedSheet {
  place: PrintedPlace
  stairwell: Stairwell
  page: number
  pages: number
  /** In the order of the rows. */
  flats: string[]
  incident: IncidentView | null
  code: string
}

/** A compound with the stairwells that are wanted. */
export interface Wanted {
  place: PrintedPlace
  stairwells: Stairwell[]
}

/** The sheets of some stairwells, under an incident or for the cupboard. */
export function sheetsOf(wanted: readonly Wanted[], incident: IncidentView | null): PrintedSheet[] {
  const number = incident ? incidentNo(incident.id) : 0
  return wanted.flatMap(({ place, stairwells }) =>
    stairwells.flatMap((stairwell) =>
      pagesOf(stairwell).map((flats, index, all) => {
        const [building, unit, page] = [stairwell.building.no, stairwell.unit, index + 1]
        const code = encode({ compound: place.compound, building, unit, page, incident: number })
        return { place, stairwell, page, pages: all.length, flats, incident, code }
      }),
    ),
  )
}

/** One stairwell of one compound, as a key. */
export const stairwellKey = (place: PrintedPlace, stairwell: Stairwell): string =>
  `${place.compound}/${unitName(stairwell)}`
