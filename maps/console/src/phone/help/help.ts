/** Who waits for help in the own compounds, in the server's order: the vulnerable first. Told anew as it changes. */
import { computed, shallowRef, watch } from 'vue'
import { api, take } from '../../shared/api'
import type { HelpView } from '../../shared/schema'
import { useFresh } from '../here'
import type { Person } from '../person'

/** Requests of one compound that a phone shows; more are the console's business. */
const SHOWN = 100

/** A request, and in which incident and compound. */
export type Waiting = HelpView & { incident: string; compound: string }

/** `140403001001001/3-2-502/1` → `3-2-502`. */
export const flatOf = (help: string): string => help.split('/')[1] ?? help

export function useHelp(person: Person) {
  const { state } = person
  const requests = shallowRef<Waiting[]>([])
  /** Whether they were read at all: an empty list is good news only then. */
  const known = shallowRef(false)
  const emergencies = computed(() =>
    state.value.places.flatMap(({ compound, mode }) =>
      mode === 'normal' ? [] : [{ compound, incident: mode.emergency.incident }],
    ),
  )

  async function read(): Promise<void> {
    const lists = emergencies.value.map(async ({ compound, incident }) => {
      const params = { path: { id: incident }, query: { compound, limit: SHOWN } }
      const { items } = await take(api.GET('/api/v1/incidents/{id}/help', { params }))
      return items.map((one) => ({ ...one, incident, compound }))
    })
    requests.value = (await Promise.all(lists)).flat()
    known.value = true
  }
  const { fault, load } = useFresh(
    read,
    (news) => 'help_opened' in news || 'help_assigned' in news || 'help_ended' in news,
    person,
  )
  watch(
    () => JSON.stringify(emergencies.value),
    () => void load(),
  )
  /** Given to this person. */
  const mine = computed(() => requests.value.filter((one) => one.assigned_to === state.value.me))
  return { requests, known, mine, fault, load }
}
export type Help = ReturnType<typeof useHelp>
