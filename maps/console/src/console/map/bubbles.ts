/** What a street or a county shows from afar: how many compounds, and how many stand worst. Running counts; pure. */
import type { AreaView, MapState } from '../../shared/schema'
import { placeOf, shadesOf, type Paint } from './paint'

/** Digits of the codes that have a bubble: county, street. */
const LEVELS = { county: 6, street: 9 } as const
export type Level = keyof typeof LEVELS

/** One bubble as the map draws it. */
export interface Bubble {
  code: string
  name: string
  at: [number, number]
  count: number
  /** `12 / 340`: how many stand worst, of how many; `? 3 / 340`: how many are silent. */
  label: string
  colour: string
  /** How bad that is: the higher, the worse. */
  rank: number
}

export class Bubbles {
  /** Of each compound the shade that was counted, and whether it was silent. */
  private readonly counted = new Map<string, number>()
  /** Of each area the compounds by shade; silent ones are counted in place `SILENT`. */
  private readonly areas = new Map<string, number[]>()

  /** @param within only compounds of this area are counted; `''` for all */
  constructor(
    readonly paint: Paint,
    private readonly within = '',
  ) {}

  /** A compound changed. */
  take(state: MapState): void {
    if (!state.id.startsWith(this.within)) return
    const now = placeOf(this.paint, state)
    const before = this.counted.get(state.id)
    if (before === now) return
    this.counted.set(state.id, now)
    for (const digits of Object.values(LEVELS)) {
      const code = state.id.slice(0, digits)
      const counts = this.areas.get(code) ?? new Array<number>(shadesOf(this.paint).length + 1).fill(0)
      this.areas.set(code, counts)
      if (before !== undefined) counts[before] = (counts[before] ?? 0) - 1
      counts[now] = (counts[now] ?? 0) + 1
    }
  }

  /** All bubbles of a level that lie somewhere. */
  at(level: Level, areas: ReadonlyMap<string, AreaView>): Bubble[] {
    const bubbles: Bubble[] = []
    for (const [code, counts] of this.areas) {
      const area = areas.get(code)
      if (code.length !== LEVELS[level] || !area?.center) continue
      const count = counts.reduce((sum, n) => sum + n, 0)
      if (count > 0) bubbles.push({ code, name: area.name, at: pair(area.center), count, ...this.worst(counts, count) })
    }
    return bubbles
  }

  /** What stands worst: silence first, since it may hide anything; then the last shade that occurs. */
  private worst(counts: number[], count: number): Pick<Bubble, 'label' | 'colour' | 'rank'> {
    const shades = shadesOf(this.paint)
    const silent = counts[shades.length] ?? 0
    if (silent > 0) return { label: `? ${silent} / ${count}`, colour: SILENT_COLOUR, rank: shades.length }
    const last = counts.findLastIndex((n) => n > 0)
    const label = last > 0 ? `${counts[last]} / ${count}` : String(count)
    return { label, colour: shades[last]?.colour ?? SILENT_COLOUR, rank: last }
  }
}

/** How many of these compounds lie in each area that has a bubble. */
export function countByArea(compounds: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const id of compounds) {
    for (const digits of Object.values(LEVELS)) {
      const code = id.slice(0, digits)
      counts.set(code, (counts.get(code) ?? 0) + 1)
    }
  }
  return counts
}

/** Of the hatch, from afar. */
export const SILENT_COLOUR = '#93a1b3'

const pair = (point: number[]): [number, number] => [point[0] ?? 0, point[1] ?? 0]
