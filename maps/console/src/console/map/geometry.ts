/** The little geometry that the map needs: circles as rings and back, lengths, which polygon holds a point. WGS-84 degrees; pure. */

/** `[lon, lat]`. */
export type Point = [number, number]

/** Of a sphere of the earth's volume, km: as the server reckons. */
const EARTH_KM = 6371.0088
/** Corners of a drawn circle. */
const CIRCLE_CORNERS = 64

const radians = (degrees: number): number => (degrees * Math.PI) / 180
const degrees = (angle: number): number => (angle * 180) / Math.PI

/** Great-circle distance. */
export function distanceKm([lon1, lat1]: Point, [lon2, lat2]: Point): number {
  const half = (angle: number): number => Math.sin(radians(angle) / 2) ** 2
  const a = half(lat2 - lat1) + Math.cos(radians(lat1)) * Math.cos(radians(lat2)) * half(lon2 - lon1)
  return 2 * EARTH_KM * Math.asin(Math.sqrt(a))
}

export function lengthKm(line: readonly Point[]): number {
  return line.slice(1).reduce((sum, point, i) => sum + distanceKm(line[i] ?? point, point), 0)
}

/** Where one comes from a place, going so far in a direction (degrees, clockwise from north). */
function destination([lon, lat]: Point, km: number, bearing: number): Point {
  const far = km / EARTH_KM
  const from = radians(lat)
  const to = Math.asin(Math.sin(from) * Math.cos(far) + Math.cos(from) * Math.sin(far) * Math.cos(radians(bearing)))
  const east = Math.sin(radians(bearing)) * Math.sin(far) * Math.cos(from)
  const turn = Math.atan2(east, Math.cos(far) - Math.sin(from) * Math.sin(to))
  return [lon + degrees(turn), degrees(to)]
}

/** A circle as a closed ring, counter-clockwise. */
export function ringOf(center: Point, radiusKm: number): Point[] {
  const corner = (i: number): Point => destination(center, radiusKm, (-360 * i) / CIRCLE_CORNERS)
  return Array.from({ length: CIRCLE_CORNERS + 1 }, (_, i) => corner(i % CIRCLE_CORNERS))
}

/** The middle of what a ring or a line spans. */
export function middleOf(points: readonly Point[]): Point {
  const [west, south, east, north] = boundsOf(points)
  return [(west + east) / 2, (south + north) / 2]
}

/** The circle that a ring was drawn as. */
export function circleOf(ring: readonly Point[]): { center: Point; radiusKm: number } {
  const center = middleOf(ring)
  const sum = ring.reduce((total, corner) => total + distanceKm(center, corner), 0)
  return { center, radiusKm: sum / Math.max(1, ring.length) }
}

/** West, south, east, north. */
export function boundsOf(points: readonly Point[]): [number, number, number, number] {
  const lons = points.map(([lon]) => lon)
  const lats = points.map(([, lat]) => lat)
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)]
}

/** Whether a point lies in a polygon with holes (even-odd rule). */
export function holds(rings: readonly (readonly Point[])[], [lon, lat]: Point): boolean {
  let inside = false
  for (const ring of rings) {
    ring.forEach(([lon2, lat2], i) => {
      const [lon1, lat1] = ring[i - 1] ?? [lon2, lat2]
      const crosses = lat1 > lat !== lat2 > lat
      if (crosses && lon < ((lon2 - lon1) * (lat - lat1)) / (lat2 - lat1) + lon1) inside = !inside
    })
  }
  return inside
}
