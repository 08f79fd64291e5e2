/**
 * Where one looks: an area (`140403001`), a compound (15 digits), a building (`140403001001001/3`) or a stairwell
 * (`140403001001001/3-2`). Codes nest, so the way down to a place is read off it. Pure.
 */

/** Digits of city, county, street, community, compound. */
const LEVELS = [4, 6, 9, 12, 15] as const
const COMPOUND = 15

/** Whether it is an area, and not a compound or a part of one. */
export const isArea = (place: string): boolean => place.length < COMPOUND

/** The compound in which the place lies; nothing for an area. */
export const compoundOf = (place: string): string | undefined => (isArea(place) ? undefined : place.slice(0, COMPOUND))

/** The building of the place: `3`. */
export const buildingOf = (place: string): string | undefined => place.slice(COMPOUND + 1).split('-')[0] || undefined

/** The stairwell of the place: `3-2`. */
export function unitOf(place: string): string | undefined {
  const within = place.slice(COMPOUND + 1)
  return within.includes('-') ? within : undefined
}

/** Whether the compound lies in the place, or the place in the compound. */
export const concerns = (place: string, compound: string): boolean =>
  isArea(place) ? compound.startsWith(place) : compoundOf(place) === compound

/** The way from the root down to the place, both included; only the root when the place does not lie in it. */
export function wayTo(root: string, place: string): string[] {
  if (!place.startsWith(root)) return [root]
  const way: string[] = LEVELS.filter((digits) => digits >= root.length && digits <= place.length).map((digits) =>
    place.slice(0, digits),
  )
  const [compound, building] = [compoundOf(place), buildingOf(place)]
  if (compound && building) way.push(`${compound}/${building}`)
  if (unitOf(place)) way.push(place)
  return way
}
