/** Which field of a form a refusal is about. */
import type { Refused } from '../../shared/api'

/** Codes of refusals by field. `bad_text` names its field itself, first. */
export type FieldCodes<F extends string> = Partial<Record<F, readonly string[]>>

/** @returns the field, or `null` where the refusal concerns the whole form */
export function fieldOf<F extends string>(fault: Refused | null, fields: readonly F[], codes: FieldCodes<F>): F | null {
  if (!fault) return null
  const names = (field: F): boolean =>
    (fault.code === 'bad_text' && fault.en.startsWith(`${field} `)) || !!codes[field]?.includes(fault.code)
  return fields.find(names) ?? null
}
