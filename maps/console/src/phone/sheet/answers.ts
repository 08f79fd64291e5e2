/** What stands on a filled sheet, and the reports that it becomes. Pure. */
import { v5 as uuid } from 'uuid'
import type { CheckInForm, HelpKind, RollStatus } from '../../shared/schema'
import type { Report } from '../outbox/outbox'
import { checkInsPath, householdOf } from '../roll/rows'

/** A report that stands on a sheet. */
export type PaperReport = Report & { id: string; body: CheckInForm }

export const ANSWERS = ['safe', 'need_help', 'evacuated', 'away', 'missing'] as const
export type Answer = (typeof ANSWERS)[number]

/** One row of the sheet, as its boxes are ticked. */
export interface Row {
  answer: Answer | null
  /** What is circled beside "needs help". */
  kinds: HelpKind[]
  heads: number
}

/** Which sheet was filled, and when. */
export interface Filled {
  compound: string
  incident: string
  /** When the doors were knocked at, ms since 1970. */
  madeAt: number
  /** By flat, in the order of the sheet. */
  rows: ReadonlyMap<string, Row>
}

/** The space of ids of reports from paper: made once, at random. */
const PAPER = '6f1ed0f2-5c1b-4a54-9a0c-3a1c6f5d2b77'

/** Who is not there, or cannot be found, is nobody who was counted. */
export const countsHeads = (answer: Answer | null): boolean => answer !== 'away' && answer !== 'missing'

/** Flats of which it is not said what help they need. */
export function unfinished(rows: ReadonlyMap<string, Row>): string[] {
  return [...rows].filter(([, row]) => row.answer === 'need_help' && row.kinds.length === 0).map(([flat]) => flat)
}

function statusOf(answer: Answer, kinds: HelpKind[]): RollStatus {
  if (answer === 'need_help') return { need_help: { kinds } }
  return answer === 'evacuated' ? { evacuated: {} } : answer
}

/** A report for each row that is ticked. Entering the same sheet again gives the same ids, so that it is reported once. */
export function reportsOf({ compound, incident, madeAt, rows }: Filled): PaperReport[] {
  const path = checkInsPath(incident)
  return [...rows].flatMap(([flat, { answer, kinds, heads }]) => {
    if (answer === null) return []
    const household = householdOf(compound, flat)
    const body: CheckInForm = {
      household,
      status: statusOf(answer, kinds),
      heads: countsHeads(answer) ? heads : 0,
      verified: 'door_to_door',
      made_at: new Date(madeAt).toISOString(),
    }
    return [{ path, line: household, body, epoch: null, about: flat, id: uuid(path + JSON.stringify(body), PAPER) }]
  })
}

/** What the reports say, in numbers. */
export function countsOf(reports: readonly PaperReport[]): { by: Record<Answer, number>; heads: number } {
  const by = { safe: 0, need_help: 0, evacuated: 0, away: 0, missing: 0 }
  let heads = 0
  for (const { body } of reports) {
    by[answerOf(body.status)] += 1
    heads += body.heads
  }
  return { by, heads }
}

function answerOf(status: RollStatus): Answer {
  if (typeof status === 'string') return status
  return 'need_help' in status ? 'need_help' : 'evacuated'
}
