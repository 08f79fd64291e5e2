/** What of the log is asked for, as the page has it and as the server takes it. Pure. */
import type { Giver, LogKind, paths } from '../../shared/schema'
import { fromWallClock } from '../../shared/time'

/** Kinds of event, in the order in which they are offered. */
export const KINDS: readonly LogKind[] = [
  'incident',
  'alert',
  'acknowledgement',
  'receipt',
  'command',
  'duty',
  'roll',
  'help',
  'aid',
  'register',
]

/** An empty text or list asks for all. */
export interface LogFilter {
  incident: string
  area: string
  compound: string
  kinds: LogKind[]
  /** A person's id, `households` or `system`. */
  by: string
  /** Times on the city's clock, as a form gives them: `2026-11-24T14:05`. */
  since: string
  until: string
}

export type LogQuery = NonNullable<paths['/api/v1/log']['get']['parameters']['query']>

export const everything = (): LogFilter => ({
  incident: '',
  area: '',
  compound: '',
  kinds: [],
  by: '',
  since: '',
  until: '',
})

/** A form's time as the server takes it; an empty one asks for all. */
const timeOf = (field: string): string | undefined => (field ? new Date(fromWallClock(field)).toISOString() : undefined)

/** The filter as parameters; what asks for all is left out. */
export function queryOf(filter: LogFilter): LogQuery {
  const { incident, area, compound, kinds, by, since, until } = filter
  return {
    incident: incident || undefined,
    area: area || undefined,
    compound: compound || undefined,
    kinds: kinds.join(',') || undefined,
    by: by || undefined,
    since: timeOf(since),
    until: timeOf(until),
  }
}

/** Who gave a command, as the filter takes it; `''` where the reader may not see which household it was. */
export function byOf(giver: Giver | null | undefined): string {
  if (!giver) return ''
  if (giver === 'system') return 'system'
  return 'person' in giver ? giver.person : 'households'
}
