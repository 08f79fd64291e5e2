/** Which tasks of a checklist are ticked: kept on this phone, so that a reload does not lose them. They are nobody else's business. */
import { ref } from 'vue'
import type { CommandBrief } from '../../shared/schema'

const KEPT = 'muster.ticks'
/** Checklists that a phone remembers; the oldest goes first. */
export const LISTS_MAX = 20

type Lists = [checklist: string, done: number[]][]

/** Another level or plan is another checklist. */
export const checklistOf = ({ incident, compound, level, plan }: CommandBrief): string =>
  [incident, compound, level, plan ?? 'none'].join(' ')

function kept(): Lists {
  try {
    const lists: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '[]')
    // Only this module writes it, always a list of pairs; anything else is as good as nothing.
    return Array.isArray(lists) ? (lists as Lists) : []
  } catch {
    return []
  }
}

function keep(checklist: string, done: Set<number>): void {
  const others = kept().filter(([one]) => one !== checklist)
  try {
    localStorage.setItem(KEPT, JSON.stringify([...others, [checklist, [...done]]].slice(-LISTS_MAX)))
  } catch {
    // A full disk: the ticks stay on the page.
  }
}

export function useTicks(checklist: string) {
  const done = ref(new Set(kept().find(([one]) => one === checklist)?.[1]))

  function tick(task: number): void {
    const next = new Set(done.value)
    if (!next.delete(task)) next.add(task)
    done.value = next
    keep(checklist, next)
  }
  return { done, tick }
}
