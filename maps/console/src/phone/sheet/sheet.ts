/** One sheet of paper from its code to the reports: what the page shows at each stage, and what leads to the next. */
import { computed, shallowRef } from 'vue'
import { decode, type CodeFault } from '../../paper/sheet-code'
import { api, Refused, take } from '../../shared/api'
import type { HouseholdRow, IncidentView } from '../../shared/schema'
import { Outbox } from '../outbox/outbox'
import { sendOverHttp } from '../outbox/send'
import { openOutbox } from '../outbox/store'
import { reportsOf, type PaperReport, type Row } from './answers'
import { enteredAt, rememberEntered } from './entered'
import { findSheet, knownOf, type FoundSheet, type SheetFault } from './find'

/** A sheet that is being filled in. */
interface Open {
  sheet: FoundSheet
  incident: IncidentView
}

export type Stage =
  | { is: 'code'; fault: CodeFault | null }
  | { is: 'sign_in' }
  | { is: 'wait' }
  | { is: 'refused'; why: Refused }
  | { is: 'nowhere'; fault: SheetFault }
  | { is: 'choose'; sheet: FoundSheet; why: Refused | null }
  | ({ is: 'fill'; known: Map<string, HouseholdRow>; entered: number | null } & Open)
  | ({ is: 'sent'; reports: PaperReport[] } & Open)

export function useSheet() {
  const stage = shallowRef<Stage>({ is: 'wait' })
  const outbox = shallowRef<Outbox | null>(null)
  /** As it was scanned or typed, digits only. */
  let code = ''
  /** Goes on from where a refusal or a missing sign-in stopped. */
  let again = (): Promise<void> => Promise.resolve()

  /** Does a step that asks the server; what stops it is shown, and `retry` does it again. */
  async function step(next: () => Promise<void>): Promise<void> {
    again = () => step(next)
    stage.value = { is: 'wait' }
    try {
      await next()
    } catch (why) {
      if (!(why instanceof Refused)) throw why
      stage.value = why.status === 401 ? { is: 'sign_in' } : { is: 'refused', why }
    }
  }

  /** Asks for a code, or goes on with the one that there is. */
  async function read(digits: string): Promise<void> {
    code = digits
    const id = decode(digits)
    if (typeof id === 'string') {
      stage.value = { is: 'code', fault: id === 'empty' ? null : id }
      return
    }
    await step(async () => {
      await openBox()
      const sheet = await findSheet(id)
      if (typeof sheet === 'string') {
        stage.value = { is: 'nowhere', fault: sheet }
        return
      }
      const [incident, ...others] = sheet.incidents
      // A spare sheet names no incident: nobody but the person at the paper knows which it was, even where there is only one.
      const sure = id.incident !== 0 && others.length === 0
      if (incident && sure) await fill({ sheet, incident })
      else stage.value = { is: 'choose', sheet, why: null }
    })
  }

  /** What an earlier visit left is sent, too. */
  async function openBox(): Promise<void> {
    if (outbox.value) return
    const { giver } = await take(api.GET('/api/v1/me'))
    const owner = typeof giver === 'object' && 'person' in giver ? giver.person : ''
    const box = new Outbox(await openOutbox(), owner, sendOverHttp)
    await box.start()
    addEventListener('online', () => box.hurry())
    outbox.value = box
  }

  async function fill(open: Open): Promise<void> {
    const known = await knownOf(open.sheet, open.incident.id)
    stage.value = { is: 'fill', known, entered: enteredAt(code, open.incident.id), ...open }
  }

  /** A compound takes no part in every incident that is open: where it does not, another can be chosen. */
  function choose(sheet: FoundSheet, incident: IncidentView): Promise<void> {
    return step(async () => {
      try {
        await fill({ sheet, incident })
      } catch (why) {
        if (!(why instanceof Refused) || why.tryAgain || why.status === 401) throw why
        stage.value = { is: 'choose', sheet, why }
      }
    })
  }

  async function send({ sheet, incident }: Open, madeAt: number, rows: ReadonlyMap<string, Row>): Promise<void> {
    const reports = reportsOf({ compound: sheet.id.compound, incident: incident.id, madeAt, rows })
    for (const report of reports) await outbox.value?.add(report)
    rememberEntered(code, incident.id, Date.now())
    sessionStorage.removeItem(draftOf(incident))
    stage.value = { is: 'sent', sheet, incident, reports }
  }

  async function signIn(login: string, password: string): Promise<void> {
    await take(api.POST('/api/v1/session', { body: { login, password } }))
    await again()
  }

  const draftOf = (incident: IncidentView): string => `muster.sheet.${code}.${incident.id}`

  return {
    stage,
    outbox,
    /** Real or exercise is said from the moment that the incident is known. */
    incident: computed(() => ('incident' in stage.value ? stage.value.incident : null)),
    read,
    retry: () => again(),
    choose,
    draftOf,
    send,
    signIn,
  }
}
