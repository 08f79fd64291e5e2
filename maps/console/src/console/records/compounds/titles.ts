import { useI18n } from 'petite-vue-i18n'
import type { PostKind } from '../../../shared/schema'

/** What a kind of post is called in the language of the page. */
export function useTitles(): (kind: PostKind | null | undefined) => string {
  const { locale } = useI18n()
  return (kind) => (kind ? (locale.value === 'en-US' ? kind.title_en : kind.title_zh) : '—')
}
