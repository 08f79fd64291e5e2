import { useI18n } from 'petite-vue-i18n'

/** Picks, of what the server says in both languages, the one of the page. */
export function useSaid(): (words: { zh: string; en: string }) => string {
  const { locale } = useI18n()
  return ({ zh, en }) => (locale.value === 'en-US' ? en : zh)
}

/** Puts words in a row as the language of the page does. */
export function useListed(): (words: readonly string[]) => string {
  const { locale } = useI18n()
  return (words) => words.join(locale.value === 'en-US' ? ', ' : '、')
}
