/** What the holder of this phone has to know, read over HTTP: after signing in, and when what was missed could not be told. */
import { api, Refused, take } from '../shared/api'
import type { AlertLine, CommandBrief, MeView, PlaceView, PostKind } from '../shared/schema'
import { alertFromView, type PhoneAlert, type PhoneCall, type PhoneState } from './state'

/** Alerts in force that a phone loads when it starts; a compound has a handful. */
const ALERTS_MAX = 10

export interface Snapshot {
  view: MeView
  /** Without alerts and briefs. */
  state: PhoneState
  /** What the kinds of posts are, by code. */
  kinds: Map<string, PostKind>
  /** What takes further questions; rejected as `readSnapshot` is. */
  rest: Promise<Pick<PhoneState, 'alerts' | 'briefs'>>
}

/** @throws Refused when nobody is signed in here, or the server cannot be reached */
export async function readSnapshot(): Promise<Snapshot> {
  // The rest is asked after `me` was answered, never before: its position says what the snapshot covers. `phone.html` does the same early.
  const view = await take(api.GET('/api/v1/me'))
  const [catalogue, { items }] = await Promise.all([
    take(api.GET('/api/v1/post-kinds')),
    take(api.GET('/api/v1/alerts', { params: { query: { status: 'issued', limit: ALERTS_MAX } } })),
  ])
  const me = typeof view.giver === 'object' && 'person' in view.giver ? view.giver.person : ''
  const kinds = new Map(catalogue.map((kind) => [kind.code, kind]))
  const calls = view.places.flatMap((place) => callsOf(place, kinds))
  const state = { me, places: view.places, alerts: [], calls, briefs: [] }
  const rest = readRest(me, view.places, items)
  // Whoever waits for it hears of a fault, though they begin to wait a moment later.
  rest.catch(() => undefined)
  return { view, state, kinds, rest }
}

async function readRest(me: string, places: PlaceView[], lines: AlertLine[]) {
  const [alerts, briefs] = await Promise.all([alertsInForce(lines, me), Promise.all(places.map(briefOf))])
  return { alerts, briefs: briefs.filter((brief) => brief !== null) }
}

function callsOf(place: PlaceView, kinds: ReadonlyMap<string, PostKind>): PhoneCall[] {
  return place.calls.map((call) => {
    const held = place.posts.find((one) => one.post === call.post)
    const { post, incident, state } = call
    return { post, incident, state, answerBy: Date.parse(call.answer_by), duty: kinds.get(held?.kind ?? '') ?? null }
  })
}

/** What the plan asks of those in the line of a compound in emergency: the same that was told when duty was switched. */
async function briefOf(place: PlaceView): Promise<CommandBrief | null> {
  if (place.mode === 'normal' || !place.rank) return null
  const { incident, level } = place.mode.emergency
  const params = { params: { path: { compound: place.compound } } }
  const [duty, plans, command, { hazard }] = await Promise.all([
    take(api.GET('/api/v1/compounds/{compound}/duty', params)),
    take(api.GET('/api/v1/compounds/{compound}/plans', params)),
    take(api.GET('/api/v1/compounds/{compound}/command', params)),
    take(api.GET('/api/v1/incidents/{id}', { params: { path: { id: incident } } })),
  ])
  const plan = plans.find((one) => one.hazard === hazard && one.version === duty.plan)
  const asked = plan?.levels.find((one) => one.level === level)
  return {
    compound: place.compound,
    incident,
    level,
    holder: command.holder,
    epoch: command.epoch,
    plan: duty.plan ?? null,
    tasks: asked?.tasks ?? [],
    message: asked?.message ?? '',
    duty: duty.duty,
    vacant_posts: [...new Set(duty.vacancies.map(({ post }) => Number(post.split('/')[1])))],
  }
}

/** The alerts in force that this person may see, with whether they acknowledged them; the latest first. */
async function alertsInForce(lines: AlertLine[], me: string): Promise<PhoneAlert[]> {
  const alerts = lines.map(async (line): Promise<PhoneAlert> => {
    const [alert, acknowledged] = await Promise.all([
      take(api.GET('/api/v1/alerts/{id}', { params: { path: { id: line.id } } })),
      acknowledgedBy(line.id, me),
    ])
    const cancels = typeof line.kind === 'object' && 'cancel' in line.kind
    const shown = alertFromView(line.id, line.sent ?? '', line.exercise, cancels, alert.content)
    return { ...shown, acknowledged }
  })
  return (await Promise.all(alerts)).sort((a, b) => b.sentAt - a.sentAt)
}

/** Whether the person acknowledged the alert; unknown counts as not, so that it is shown rather than hidden. */
async function acknowledgedBy(id: string, me: string): Promise<boolean> {
  const asked = api.GET('/api/v1/alerts/{id}/compounds', { params: { path: { id }, query: { limit: 100 } } })
  const reach = await take(asked).catch((why: unknown) => {
    if (why instanceof Refused) return { items: [] }
    throw why
  })
  return reach.items.some((compound) => compound.acknowledged_by === me)
}
