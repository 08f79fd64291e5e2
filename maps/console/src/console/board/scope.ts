/** Which incident and which place the boards show. Both stand in the address, so a reload or a colleague's link shows the same. */
import { computed, ref, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import type { IncidentView, MapState } from '../../shared/schema'
import { city } from '../city'
import { wayTo } from './place'

/** The incident that was looked at last, for the way from one board to the other. */
const remembered = ref('')

/** The real thing before an exercise, the latest first. */
const foremost = (open: IncidentView[]): IncidentView | undefined => open.find((one) => !one.exercise) ?? open[0]

export function useScope() {
  const [route, router] = [useRoute(), useRouter()]
  const asked = (name: string): string => String(route.query[name] ?? '')

  const incidentId = computed(() => asked('incident'))
  const incident = computed(() => city.incidents.value.find((one) => one.id === incidentId.value))
  const root = computed(() => {
    const own = city.ownAreas
    return own.find((area) => asked('place').startsWith(area)) ?? own[0] ?? ''
  })
  const place = computed(() => wayTo(root.value, asked('place')).at(-1) ?? '')

  const choose = (id: string): unknown => router.replace({ query: { ...route.query, incident: id } })
  const go = (to: string): unknown => router.push({ query: { ...route.query, place: to } })

  // An incident, once shown, stays until another is chosen: that one ends or a graver one begins must not change what an order is for.
  function settle(): void {
    if (incidentId.value) {
      remembered.value = incidentId.value
      return
    }
    const open = city.incidents.value
    const first = open.find((one) => one.id === remembered.value) ?? foremost(open)
    if (first) choose(first.id)
  }
  watch([city.incidents, incidentId], settle, { immediate: true })

  return { incident, incidentId, place, root, choose, go }
}

/** Tells of changed compounds whether they are, or were until now, in emergency mode under the incident. */
export function useConcerns(incident: () => string): (changed: MapState[]) => boolean {
  let under = new Set<string>()
  watch(
    incident,
    (id) => {
      const all = [...city.standing.compounds.values()]
      under = new Set(all.filter((state) => state.incident === id).map((state) => state.id))
    },
    { immediate: true },
  )
  return (changed) => {
    let any = false
    for (const { id, incident: now } of changed) {
      if (now === incident()) under.add(id)
      else if (!under.delete(id)) continue
      any = true
    }
    return any
  }
}
