import { useI18n } from 'petite-vue-i18n'

/** The same words in both languages: paper is read by whoever picks it up, whatever the screen that printed it spoke. */
export interface Both {
  zh: string
  en: string
}

/** As `t`, in both languages at once. */
export function useBoth(): (key: string, named?: Record<string, unknown>) => Both {
  const { t } = useI18n()
  return (key, named = {}) => ({
    zh: t(key, named, { locale: 'zh-CN' }),
    en: t(key, named, { locale: 'en-US' }),
  })
}
