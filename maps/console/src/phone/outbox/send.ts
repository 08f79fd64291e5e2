/** Sends one entry of the outbox under its own id. */
import { authorizationHeader, Refused } from '../../shared/api'
import type { Problem } from '../../shared/schema'
import type { Entry } from './entry'
import type { Sent } from './drain'

/** Time for one try, ms: on a bad network a request may hang, and must not block the others for ever. */
const TIMEOUT_MS = 20_000

export async function sendOverHttp(entry: Entry): Promise<Sent> {
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Idempotency-Key': entry.id,
    ...authorizationHeader(),
    ...(entry.epoch === null ? {} : { 'Muster-Epoch': String(entry.epoch) }),
  }
  const request = { method: 'POST', headers, body: entry.body, signal: AbortSignal.timeout(TIMEOUT_MS) }
  const response = await fetch(entry.path, request).catch(() => null)
  if (response === null) return { is: 'away' }
  if (response.ok) return { is: 'done' }
  const problem = (await response.json().catch(() => null)) as Problem | null
  // Without Muster's own words something between here and the server spoke: that is no refusal.
  if (!problem?.code) return { is: 'later' }
  const why = Refused.from(problem)
  if (why.signedOut) return { is: 'signed_out' }
  return why.tryAgain ? { is: 'later' } : { is: 'refused', why }
}
