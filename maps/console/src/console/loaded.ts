/** Something that a part of the console reads from the server: read when the part appears, and again soon when the city changed. */
import { onBeforeUnmount, onMounted, shallowRef } from 'vue'
import { Refused } from '../shared/api'
import type { MapState } from '../shared/schema'
import { city } from './city'

/**
 * @param read reads it and keeps it
 * @param concerns whether the compounds that changed make it worth reading again
 * @param againMs at most so often
 */
export function useLoaded(read: () => Promise<void>, concerns: (changed: MapState[]) => boolean, againMs: number) {
  /** Why it could not be read; what was read before stays on the screen. */
  const fault = shallowRef<Refused | null>(null)
  let again: ReturnType<typeof setTimeout> | undefined

  async function load(): Promise<void> {
    try {
      await read()
      fault.value = null
    } catch (why) {
      if (!(why instanceof Refused)) throw why
      fault.value = why
    }
  }

  function loadSoon(): void {
    again ??= setTimeout(() => {
      again = undefined
      void load()
    }, againMs)
  }

  const stop = city.onChange((changed) => {
    if (concerns(changed)) loadSoon()
  })
  onMounted(load)
  onBeforeUnmount(() => {
    stop()
    clearTimeout(again)
  })
  return { fault, load, loadSoon }
}
