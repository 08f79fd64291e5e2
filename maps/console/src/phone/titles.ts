/** What the kinds of posts are called and do, in the language of the page. */
import { useSaid } from '../shared/said'
import type { PostKind } from '../shared/schema'
import { useHere } from './here'

export type Duty = Pick<PostKind, 'emergency_duty' | 'emergency_duty_en'>

export function useTitles() {
  const { kinds } = useHere()
  const said = useSaid()
  /** Its code where the catalogue does not know it. */
  function titleOf(kind: string): string {
    const known = kinds.value.get(kind)
    return known ? said({ zh: known.title_zh, en: known.title_en }) : kind
  }
  /** In Chinese where the catalogue has no English. */
  const emergencyDuty = (of: Duty): string =>
    said({ zh: of.emergency_duty, en: of.emergency_duty_en ?? of.emergency_duty })
  const normalDuty = (of: PostKind): string => said({ zh: of.normal_duty, en: of.normal_duty_en ?? of.normal_duty })
  return { titleOf, emergencyDuty, normalDuty }
}
