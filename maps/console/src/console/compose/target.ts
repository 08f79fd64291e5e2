/** Whom an alert is for, piece by piece as the author named it, and as the server takes it. Pure. */
import type { Parts, TargetArea } from '../../shared/schema'
import { distanceKm, type Point } from '../map/geometry'

/** What the author named in one go; `out` takes it away from the others. */
interface Named {
  id: string
  out: boolean
}
/** A drawn outline: the first ring is the outside, the others are holes. */
export type DrawnPolygon = Named & { kind: 'polygon'; rings: Point[][] }
export type DrawnCircle = Named & { kind: 'circle'; center: Point; radiusKm: number }
/** Along a river: as many lines as it has stretches there. */
export type AlongRiver = Named & { kind: 'river'; name: string; lines: Point[][]; withinM: number }
export type WholeArea = Named & { kind: 'area'; code: string }
export type SingleCompound = Named & { kind: 'compound'; code: string; name: string }
export type Shape = DrawnPolygon | DrawnCircle
export type Piece = Shape | AlongRiver | WholeArea | SingleCompound

export const isShape = (piece: Piece): piece is Shape => piece.kind === 'polygon' || piece.kind === 'circle'

const nothing = (): Parts => ({ polygons: [], circles: [], corridors: [], areas: [], compounds: [] })

function add(to: Parts, piece: Piece): void {
  if (piece.kind === 'polygon') to.polygons.push(piece.rings)
  if (piece.kind === 'circle') to.circles.push({ center: piece.center, radius_km: piece.radiusKm })
  if (piece.kind === 'river') to.corridors.push(...piece.lines.map((line) => ({ line, within_m: piece.withinM })))
  if (piece.kind === 'area') to.areas.push(piece.code)
  if (piece.kind === 'compound') to.compounds.push(piece.code)
}

/** The pieces as the server takes them. */
export function toTarget(pieces: readonly Piece[]): TargetArea {
  const include = nothing()
  const exclude = nothing()
  for (const piece of pieces) add(piece.out ? exclude : include, piece)
  return { include, exclude }
}

/** What a target says that came from the server. Names are looked up: the target has codes and lines only. */
export interface Names {
  compound: (code: string) => string
  /** Of which river the line is a stretch; `''` when of none. */
  river: (line: readonly Point[]) => string
}

/** A target from the server as pieces that can be changed; each gets an id of `newId`. */
export function fromTarget(target: TargetArea, names: Names, newId: () => string): Piece[] {
  return [...piecesOf(target.include, false, names, newId), ...piecesOf(target.exclude ?? {}, true, names, newId)]
}

function piecesOf(parts: Partial<Parts>, out: boolean, names: Names, newId: () => string): Piece[] {
  const { polygons, circles, corridors, areas, compounds } = { ...nothing(), ...parts }
  const named = (): Named => ({ id: newId(), out })
  return [
    ...polygons.map((rings) => ({ ...named(), kind: 'polygon' as const, rings: rings.map(points) })),
    ...circles.map(({ center, radius_km }) => {
      return { ...named(), kind: 'circle' as const, center: point(center), radiusKm: radius_km }
    }),
    ...corridors.map(({ line, within_m }) => {
      const lines = [points(line)]
      return { ...named(), kind: 'river' as const, name: names.river(points(line)), lines, withinM: within_m }
    }),
    ...areas.map((code) => ({ ...named(), kind: 'area' as const, code })),
    ...compounds.map((code) => ({ ...named(), kind: 'compound' as const, code, name: names.compound(code) })),
  ]
}

/** Whether the same place is named already, in or out. */
export function isNamed(pieces: readonly Piece[], kind: 'area' | 'compound', code: string): boolean {
  return pieces.some((piece) => piece.kind === kind && piece.code === code)
}

/**
 * The pieces after something was drawn, changed or deleted on the map. Shapes that the map does not hold (`held` says which) and
 * all other pieces stay as they are.
 */
export function withDrawn(pieces: readonly Piece[], drawn: readonly Shape[], held: (id: string) => boolean): Piece[] {
  const now = new Map(drawn.map((shape) => [shape.id, shape]))
  const kept = pieces.filter((piece) => !isShape(piece) || !held(piece.id) || now.has(piece.id))
  const changed = kept.map((piece) => changedBy(piece, now.get(piece.id)))
  const known = new Set(pieces.map((piece) => piece.id))
  return [...changed, ...drawn.filter((shape) => !known.has(shape.id))]
}

/** A circle that was not touched keeps the radius that was typed: what the map holds are the corners of a ring. */
function changedBy(piece: Piece, now: Shape | undefined): Piece {
  if (!now) return piece
  const untouched =
    piece.kind === 'circle' &&
    now.kind === 'circle' &&
    distanceKm(piece.center, now.center) < SAME_KM &&
    Math.abs(piece.radiusKm - now.radiusKm) < SAME_KM
  return untouched ? piece : { ...now, out: piece.out }
}

/** Less than anybody draws: 10 cm. */
const SAME_KM = 1e-4

const point = (pair: readonly number[]): Point => [pair[0] ?? 0, pair[1] ?? 0]
const points = (pairs: readonly (readonly number[])[]): Point[] => pairs.map(point)
