/** What the composer was opened for, as its address says it; and the address for each. Pure. */
import type { LocationQuery, RouteLocationRaw } from 'vue-router'
import type { Opened } from './use-composition'

const WORD = { draft: 'draft', update: 'update', correction: 'correct' } as const

export function openedBy(query: LocationQuery): Opened {
  for (const as of ['draft', 'update', 'correction'] as const) {
    const alert = query[WORD[as]]
    if (typeof alert === 'string') return { as, alert }
  }
  return { as: 'new' }
}

export function addressOf(opened: Opened): RouteLocationRaw {
  const query = opened.as === 'new' ? {} : { [WORD[opened.as]]: opened.alert }
  return { path: '/alerts/new', query }
}
