/** The person of this phone, for the features below its page; and what those features read from the server. */
import { inject, onBeforeUnmount, onMounted, provide, shallowRef, watch, type InjectionKey } from 'vue'
import { Refused } from '../shared/api'
import type { NoticeBody } from '../shared/schema'
import type { Person } from './person'

const HERE: InjectionKey<Person> = Symbol('the person of this phone')
/** Read anew at most so often, ms: in an emergency news come in bursts. */
const AGAIN_MS = 800

export const providePerson = (person: Person): void => provide(HERE, person)

/** The person whose page this is a part of. */
export function useHere(): Person {
  const person = inject(HERE)
  if (!person) throw new Error('a part of the person page stands outside of it')
  return person
}

/**
 * Something that a feature reads: when it appears, when news concern it, when the connection is back, and when what waited was handed
 * in.
 * @param concerns whether an event makes it worth reading again
 */
export function useFresh(
  read: () => Promise<void>,
  concerns: (news: NoticeBody) => boolean,
  person: Person = useHere(),
) {
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
    }, AGAIN_MS)
  }

  // Each event counts, also when several come before the page is drawn.
  watch(person.news, (news) => news && concerns(news) && loadSoon(), { flush: 'sync' })
  watch(
    () => person.outbox.value?.waiting.value.length ?? 0,
    (now, before) => now < before && loadSoon(),
  )
  watch(
    () => person.link.value.is,
    (is) => is === 'live' && loadSoon(),
  )
  onMounted(load)
  onBeforeUnmount(() => clearTimeout(again))
  return { fault, load }
}
