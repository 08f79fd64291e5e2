/** The rivers, cut where they pass from one county into the next: nobody warns a whole river. */
import type { RiverView } from '../../shared/schema'
import { api, take } from '../../shared/api'
import { holds, lengthKm, middleOf, type Point } from '../map/geometry'

/** What of a river lies in one county. */
export interface Stretch {
  /** Code of the county; `''` beyond the city. */
  county: string
  lines: Point[][]
  km: number
}
export interface River {
  name: string
  stretches: Stretch[]
}
/** A county's outline: polygons with their rings. */
export interface Outline {
  county: string
  polygons: Point[][][]
}

/** @throws Refused when they cannot be read */
export async function loadRivers(): Promise<River[]> {
  const [rivers, outlines] = await Promise.all([take(api.GET('/api/v1/rivers')), loadOutlines()])
  return rivers.filter((river) => river.name !== '').map((river) => cut(river, outlines))
}

/** Some lines of one river, county by county, in the order in which the river passes them. */
export function cut(river: RiverView, outlines: readonly Outline[]): River {
  const lines = new Map<string, Point[][]>()
  for (const given of river.lines) {
    const line = given.map(([lon = 0, lat = 0]): Point => [lon, lat])
    let last: string | null = null
    let run: Point[] = []
    for (const [i, to] of line.entries()) {
      const from = line[i - 1]
      if (!from) continue
      const county = countyAt(middleOf([from, to]), outlines)
      if (county !== last) {
        // The next stretch begins where this one ends.
        run = [from]
        lines.set(county, [...(lines.get(county) ?? []), run])
        last = county
      }
      run.push(to)
    }
  }
  const stretch = ([county, parts]: [string, Point[][]]): Stretch => {
    return { county, lines: parts, km: parts.reduce((sum, part) => sum + lengthKm(part), 0) }
  }
  return { name: river.name, stretches: [...lines].map(stretch) }
}

function countyAt(point: Point, outlines: readonly Outline[]): string {
  return outlines.find(({ polygons }) => polygons.some((rings) => holds(rings, point)))?.county ?? ''
}

/** Of which river a line is a stretch: the one with which it has a corner in common. */
export function riverOf(line: readonly Point[], rivers: readonly River[]): string {
  const corner = line[1] ?? line[0]
  const isOn = (part: readonly Point[]): boolean => part.some(([lon, lat]) => lon === corner?.[0] && lat === corner[1])
  return rivers.find(({ stretches }) => stretches.some(({ lines }) => lines.some(isOn)))?.name ?? ''
}

/** The map's file of counties, as far as it is read here. */
interface CountiesFile {
  features: {
    properties: { adcode: number }
    geometry: { type: 'Polygon'; coordinates: Point[][] } | { type: 'MultiPolygon'; coordinates: Point[][][] }
  }[]
}

async function loadOutlines(): Promise<Outline[]> {
  // Without the outlines each river is one stretch.
  const answer = await fetch('/map-data/changzhi-counties.geojson').catch(() => null)
  if (!answer?.ok) return []
  const { features } = (await answer.json()) as CountiesFile
  return features.map(({ properties, geometry }) => ({
    county: String(properties.adcode),
    polygons: geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates,
  }))
}
