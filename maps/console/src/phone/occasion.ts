/** Real, exercise or everyday: of some compounds together, the real thing first. */
import type { PlaceView } from '../shared/schema'

export type Occasion = 'real' | 'exercise' | 'routine'

export function occasionOf(places: readonly Pick<PlaceView, 'mode' | 'exercise'>[]): Occasion {
  const emergencies = places.filter((place) => place.mode !== 'normal')
  if (emergencies.length === 0) return 'routine'
  return emergencies.every((place) => place.exercise) ? 'exercise' : 'real'
}
