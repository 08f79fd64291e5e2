/** Stairwells as they stand on paper: their flats bottom up, and how they are parted into sheets. Pure. */
import type { Building } from '../shared/schema'

/** A stairwell of a compound. */
export interface Stairwell {
  building: Building
  /** Its number in the building, from 1. */
  unit: number
}

/** Households on one sheet: more, and the boxes become too small for a cold hand in the light of a torch. */
export const ROWS_MAX = 24

/** `3-2`. */
export const unitName = ({ building, unit }: Stairwell): string => `${building.no}-${unit}`

/** All stairwells of a compound, building by building. */
export function stairwellsOf(buildings: readonly Building[]): Stairwell[] {
  return buildings.flatMap((building) =>
    Array.from({ length: building.units }, (_, index) => ({ building, unit: index + 1 })),
  )
}

/** The flats of a stairwell, `3-2-502`, as the server lists them. */
export function flatsOf({ building, unit }: Stairwell): string[] {
  const { no, floors, flats_per_floor: doors } = building
  return Array.from({ length: floors * doors }, (_, index) => {
    const [floor, door] = [Math.floor(index / doors) + 1, (index % doors) + 1]
    return `${no}-${unit}-${floor * 100 + door}`
  })
}

/** Its flats sheet by sheet: no floor is torn apart while it fits, and all sheets but the last are equally full. */
export function pagesOf(stairwell: Stairwell): string[][] {
  const { floors, flats_per_floor: doors } = stairwell.building
  const flats = flatsOf(stairwell)
  if (doors > ROWS_MAX) return chunks(flats, ROWS_MAX)
  const pages = Math.ceil(floors / Math.floor(ROWS_MAX / doors))
  return chunks(flats, Math.ceil(floors / pages) * doors)
}

/** A list in pieces of at most `size`. */
export function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  )
}
