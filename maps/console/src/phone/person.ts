/** The person who holds this phone: signs in, keeps the state live, and gives their answers. */
import { computed, ref, shallowRef } from 'vue'
import { api, Refused, take } from '../shared/api'
import { Live, liveUrl, type LinkState } from '../shared/live'
import type { MeView, ServerFrame } from '../shared/schema'
import { Outbox } from './outbox/outbox'
import { sendOverHttp } from './outbox/send'
import { OutboxStore } from './outbox/store'
import { ring } from './ring'
import * as fold from './state'
import type { PhoneAlert, PhoneState } from './state'

/** Alerts in force that a phone loads when it starts; a compound has a handful. */
const ALERTS_MAX = 10
/** How often the clock of the page moves, ms: deadlines pass while one looks. */
const TICK_MS = 1_000

export function usePerson() {
  const view = shallowRef<MeView | null>(null)
  const state = shallowRef<PhoneState>(fold.empty(''))
  const link = ref<LinkState>({ is: 'connecting', since: Date.now() })
  const outbox = shallowRef<Outbox | null>(null)
  const now = ref(Date.now())
  /** What the kinds of posts are called, by code. */
  const titles = shallowRef(new Map<string, { zh: string; en: string }>())
  let live: Live | null = null
  setInterval(() => (now.value = Date.now()), TICK_MS)

  /** @throws Refused when nobody is signed in here, or the server cannot be reached */
  async function load(): Promise<void> {
    const me = await take(api.GET('/api/v1/me'))
    const id = typeof me.giver === 'object' && 'person' in me.giver ? me.giver.person : ''
    state.value = fold.fromSnapshot(id, me, await alertsInForce(id))
    view.value = me
    const kinds = await take(api.GET('/api/v1/post-kinds'))
    titles.value = new Map(kinds.map(({ code, title_zh, title_en }) => [code, { zh: title_zh, en: title_en }]))
  }

  /** Signs in with what is there: the cookie. Goes on without a network when the phone knows its holder. */
  async function start(): Promise<void> {
    await load()
    const store = await OutboxStore.open()
    outbox.value = new Outbox(store, state.value.me, sendOverHttp)
    await outbox.value.start()
    live = new Live(
      { url: liveUrl(location), watchMap: false, pingMs: 0 },
      { frame: took, state: (is) => (link.value = is), reload: () => void load() },
    )
    live.start()
    addEventListener('online', hurry)
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && hurry())
  }

  function hurry(): void {
    live?.hurry()
    outbox.value?.hurry()
  }

  function took(frame: ServerFrame): void {
    if (frame.type === 'hello') hurry()
    if (frame.type !== 'event') return
    state.value = fold.apply(state.value, frame.event)
    if ('alert' in frame.event) {
      live?.receipt(frame.event.alert.alert, 'delivered')
      ring(frame.event.exercise)
    }
    if ('your_call' in frame.event) ring(frame.event.exercise)
    // Who commands, holds a post or is in emergency changed: the places are told anew.
    if ('duty_raised' in frame.event || 'stood_down' in frame.event || 'command_changed' in frame.event)
      void loadPlaces()
  }

  async function loadPlaces(): Promise<void> {
    const me = await take(api.GET('/api/v1/me')).catch(() => null)
    if (me) state.value = { ...state.value, places: me.places }
  }

  async function signIn(login: string, password: string): Promise<void> {
    await take(api.POST('/api/v1/session', { body: { login, password } }))
    await start()
  }

  async function signOut(): Promise<void> {
    await take(api.DELETE('/api/v1/session'))
    live?.stop()
    location.assign('/m')
  }

  async function acknowledge(alert: PhoneAlert): Promise<void> {
    await outbox.value?.add({
      path: `/api/v1/alerts/${alert.id}/acknowledge`,
      body: {},
      epoch: null,
      about: alert.infos[0]?.headline ?? '',
    })
    state.value = fold.acknowledged(state.value, alert.id)
  }

  async function answer(
    post: string,
    answer: 'acknowledged' | 'on_post' | { declined: { reason: string } },
  ): Promise<void> {
    await outbox.value?.add({ path: '/api/v1/calls/answer', body: { post, answer }, epoch: null, about: post })
    state.value = fold.answered(state.value, post, typeof answer === 'string' ? answer : 'declined')
  }

  return {
    view,
    state,
    link,
    outbox,
    now,
    titles,
    pressing: computed(() => fold.pressing(state.value, now.value)),
    start,
    signIn,
    signOut,
    acknowledge,
    answer,
    shown: (alert: PhoneAlert) => live?.receipt(alert.id, 'shown'),
  }
}

export type Person = ReturnType<typeof usePerson>

/** The alerts in force that this person may see, with whether they acknowledged them. */
async function alertsInForce(me: string): Promise<PhoneAlert[]> {
  const query = { status: 'issued' as const, limit: ALERTS_MAX }
  const { items } = await take(api.GET('/api/v1/alerts', { params: { query } }))
  const alerts = items.map(async (line): Promise<PhoneAlert> => {
    const path = { id: line.id }
    const alert = await take(api.GET('/api/v1/alerts/{id}', { params: { path } }))
    const cancels = typeof line.kind === 'object' && 'cancel' in line.kind
    const shown = fold.alertFromView(line.id, line.sent ?? '', line.exercise, cancels, alert.content)
    return { ...shown, acknowledged: await acknowledgedBy(line.id, me) }
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
