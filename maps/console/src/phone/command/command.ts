/** Who commands a compound, who would follow, and to whom the command is offered; told anew as it changes. */
import { computed, shallowRef } from 'vue'
import { useI18n } from 'petite-vue-i18n'
import { api, take } from '../../shared/api'
import type { CommandView } from '../../shared/schema'
import { useContacts } from '../contacts/contacts'
import { useFresh, useHere } from '../here'

export function useCommand(compound: string) {
  const { t } = useI18n()
  const { state } = useHere()
  const { nameOf } = useContacts(() => compound)
  const command = shallowRef<CommandView | null>(null)

  async function read(): Promise<void> {
    const params = { path: { compound } }
    command.value = await take(api.GET('/api/v1/compounds/{compound}/command', { params }))
  }
  const { fault, load } = useFresh(read, (news) => {
    if ('command_changed' in news) return news.command_changed.compound === compound
    return 'command_offered' in news && news.command_offered.compound === compound
  })

  /** "Commander 王平", "Deputy (2 in line)", "You". */
  function called(person: string): string {
    if (person === state.value.me) return t('command.you')
    const rank = (command.value?.line.indexOf(person) ?? -1) + 1
    const office = rank === 1 ? t('places.commander') : t('places.deputy', { rank })
    return `${office} ${nameOf(person) ?? ''}`.trim()
  }
  /** Who commands now, in words. */
  const holder = computed(() => {
    const holds = command.value?.holder
    if (!holds) return ''
    return 'person' in holds ? called(holds.person) : t('command.area')
  })
  return { command, called, holder, fault, load }
}
