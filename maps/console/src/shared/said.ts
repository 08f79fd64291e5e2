import { useI18n } from 'petite-vue-i18n'

/** Picks, of what the server says in both languages, the one of the page. */
export function useSaid(): (words: { zh: string; en: string }) => string {
  const { locale } = useI18n()
  return ({ zh, en }) => (locale.value === 'en-US' ? en : zh)
}
