/** One compound's roll as its page shows it: what the phone keeps at once, then what the server says, and the phone's own reports. */
import { computed, onMounted, onUnmounted, ref, shallowRef } from 'vue'
import { Refused } from '../../shared/api'
import type { HouseholdRow, RollStatus } from '../../shared/schema'
import { hold } from '../busy'
import { openKept, type KeptRoll, type RollPlace } from '../kept/kept'
import type { Outbox } from '../outbox/outbox'
import { fetchRoll } from './rolls'
import { checkInsPath, householdOf, merged, progressByUnit, unitOf, withWaiting } from './rows'

export function useRoll(place: RollPlace, outbox: Outbox) {
  const roll = shallowRef<KeptRoll | null>(null)
  const fault = ref<Refused | null>(null)
  const waiting = computed(() => outbox.waiting.value)
  const rows = computed(() => withWaiting(roll.value?.rows ?? [], place, waiting.value))
  const flatsWaiting = computed(() => new Set(waiting.value.map((entry) => entry.about)))
  const progress = computed(() => progressByUnit(rows.value))
  // Who stands at a door is not interrupted by a new version of the page.
  onUnmounted(hold())
  onMounted(async () => {
    roll.value = (await (await openKept()).roll(place)) ?? null
    await refresh()
  })

  /** Reads it anew. Without a network what is kept stays. */
  async function refresh(): Promise<void> {
    try {
      const read = await fetchRoll(place)
      roll.value = { ...read, rows: merged(read.rows, roll.value?.rows ?? []) }
      fault.value = null
    } catch (why) {
      if (!(why instanceof Refused)) throw why
      fault.value = why
    }
  }

  /** Hands in a report; it is on the phone before it is on its way. */
  async function report(flat: string, status: RollStatus, heads: number, note: string | null): Promise<void> {
    const made_at = new Date().toISOString()
    const household = householdOf(place.compound, flat)
    const mine = { status, heads, verified: 'door_to_door' as const, made_at, note }
    const body = { household, ...mine }
    await outbox.add({ path: checkInsPath(place.incident), line: household, body, epoch: null, about: flat })
    if (!roll.value) return
    // It is off the outbox soon, and stays on the list.
    roll.value = { ...roll.value, rows: merged(roll.value.rows, [{ flat, report: mine, conflicts: [] }]) }
    await (await openKept()).keepRoll(roll.value)
  }

  const rowsOf = (unit: string): HouseholdRow[] => rows.value.filter((row) => unitOf(row.flat) === unit)
  /** Of whom nothing is known yet. */
  const unaccounted = computed(() => rows.value.filter((row) => !row.report))
  return { roll, rows, unaccounted, fault, flatsWaiting, progress, rowsOf, refresh, report }
}
