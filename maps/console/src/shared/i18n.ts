/** Simplified Chinese first, English by a switch; the choice stays on the device. */
import { registerMessageResolver, resolveValue } from '@intlify/core-base'
import { createI18n, useI18n } from 'petite-vue-i18n'
import en from './words/en.json'
import zh from './words/zh.json'

export type Language = 'zh-CN' | 'en-US'
/** Words of a page or a part of one: the same keys in both languages, or it does not compile. */
export interface Words<T> {
  'zh-CN': T
  'en-US': T
}

// The small build of vue-i18n that the phones can afford knows flat keys only; with this, `alert.ack` is found.
registerMessageResolver(resolveValue)

const KEPT = 'muster.language'

function kept(): Language {
  return localStorage.getItem(KEPT) === 'en-US' ? 'en-US' : 'zh-CN'
}

/** The words that all pages share, and those of one page. */
export function makeI18n<T extends object>(page: Words<T>) {
  const i18n = createI18n({
    legacy: false,
    locale: kept(),
    fallbackLocale: 'zh-CN',
    messages: { 'zh-CN': { ...zh, ...page['zh-CN'] }, 'en-US': { ...en, ...page['en-US'] } },
  })
  document.documentElement.lang = kept()
  return i18n
}

/** Adds the words of a part of a page; its outermost component calls this, so that the words come with the part. */
export function useWords<T extends object>(part: Words<T>): void {
  const { mergeLocaleMessage } = useI18n()
  for (const [language, words] of Object.entries(part)) mergeLocaleMessage(language, words)
}

/** Keeps the choice and tells the browser, so that it reads and breaks lines rightly. */
export function keepLanguage(language: Language): void {
  localStorage.setItem(KEPT, language)
  document.documentElement.lang = language
}
