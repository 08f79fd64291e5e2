/** Stretches of time in words: `3 分 20 秒`, `2 小时 5 分`. */
import { useI18n } from 'petite-vue-i18n'

const HOUR_S = 3_600

export function useDuration(): (seconds: number) => string {
  const { t } = useI18n()
  return (all) => {
    const whole = Math.max(0, Math.floor(all))
    const [hours, minutes, seconds] = [Math.floor(whole / HOUR_S), Math.floor((whole % HOUR_S) / 60), whole % 60]
    return hours > 0 ? t('board.hours', { hours, minutes }) : t('board.minutes', { minutes, seconds })
  }
}
