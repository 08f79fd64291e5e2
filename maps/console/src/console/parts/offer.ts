/** Compounds that are offered while somebody types a name or code. */
import { ref, shallowRef } from 'vue'
import { api, Refused, take } from '../../shared/api'
import type { CompoundRow } from '../../shared/schema'

/** Rows that are offered; whoever needs more types more. */
const OFFERED = 12

export function useOffer() {
  const rows = shallowRef<CompoundRow[]>([])
  const busy = ref(false)
  let latest = 0

  async function offer(typed: string): Promise<void> {
    const asked = ++latest
    const text = typed.trim()
    busy.value = text !== ''
    const query = { text, limit: OFFERED }
    const nothing = { items: [] as CompoundRow[] }
    const found = text === '' ? nothing : await take(api.GET('/api/v1/compounds', { params: { query } })).catch(empty)
    // An answer that was overtaken by the next letter is not shown.
    if (asked !== latest) return
    rows.value = found.items
    busy.value = false
  }

  /** The banner says when the server is away; here nothing is found. */
  function empty(why: unknown): { items: CompoundRow[] } {
    if (why instanceof Refused) return { items: [] }
    throw why
  }

  return { rows, busy, offer }
}
