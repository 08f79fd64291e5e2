/**
 * What the holder of this phone has to know and do, folded from a snapshot over HTTP and the events that follow it. Pure: no
 * network, no clock, no storage.
 */
import type { AlertKind, AlertNotice, CommandBrief, NoticeBody, OwnAlert, PlaceView, PostCall } from '../shared/schema'

/** An alert as this phone shows it. */
export interface PhoneAlert {
  id: string
  exercise: boolean
  /** RFC 3339 or ms since 1970, as it came; only ever formatted. */
  sentAt: number
  expiresAt: number
  colour: string | null
  hazard: string
  infos: { language: string; headline: string; description: string; instruction: string; sender_name: string }[]
  cancels: boolean
  /** Compounds whose command waits for this person's acknowledgement, and until when (ms); `null` for no end. */
  askedFor: { compound: string; dueAt: number | null }[]
  /** Whether this person acknowledged it. */
  acknowledged: boolean
}

/** A call to a post. */
export interface PhoneCall {
  post: string
  incident: string
  state: 'called' | 'acknowledged' | 'on_post' | 'declined' | 'no_answer' | 'relieved'
  answerBy: number
  /** What to do there; `null` until the next event tells. */
  duty: { title_zh: string; title_en: string; emergency_duty: string; emergency_duty_en?: string | null } | null
}

export interface PhoneState {
  me: string
  places: PlaceView[]
  /** The latest first. */
  alerts: PhoneAlert[]
  calls: PhoneCall[]
  /** The plan's checklist of each compound that this person commands, in emergency. */
  briefs: CommandBrief[]
}

export const empty = (me: string): PhoneState => ({ me, places: [], alerts: [], calls: [], briefs: [] })

/** A snapshot in which stays acknowledged what was: it may be older than this person's word, which nobody tells their phone again. */
export function stillAcknowledged(before: PhoneState, read: PhoneState): PhoneState {
  if (before.me !== read.me) return read
  const done = new Set(before.alerts.filter((alert) => alert.acknowledged).map((alert) => alert.id))
  return {
    ...read,
    alerts: read.alerts.map((alert) => (done.has(alert.id) ? { ...alert, acknowledged: true } : alert)),
  }
}

const ms = (us: number): number => Math.floor(us / 1_000)

const isCancel = (kind: AlertKind): boolean => typeof kind === 'object' && 'cancel' in kind

/** An alert read over HTTP. */
export function alertFromView({ alert, exercise, kind, sent, content, acknowledged, asked }: OwnAlert): PhoneAlert {
  return {
    id: alert,
    exercise,
    sentAt: Date.parse(sent),
    expiresAt: Date.parse(content.expires),
    colour: content.colour ?? null,
    hazard: content.hazard,
    infos: content.infos,
    cancels: isCancel(kind),
    askedFor: asked.map(({ compound, due_at }) => ({ compound, dueAt: due_at ? Date.parse(due_at) : null })),
    acknowledged,
  }
}

function alertFromNotice(notice: AlertNotice, exercise: boolean): PhoneAlert {
  const { content, identity } = notice
  return {
    id: notice.alert,
    exercise,
    sentAt: ms(identity.sent),
    expiresAt: ms(content.expires),
    colour: content.colour ?? null,
    hazard: content.hazard,
    infos: content.infos,
    cancels: isCancel(notice.kind),
    askedFor: [],
    acknowledged: false,
  }
}

/** Which alert a newer one takes the place of. */
function replaced(notice: AlertNotice): string | null {
  if (typeof notice.kind !== 'object') return null
  return 'update' in notice.kind ? notice.kind.update.replaces : notice.kind.cancel.replaces
}

