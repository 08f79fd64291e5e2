/** Giving an order: once, however often the button is pressed or the network fails, and with the server's no in words. */
import { ref, shallowRef } from 'vue'
import { newId, Refused } from '../shared/api'

/** What goes with the request so that a repeat is known to be one. */
export interface OrderHeader {
  'Idempotency-Key': string
}

/** One command id for each intent: an order that is sent again after a lost answer is the same order, and is done once. */
export class Intent {
  private meant: { what: string; id: string } | null = null

  /** @param what says all of the order: the same is the same order */
  keyFor(what: unknown): OrderHeader {
    const text = JSON.stringify(what)
    if (this.meant?.what !== text) this.meant = { what: text, id: newId() }
    return { 'Idempotency-Key': this.meant.id }
  }

  /** It was answered: the same once more is meant anew. */
  end(): void {
    this.meant = null
  }
}

/**
 * An id belongs to what was ordered: while the answer is not known, the same order goes out under the same id; another order, or one
 * that was answered, gets a new one.
 */
export function useOrder() {
  const busy = ref(false)
  /** Why the last order was refused. */
  const fault = shallowRef<Refused | null>(null)
  const intent = new Intent()

  /**
   * @param what says all of the order
   * @param send sends it
   * @returns whether it was carried out
   */
  async function give(what: unknown, send: (header: OrderHeader) => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    fault.value = null
    try {
      await send(intent.keyFor(what))
      intent.end()
      return true
    } catch (why) {
      if (!(why instanceof Refused)) throw why
      if (!why.tryAgain) intent.end()
      fault.value = why
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, fault, give }
}
