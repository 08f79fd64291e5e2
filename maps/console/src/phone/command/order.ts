/**
 * An order that is given now or not at all: command handed on, an alert sent. It does not wait in the outbox, since hours later it may be
 * wrong; who gives it is told at once what came of it.
 */
import { ref } from 'vue'
import { newId, Refused } from '../../shared/api'

export function useOrder() {
  const busy = ref(false)
  const fault = ref<Refused | null>(null)
  /** One id an intent: after a lost answer the repeat is the same order. A refusal ends the intent. */
  let key = newId()

  /** @returns whether it was done */
  async function give(send: (header: { 'Idempotency-Key': string }) => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    try {
      await send({ 'Idempotency-Key': key })
      fault.value = null
      key = newId()
      return true
    } catch (why) {
      if (!(why instanceof Refused)) throw why
      fault.value = why
      if (!why.tryAgain) key = newId()
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, fault, give }
}