/** The state after an event. The old state is left as it was. */
export function apply(state: PhoneState, event: NoticeBody): PhoneState {
  if ('alert' in event) {
    const old = replaced(event.alert)
    const others = state.alerts.filter((alert) => alert.id !== event.alert.alert && alert.id !== old)
    const known = state.alerts.find((alert) => alert.id === event.alert.alert)
    return { ...state, alerts: [known ?? alertFromNotice(event.alert, event.exercise), ...others] }
  }
  if ('acknowledgement_asked' in event) {
    const { alert, compound, due_at } = event.acknowledgement_asked
    const asked = { compound, dueAt: due_at ? ms(due_at) : null }
    return onAlert(state, alert, (one) => ({
      ...one,
      askedFor: [...one.askedFor.filter((other) => other.compound !== compound), asked],
    }))
  }
  if ('alert_acknowledged' in event) {
    const { alert, compound, person } = event.alert_acknowledged
    return onAlert(state, alert, (one) => ({
      ...one,
      acknowledged: one.acknowledged || person === state.me,
      askedFor: one.askedFor.filter((other) => other.compound !== compound),
    }))
  }
  if ('your_call' in event) return withCall(state, event.your_call)
  if ('your_call_ended' in event) {
    return { ...state, calls: state.calls.filter((call) => call.post !== event.your_call_ended.post) }
  }
  if ('call_answered' in event) {
    const { post, person, answer } = event.call_answered
    const told = withDuty(state, post.split('#')[0] ?? '', event.call_answered)
    if (person !== state.me) return told
    const answered = typeof answer === 'string' ? answer : 'declined'
    return { ...told, calls: told.calls.map((call) => (call.post === post ? { ...call, state: answered } : call)) }
  }
  if ('calls_unanswered' in event) return withDuty(state, event.calls_unanswered.compound, event.calls_unanswered)
  if ('command_offered' in event) {
    const { compound, to } = event.command_offered
    return onPlace(state, compound, (place) => ({ ...place, offered: to === state.me }))
  }
  if ('command_changed' in event) {
    const { compound, holder, epoch } = event.command_changed
    const in_command = 'person' in holder && holder.person === state.me
    const briefs = state.briefs.map((brief) => (brief.compound === compound ? { ...brief, holder, epoch } : brief))
    return onPlace({ ...state, briefs }, compound, (place) => {
      return { ...place, in_command, offered: false, epoch: place.rank ? epoch : place.epoch }
    })
  }
  if ('command_brief' in event) {
    const brief = event.command_brief
    const others = state.briefs.filter((one) => one.compound !== brief.compound)
    return { ...state, briefs: [...others, brief] }
  }
  if ('stood_down' in event) {
    const { incident } = event.stood_down
    const briefs = state.briefs.filter((brief) => brief.incident !== incident)
    return { ...state, briefs, calls: state.calls.filter((call) => call.incident !== incident) }
  }
  return state
}

/** This person's word, before the server has it: the button must answer at once. */
export function acknowledged(state: PhoneState, alert: string): PhoneState {
  return onAlert(state, alert, (one) => ({ ...one, acknowledged: true, askedFor: [] }))
}

/** As [`acknowledged`], for a call. */
export function answered(state: PhoneState, post: string, answer: PhoneCall['state']): PhoneState {
  return { ...state, calls: state.calls.map((call) => (call.post === post ? { ...call, state: answer } : call)) }
}

function withCall(state: PhoneState, call: PostCall): PhoneState {
  const fresh: PhoneCall = {
    post: call.post,
    incident: call.incident,
    state: 'called',
    answerBy: ms(call.answer_by),
    duty: call.duty,
  }
  return { ...state, calls: [...state.calls.filter((one) => one.post !== call.post), fresh] }
}

/** How the posts of a compound stand now, for those who are briefed on it. */
function withDuty(
  state: PhoneState,
  compound: string,
  { duty, vacant_posts }: Pick<CommandBrief, 'duty' | 'vacant_posts'>,
): PhoneState {
  const briefs = state.briefs.map((brief) => (brief.compound === compound ? { ...brief, duty, vacant_posts } : brief))
  return { ...state, briefs }
}

function onPlace(state: PhoneState, compound: string, change: (place: PlaceView) => PlaceView): PhoneState {
  return { ...state, places: state.places.map((place) => (place.compound === compound ? change(place) : place)) }
}

function onAlert(state: PhoneState, id: string, change: (alert: PhoneAlert) => PhoneAlert): PhoneState {
  return { ...state, alerts: state.alerts.map((alert) => (alert.id === id ? change(alert) : alert)) }
}

/** The alert that fills the screen now: in force, not acknowledged, the latest. */
export function pressing(state: PhoneState, now: number): PhoneAlert | undefined {
  return state.alerts.find((alert) => !alert.acknowledged && alert.expiresAt > now)
}

/** What an alert says in a language; in another one rather than nothing. */
export function infoIn(language: string, alert: Pick<PhoneAlert, 'infos'>): PhoneAlert['infos'][number] | undefined {
  return alert.infos.find((info) => info.language === language) ?? alert.infos[0]
}
