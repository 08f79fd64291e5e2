/** The orders by which an alert is kept and sent. Each has one id for one intent, so that a repeat does nothing twice. */
import { ref, shallowRef } from 'vue'
import { api, newId, Refused, take } from '../../shared/api'
import type { AlertContentRfc3339, TargetArea } from '../../shared/schema'
import { Intent, type OrderHeader } from '../order'

/** What kind of writing this is: decides which order keeps it. */
export type Writing =
  { as: 'new'; incident: string } | { as: 'update' | 'correction'; replaces: string } | { as: 'draft'; id: string }

export interface Written {
  content: AlertContentRfc3339
  target: TargetArea
}

export function useSending() {
  const busy = ref(false)
  const fault = shallowRef<Refused | null>(null)
  const keeping = new Intent()
  const submitting = new Intent()
  /** Of each incident or alert that is written under: a draft that is kept twice is one alert. */
  const ids = new Map<string, string>()

  function idUnder(key: string): string {
    const id = ids.get(key) ?? newId()
    ids.set(key, id)
    return id
  }

  /** Keeps it as a draft; its id. */
  function put(writing: Writing, written: Written): Promise<string> {
    return orderTo(writing, written, keeping.keyFor([writing, written]), idUnder)
  }

  async function attempt<T>(orders: () => Promise<T>): Promise<T | null> {
    busy.value = true
    fault.value = null
    try {
      return await orders()
    } catch (why) {
      if (!(why instanceof Refused)) throw why
      fault.value = why
      return null
    } finally {
      busy.value = false
    }
  }

  return {
    busy,
    fault,
    /** The draft's id; `null` when it was refused. */
    keep: (writing: Writing, written: Written): Promise<string | null> => attempt(() => put(writing, written)),
    /** Keeps it and hands it in; `null` when one of both was refused. */
    submit: (writing: Writing, written: Written, confirm_compounds: number): Promise<string | null> =>
      attempt(async () => {
        const id = await put(writing, written)
        const header = submitting.keyFor([id, written, confirm_compounds])
        const params = { path: { id }, header }
        await take(api.POST('/api/v1/alerts/{id}/submit', { params, body: { confirm_compounds } }))
        return id
      }),
  }
}

async function orderTo(
  writing: Writing,
  written: Written,
  header: OrderHeader,
  idUnder: (key: string) => string,
): Promise<string> {
  if (writing.as === 'draft') {
    const path = { id: writing.id }
    await take(api.POST('/api/v1/alerts/{id}/draft', { params: { path, header }, body: written }))
    return writing.id
  }
  if (writing.as === 'new') {
    const { incident } = writing
    const body = { id: idUnder(incident), incident, ...written }
    return (await take(api.POST('/api/v1/alerts', { params: { header }, body }))).id
  }
  const { replaces } = writing
  const body = { id: idUnder(replaces), ...written }
  const params = { path: { id: replaces }, header }
  return (await take(api.POST('/api/v1/alerts/{id}/update', { params, body }))).id
}
