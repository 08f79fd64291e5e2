/** Where the map has to look to show an area. Pure. */
import type { AreaView } from '../../shared/schema'

/** How close an area is looked at, by the digits of its code. */
const ZOOM_OF_CODE: Record<number, number> = { 6: 9.5, 9: 12, 12: 13.5 }
/** Digits of the codes of community, street and county. */
const LEVELS = [12, 9, 6] as const

export interface View {
  center: [number, number]
  zoom: number
}

/**
 * The view of an area. Of some nobody knows where they lie: then of the narrowest area round it that has a place.
 * Nothing for the city, or where nothing is known: that is the view of the whole.
 */
export function viewOf(area: string, areas: ReadonlyMap<string, AreaView>): View | null {
  for (const digits of LEVELS.filter((level) => level <= area.length)) {
    const [lon, lat] = areas.get(area.slice(0, digits))?.center ?? []
    if (lon !== undefined && lat !== undefined) return { center: [lon, lat], zoom: ZOOM_OF_CODE[digits] ?? 9.5 }
  }
  return null
}
