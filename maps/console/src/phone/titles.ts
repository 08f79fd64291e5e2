/** What the kinds of posts are called and do, in the language of the page. */
import { useSaid } from '../shared/said'
import type { PostKind } from '../shared/schema'

export type Duty = Pick<PostKind, 'emergency_duty' | 'emergency_duty_en'>
export type Title = Pick<PostKind, 'title_zh' | 'title_en'>

export function useTitles() {
  const said = useSaid()
  /** The post's number where the catalogue lost its kind. */
  const titleOf = (kind: Title | null | undefined, post: string): string =>
    kind ? said({ zh: kind.title_zh, en: kind.title_en }) : post
  /** In Chinese where the catalogue has no English. */
  const emergencyDuty = (of: Duty): string =>
    said({ zh: of.emergency_duty, en: of.emergency_duty_en ?? of.emergency_duty })
  const normalDuty = (of: PostKind): string => said({ zh: of.normal_duty, en: of.normal_duty_en ?? of.normal_duty })
  return { titleOf, emergencyDuty, normalDuty }
}
