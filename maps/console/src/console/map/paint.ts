/** What colour a compound has on the map: one chosen thing at a time. Pure. */
import type { MapState } from '../../shared/schema'
import { unaccounted } from '../state/standing'

/** What the colours tell. */
export const PAINTS = ['mode', 'alert', 'posts', 'roll', 'help', 'silence'] as const
export type Paint = (typeof PAINTS)[number]

/** One colour and what it means (a word of the legend); later ones are worse, and bubbles show the worst in them. */
export interface Shade {
  word: string
  colour: string
}

/** Colours told apart with all common kinds of colour blindness, by lightness too. Grey is no news, never green. */
const GREY = '#5b6b80'
const SHADES: Record<Paint, readonly Shade[]> = {
  mode: [
    { word: 'normal', colour: GREY },
    { word: 'level_4', colour: '#4ea3ff' },
    { word: 'level_3', colour: '#ffd24d' },
    { word: 'level_2', colour: '#ff8f2e' },
    { word: 'level_1', colour: '#f0433a' },
  ],
  alert: [
    { word: 'no_alert', colour: GREY },
    { word: 'acknowledged', colour: '#35b56a' },
    { word: 'shown', colour: '#ffd24d' },
    { word: 'delivered', colour: '#ff8f2e' },
    { word: 'sent', colour: '#f0433a' },
  ],
  posts: [
    { word: 'not_called', colour: GREY },
    { word: 'ready', colour: '#35b56a' },
    { word: 'half', colour: '#ffd24d' },
    { word: 'few', colour: '#ff8f2e' },
    { word: 'vacant', colour: '#f0433a' },
  ],
  roll: [
    { word: 'no_roll', colour: GREY },
    { word: 'roll_done', colour: '#35b56a' },
    { word: 'roll_most', colour: '#a6d854' },
    { word: 'roll_half', colour: '#ffd24d' },
    { word: 'roll_few', colour: '#f0433a' },
  ],
  help: [
    { word: 'no_help', colour: GREY },
    { word: 'help_some', colour: '#ff8f2e' },
    { word: 'help_many', colour: '#f0433a' },
  ],
  silence: [{ word: 'heard', colour: '#4ea3ff' }],
}

/** Requests from which a compound counts as one with many. */
const HELP_MANY = 5
/** Share of the households from which a roll counts as nearly done. */
const ROLL_MOST = 0.9

export const shadesOf = (paint: Paint): readonly Shade[] => SHADES[paint]

/** Which of the paint's shades the compound has. */
export function shade(paint: Paint, state: MapState): number {
  return INDEX[paint](state)
}

const INDEX: Record<Paint, (state: MapState) => number> = {
  mode: ({ level }) => (level ? { I: 4, II: 3, III: 2, IV: 1 }[level] : 0),
  alert: ({ alert }) => {
    if (!alert || alert.status !== 'issued') return 0
    if (alert.acknowledged) return 1
    if (alert.people.shown > 0) return 2
    return alert.people.delivered > 0 ? 3 : 4
  },
  posts: ({ emergency, ready, duty }) => {
    if (!emergency) return 0
    if (ready) return 1
    if (duty.on_post === 0) return 4
    return duty.on_post * 2 >= duty.needed ? 2 : 3
  },
  roll: (state) => {
    const { roll } = state
    if (!roll) return 0
    const left = unaccounted(state)
    if (left === 0) return 1
    const done = 1 - left / roll.households
    if (done >= ROLL_MOST) return 2
    return done >= 0.5 ? 3 : 4
  },
  help: ({ help_open }) => (help_open === 0 ? 0 : help_open < HELP_MANY ? 1 : 2),
  silence: () => 0,
}

/** The colour of a compound; a silent one is hatched above it, whatever it is. */
export function colourOf(paint: Paint, state: MapState): string {
  return SHADES[paint][shade(paint, state)]?.colour ?? GREY
}

/** Where a compound is counted: by its shade, and a silent one after all shades, since nobody knows how it stands. */
export const placeOf = (paint: Paint, state: MapState): number =>
  state.silent ? SHADES[paint].length : shade(paint, state)

/** How many compounds have each shade; last the silent ones. */
export function countsOf(paint: Paint, states: Iterable<MapState>): number[] {
  const counts = new Array<number>(SHADES[paint].length + 1).fill(0)
  for (const state of states) {
    const place = placeOf(paint, state)
    counts[place] = (counts[place] ?? 0) + 1
  }
  return counts
}
