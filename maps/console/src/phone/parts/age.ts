/** How long ago something was written down, in words. */
import { useI18n } from 'petite-vue-i18n'

export function useAge(): (madeAt: number, now: number) => string {
  const { t } = useI18n()
  return (madeAt, now) => {
    const minutes = Math.floor((now - madeAt) / 60_000)
    return minutes > 0 ? t('outbox.age', { minutes }) : t('outbox.just')
  }
}
