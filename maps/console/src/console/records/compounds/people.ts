/** Who has a part in a compound, and what they are called for those who may know it. One for all parts of a compound's page. */
import { inject, provide, shallowRef, type InjectionKey } from 'vue'
import { useI18n } from 'petite-vue-i18n'
import { api, take } from '../../../shared/api'
import { useListed, useSaid } from '../../../shared/said'
import type { CommandView, ContactView, PostView } from '../../../shared/schema'

import { useOffice } from '../../office'

const KEY: InjectionKey<ReturnType<typeof makePeople>> = Symbol('people')
/** Digits at the end of an id that tell people without a name apart. */
const TAIL = 4

function makePeople(compound: string) {
  const { t } = useI18n()
  const said = useSaid()
  const listed = useListed()
  const office = useOffice()
  const command = shallowRef<CommandView | null>(null)
  const posts = shallowRef<PostView[]>([])
  /** Names and phones; `null` until they were asked for with a reason. */
  const contacts = shallowRef<ContactView[] | null>(null)
  let reason = ''

  async function load(): Promise<void> {
    const params = { params: { path: { compound } } }
    const [line, held] = await Promise.all([
      take(api.GET('/api/v1/compounds/{compound}/command', params)),
      take(api.GET('/api/v1/compounds/{compound}/posts', params)),
    ])
    command.value = line
    posts.value = held
  }

  /** Each look is written down by the server, with its reason. */
  async function reveal(why: string): Promise<void> {
    const params = { path: { compound }, query: { why } }
    contacts.value = await take(api.GET('/api/v1/compounds/{compound}/contacts', { params }))
    reason = why
  }

  /** After somebody was entered or corrected: names that are on the screen are read again, for the same reason. */
  async function refresh(): Promise<void> {
    await load()
    if (contacts.value) await reveal(reason)
  }

  /** Everybody with a part, the line first. */
  function all(): string[] {
    const holders = posts.value.flatMap((post) => post.claims.filter(isHeld).map((claim) => claim.person))
    return [...new Set([...(command.value?.line ?? []), ...holders])]
  }

  function partsOf(person: string): string {
    const rank = command.value?.line.indexOf(person) ?? -1
    const held = posts.value.filter((post) => post.claims.some((claim) => claim.person === person && isHeld(claim)))
    const parts = held.map(({ kind, post }) => (kind ? said({ zh: kind.title_zh, en: kind.title_en }) : post.kind))
    return listed([...(rank >= 0 ? [office(rank + 1)] : []), ...parts])
  }

  /** Their name, or what tells them apart for somebody who may not know it. */
  function nameOf(person: string): string {
    const known = contacts.value?.find((one) => one.person === person)
    if (known) return known.name ?? t('records.people.erased')
    return t('records.people.unnamed', { tail: person.slice(-TAIL) })
  }
  const phoneOf = (person: string): string | null => contacts.value?.find((one) => one.person === person)?.phone ?? null

  return { compound, command, posts, contacts, load, reveal, refresh, all, partsOf, nameOf, phoneOf }
}

const isHeld = ({ status }: { status: string }): boolean => status === 'approved'

export function providePeople(compound: string) {
  const people = makePeople(compound)
  provide(KEY, people)
  return people
}

export function usePeople() {
  const people = inject(KEY)
  if (!people) throw new Error('the page of a compound provides its people')
  return people
}
