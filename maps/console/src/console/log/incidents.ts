/** All incidents, closed ones too, the last opened first: to choose one, and to say its title beside a line. */
import { computed, shallowRef } from 'vue'
import { api, take, walk } from '../../shared/api'
import type { IncidentView } from '../../shared/schema'
import { useLoaded } from '../loaded'

/** They are asked for anew at most so often while the city changes, ms. */
const AGAIN_MS = 10_000

export function useIncidents() {
  const incidents = shallowRef<IncidentView[]>([])
  const byId = computed(() => new Map(incidents.value.map((incident) => [incident.id, incident])))

  async function read(): Promise<void> {
    const page = (after?: string) => take(api.GET('/api/v1/incidents', { params: { query: { after } } }))
    incidents.value = await walk(page)
  }
  const known = (id: string): boolean => byId.value.has(id)
  const { fault } = useLoaded(read, (changed) => changed.some(({ incident }) => incident && !known(incident)), AGAIN_MS)
  const titleOf = (id: string | null | undefined): string => (id ? (byId.value.get(id)?.title ?? '') : '')
  return { incidents, byId, titleOf, fault }
}
