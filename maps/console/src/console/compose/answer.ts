/** What the server says of something that is being written: asked soon after each change; the latest answer wins. */
import { onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { Refused } from '../../shared/api'

/**
 * @param question what is asked; `null` while there is nothing to ask
 * @param waitMs how long the author must have paused
 */
export function useAnswer<Q, A>(question: () => Q | null, ask: (question: Q) => Promise<A>, waitMs: number) {
  /** The last answer; `null` when there is nothing to ask, or the server refused. */
  const answer = shallowRef<A | null>(null)
  const fault = shallowRef<Refused | null>(null)
  /** Whether the answer that is shown may be to an older question. */
  const pending = ref(false)
  let latest = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function put(asked: Q): Promise<void> {
    const mine = ++latest
    const given = await ask(asked).catch((why: unknown) => {
      if (why instanceof Refused) return why
      throw why
    })
    if (mine !== latest) return
    pending.value = false
    answer.value = given instanceof Refused ? null : given
    fault.value = given instanceof Refused ? given : null
  }

  function askSoon(asked: Q | null): void {
    clearTimeout(timer)
    // An answer that is still on its way is to an older question.
    latest += 1
    pending.value = asked !== null
    if (asked !== null) timer = setTimeout(() => void put(asked), waitMs)
    else answer.value = fault.value = null
  }

  watch(question, askSoon, { immediate: true })
  onBeforeUnmount(() => clearTimeout(timer))
  /** Asks the same once more, after the server was away. */
  const again = (): void => askSoon(question())
  return { answer, fault, pending, again }
}
