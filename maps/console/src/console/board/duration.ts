/** Stretches of time in words: `3 分 20 秒`, `2 小时 5 分`. */
import { onBeforeUnmount, ref } from 'vue'
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

/** The time, ms since 1970; moves on once a second while the part is shown. */
export function useNow() {
  const now = ref(Date.now())
  const tick = setInterval(() => (now.value = Date.now()), 1_000)
  onBeforeUnmount(() => clearInterval(tick))
  return now
}
