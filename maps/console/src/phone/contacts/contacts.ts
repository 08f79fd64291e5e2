/** Names and phones of a compound's people: asked for with a reason, each look is logged; kept on this page only, never on the disk. */
import { computed, shallowRef } from 'vue'
import { api, take } from '../../shared/api'
import type { ContactView } from '../../shared/schema'

/** By compound; a reload asks for the reason again. */
const known = shallowRef<ReadonlyMap<string, ContactView[]>>(new Map())

export function useContacts(compound: () => string) {
  const people = computed(() => known.value.get(compound()) ?? null)

  /** @throws Refused when the caller may not, or the server cannot be reached */
  async function look(why: string): Promise<void> {
    const params = { path: { compound: compound() }, query: { why } }
    const read = await take(api.GET('/api/v1/compounds/{compound}/contacts', { params }))
    known.value = new Map(known.value).set(params.path.compound, read)
  }
  /** What they are called, as far as this page may know. */
  const nameOf = (person: string): string | null => people.value?.find((one) => one.person === person)?.name ?? null
  return { people, look, nameOf }
}
