/** Whose answer a compound waits for, in words. */
import { useI18n } from 'petite-vue-i18n'
import { useSaid } from '../../../shared/said'
import { clockWithSeconds, lasting } from '../../../shared/time'
import type { ReachView } from '../../../shared/schema'

/** Says who is asked now, until when, and how long that is from `now` (ms since 1970). */
export function useAsked(): (row: ReachView, now: number) => string {
  const { t } = useI18n()
  const said = useSaid()
  return ({ acting, ack_due }, now) => {
    const office = acting ? said(acting) : ''
    if (!ack_due) return t('follow.nobody_next', { office })
    const left = lasting((Date.parse(ack_due) - now) / 1_000)
    return t('follow.asked_until', { office, time: clockWithSeconds(ack_due), left })
  }
}
