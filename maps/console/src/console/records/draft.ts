/**
 * A part of the register that is being corrected: nothing typed is lost when it is read again, and nothing that somebody else saved
 * meanwhile is overwritten unseen.
 */
import { computed, ref, type Ref } from 'vue'
import type { MapState } from '../../shared/schema'
import { useLoaded } from '../loaded'
import { useOrder, type OrderHeader } from '../order'
import { useUnsaved } from './unsaved'

/** Read again at most so often while the compound changes, ms. */
const AGAIN_MS = 2_000

export interface DraftSource<T> {
  compound: string
  read(): Promise<T>
  /** Replaces what is registered. @throws Refused */
  write(value: T, header: OrderHeader): Promise<unknown>
}

/** What the bar under a draft shows and does. */
export type Draft = Omit<ReturnType<typeof useDraft<unknown>>, 'value' | 'load'>

export function useDraft<T>(source: DraftSource<T>) {
  // A `ref` of a type parameter is not seen to be one of that type; what goes in is plain JSON, which no ref unwraps.
  const value = ref(null) as Ref<T | null>
  /** As the server has it, in JSON. */
  const base = ref('null')
  /** As somebody else saved it while it was changed here. */
  const theirs = ref<string | null>(null)
  const savedAt = ref<number | null>(null)
  const mine = computed(() => JSON.stringify(value.value))
  const changed = computed(() => value.value !== null && mine.value !== base.value)
  const conflict = computed(() => theirs.value !== null)
  const order = useOrder()

  function show(json: string): void {
    base.value = json
    theirs.value = null
    // The server's own answer, made JSON above.
    value.value = JSON.parse(json) as T
  }

  async function read(): Promise<void> {
    const now = JSON.stringify(await source.read())
    if (now === base.value) theirs.value = null
    else if (changed.value && now !== mine.value) theirs.value = now
    else show(now)
  }
  const isOurs = (states: MapState[]): boolean => states.some((state) => state.id === source.compound)
  const { fault: unread, load } = useLoaded(read, isOurs, AGAIN_MS)

  /** Looks first whether somebody else was quicker; then nothing is written. */
  async function save(): Promise<void> {
    if (value.value === null) return
    await load()
    if (unread.value || conflict.value) return
    const given = mine.value
    if (!(await order.give(given, (header) => source.write(JSON.parse(given) as T, header)))) return
    savedAt.value = Date.now()
    base.value = given
    await load()
  }
  /** Back to what is registered now, by whomever. */
  const discard = (): void => show(theirs.value ?? base.value)
  /** Keeps what was typed, having seen that it replaces what somebody else saved. */
  function overrule(): void {
    base.value = theirs.value ?? base.value
    theirs.value = null
  }
  useUnsaved(() => changed.value)
  const fault = computed(() => order.fault.value ?? unread.value)
  return { value, changed, conflict, fault, busy: order.busy, savedAt, load, save, discard, overrule }
}
