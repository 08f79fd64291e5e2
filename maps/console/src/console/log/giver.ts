/** Who gave a command, in words: the log names nobody, so a person is told by the end of their id. */
import { useI18n } from 'petite-vue-i18n'
import type { Giver } from '../../shared/schema'
import { city } from '../city'
import { byOf } from './filter'

/** Last digits of an id: its first ones are a time, and alike for people who were entered together. */
const DIGITS = 6

export function useGiver(): (giver: Giver | null | undefined) => string {
  const { t } = useI18n()
  return (giver) => {
    const by = byOf(giver)
    if (by === '') return t('log.givers.a_household')
    if (by === 'system' || by === 'households') return t(`log.givers.${by === 'system' ? 'system' : 'a_household'}`)
    if (by === byOf(city.me.value?.giver)) return t('log.givers.me')
    return t('log.givers.person', { id: by.slice(-DIGITS) })
  }
}
