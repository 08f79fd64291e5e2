/** What an account is granted where. The server decides; this only spares hopeless buttons. */
import type { Grant, Role } from '../../shared/schema'
import { city } from '../city'

/** Who enters and corrects the register. */
const KEEPERS: readonly Role[] = ['administrator', 'dispatcher']

/** Whether one of the roles is granted over the area or compound with that code: a code begins with those of its wider areas. */
export function holds(grants: readonly Grant[], roles: readonly Role[], code: string): boolean {
  return grants.some((grant) => roles.includes(grant.role) && code.startsWith(grant.area))
}

const grants = (): readonly Grant[] => city.me.value?.grants ?? []

export const keeps = (code: string): boolean => holds(grants(), KEEPERS, code)
export const commands = (code: string): boolean => holds(grants(), ['dispatcher'], code)
export const administers = (code: string): boolean => holds(grants(), ['administrator'], code)
export const isOneOf = (roles: readonly Role[]): boolean => grants().some((grant) => roles.includes(grant.role))
