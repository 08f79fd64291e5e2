/** What the holder of this phone has to know, read over HTTP: after signing in, and when what was missed could not be told. */
import { api, take } from '../shared/api'
import type { CommandBrief, MeView, PlaceView } from '../shared/schema'
import { alertFromView, type PhoneCall, type PhoneState } from './state'

export interface Snapshot {
  view: MeView
  /** Without briefs. */
  state: PhoneState
  /** What takes further questions; rejected as `readSnapshot` is. */
  briefs: Promise<CommandBrief[]>
}

/** @throws Refused when nobody is signed in here, or the server cannot be reached */
export async function readSnapshot(): Promise<Snapshot> {
  // One question tells all that is pressing, as of one moment. `phone.html` asks it early.
  const view = await take(api.GET('/api/v1/me'))
  const me = typeof view.giver === 'object' && 'person' in view.giver ? view.giver.person : ''
  const alerts = view.alerts.map(alertFromView).sort((a, b) => b.sentAt - a.sentAt)
  const state = { me, places: view.places, alerts, calls: view.places.flatMap(callsOf), briefs: [] }
  const briefs = Promise.all(view.places.map(briefOf)).then((all) => all.filter((brief) => brief !== null))
  // Whoever waits for it hears of a fault, though they begin to wait a moment later.
  briefs.catch(() => undefined)
  return { view, state, briefs }
}

function callsOf(place: PlaceView): PhoneCall[] {
  return place.calls.map((call) => {
    const held = place.posts.find((one) => one.post === call.post)
    const { post, incident, state } = call
    return { post, incident, state, answerBy: Date.parse(call.answer_by), duty: held?.kind ?? null }
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
