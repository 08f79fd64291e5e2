/** Who says so and whom to call, as this browser's last alert had it: an office and its duty phone, no person. */
import type { AlertContentRfc3339 } from '../../shared/schema'
import type { Values } from './use-texts'

const KEPT = 'muster.compose.sender'

export function remember({ infos }: AlertContentRfc3339): void {
  const kept = infos.map(({ language, sender_name, contact }) => [
    language,
    { sender: sender_name, phone: contact ?? '' },
  ])
  localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(kept)))
}

export function recall(): Partial<Values> {
  const kept = localStorage.getItem(KEPT)
  // Written by `remember` alone.
  return kept ? (JSON.parse(kept) as Partial<Values>) : {}
}
