/** Giving an order: once, however often the button is pressed or the network fails, and with the server's no in words. */
import { ref, shallowRef } from 'vue'
import { newId, Refused } from '../shared/api'

/** What goes with the request so that a repeat is known to be one. */
export interface OrderHeader {
  'Idempotency-Key': string
}

/**
 * An id belongs to what was ordered: while the answer is not known, the same order goes out under the same id; another order, or one
 * that was answered, gets a new one.
 */
export function useOrder() {
  const busy = ref(false)
  /** Why the last order was refused. */
  const fault = shallowRef<Refused | null>(null)
  let intent = { what: '', id: '' }

  /**
   * @param what says all of the order: the same text is the same order
   * @param give sends it
   * @returns whether it was carried out
   */
  async function order(what: unknown, give: (header: OrderHeader) => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    const text = JSON.stringify(what)
    if (intent.what !== text) intent = { what: text, id: newId() }
    busy.value = true
    fault.value = null
    try {
      await give({ 'Idempotency-Key': intent.id })
      intent = { what: '', id: '' }
      return true
    } catch (why) {
      if (!(why instanceof Refused)) throw why
      if (!why.tryAgain) intent = { what: '', id: '' }
      fault.value = why
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, fault, order }
}
