/** Reads the rolls of the holder's compounds and keeps them on the phone, before somebody stands at a door without a network. */
import { api, Refused, take, walk } from '../../shared/api'
import type { PlaceView } from '../../shared/schema'
import { openKept, type KeptRoll, type RollPlace } from '../kept/kept'
import { merged } from './rows'

/** Households of one page of the list; the most that the server gives. */
const PAGE = 500
/** Rolls that are fetched without being asked for: a person has a part in a handful of compounds. */
const ROLLS_MAX = 8
/** A kept roll that is younger is not fetched again unasked, ms. */
const YOUNG_MS = 5 * 60_000

/**
 * Reads a compound's whole roll, and keeps it. What this phone reported meanwhile stands, also when the server does not have it yet.
 * @throws Refused when the server refused or was not reached
 */
export async function fetchRoll(place: RollPlace): Promise<KeptRoll> {
  const path = { id: place.incident, compound: place.compound }
  const at = Date.now()
  const view = await take(api.GET('/api/v1/incidents/{id}/compounds/{compound}/roll', { params: { path } }))
  const rows = await walk((after?: string) => {
    const query = { limit: PAGE, after }
    return take(api.GET('/api/v1/incidents/{id}/compounds/{compound}/households', { params: { path, query } }))
  })
  const kept = await openKept()
  const known = await kept.roll(place)
  const roll = { ...place, at, view, rows: merged(rows, known?.rows ?? []) }
  await kept.keepRoll(roll)
  return roll
}

/** In emergency, and under which incident. */
export function rollPlaces(places: PlaceView[]): (RollPlace & { name: string })[] {
  return places.flatMap(({ compound, name, mode }) =>
    mode === 'normal' ? [] : [{ compound, name, incident: mode.emergency.incident }],
  )
}

/** Fetches, one after the other, the rolls that the phone does not have yet. Where one cannot be had, opening it says why. */
export async function fetchRolls(places: PlaceView[]): Promise<void> {
  const kept = await openKept()
  for (const place of rollPlaces(places).slice(0, ROLLS_MAX)) {
    const known = await kept.roll(place)
    if (known && Date.now() - known.at < YOUNG_MS) continue
    await fetchRoll(place).catch((why: unknown) => {
      if (!(why instanceof Refused)) throw why
    })
  }
}
