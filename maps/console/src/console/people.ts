/**
 * Names and phones that this dispatcher has looked at, in memory until the page is left. Each look is asked for with a reason and
 * logged by the server, so nothing is fetched before somebody asks for it.
 */
import { shallowReactive } from 'vue'
import { api, take } from '../shared/api'
import type { ContactView } from '../shared/schema'

/** By compound. */
const seen = shallowReactive(new Map<string, ContactView[]>())

/** Those of a compound, if they were looked at. */
export const peopleOf = (compound: string): ContactView[] | undefined => seen.get(compound)

/** Looks at the people of a compound; a second time costs no second look. @throws Refused */
export async function lookAt(compound: string, why: string): Promise<void> {
  if (seen.has(compound)) return
  const params = { path: { compound }, query: { why } }
  seen.set(compound, await take(api.GET('/api/v1/compounds/{compound}/contacts', { params })))
}

/** What somebody is called, if they were looked at. */
export function personOf(id: string): ContactView | undefined {
  for (const people of seen.values()) {
    const found = people.find((one) => one.person === id)
    if (found) return found
  }
  return undefined
}
