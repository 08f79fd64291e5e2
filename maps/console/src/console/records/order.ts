/** Something that a form asks of the server: progress, a refusal in words, and one id for one intent. */
import { ref, shallowRef } from 'vue'
import { newId, Refused } from '../../shared/api'

export interface OrderHeader {
  'Idempotency-Key': string
}

export function useOrder() {
  const busy = ref(false)
  const fault = shallowRef<Refused | null>(null)
  /** Of the last attempt; the same content again, after a lost answer, is the same order. */
  let intent: { what: string; id: string } | null = null

  /**
   * @param what tells one intent from another: what is asked, with its content
   * @returns whether it was done
   */
  async function give(what: string, ask: (header: OrderHeader) => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    if (intent?.what !== what) intent = { what, id: newId() }
    busy.value = true
    fault.value = null
    try {
      await ask({ 'Idempotency-Key': intent.id })
      intent = null
      return true
    } catch (why) {
      if (!(why instanceof Refused)) throw why
      // What was refused for good may be asked again when the reason is gone; that is another order.
      if (!why.tryAgain) intent = null
      fault.value = why
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, fault, give }
}
