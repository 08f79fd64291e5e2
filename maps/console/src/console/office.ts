/** What somebody in a compound's line of succession is called. */
import { useI18n } from 'petite-vue-i18n'

/** @returns words for a rank in the line, from 1; for none those of somebody who holds a post */
export function useOffice(): (rank: number | null | undefined) => string {
  const { t } = useI18n()
  return (rank) => {
    if (!rank) return t('office.post_holder')
    return rank === 1 ? t('office.commander') : t('office.deputy', { n: rank - 1 })
  }
}
