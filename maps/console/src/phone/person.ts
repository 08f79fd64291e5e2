/** The person who holds this phone: signs in, keeps the state live, and gives their answers. */
import { computed, ref, shallowRef } from 'vue'
import { api, Refused, take } from '../shared/api'
import { Live, liveUrl, type LinkState } from '../shared/live'
import type { MeView, NoticeBody, PostKind, ServerFrame } from '../shared/schema'
import { Outbox } from './outbox/outbox'
import { sendOverHttp } from './outbox/send'
import { openOutbox } from './outbox/store'
import { readSnapshot } from './snapshot'
import { ring } from './ring'
import * as fold from './state'
import type { PhoneAlert, PhoneState } from './state'

/** How often the clock of the page moves, ms: deadlines pass while one looks. */
const TICK_MS = 1_000

export function usePerson() {
  const view = shallowRef<MeView | null>(null)
  const state = shallowRef<PhoneState>(fold.empty(''))
  const link = ref<LinkState>({ is: 'connecting', since: Date.now() })
  const outbox = shallowRef<Outbox | null>(null)
  const now = ref(Date.now())
  /** What the kinds of posts are, by code. */
  const kinds = shallowRef<ReadonlyMap<string, PostKind>>(new Map())
  let live: Live | null = null
  /** Events that came while a snapshot was read. */
  let early: NoticeBody[] | null = null
  /** Whether the snapshot may miss something that no event will tell. */
  let stale = true
  setInterval(() => (now.value = Date.now()), TICK_MS)

  /**
   * Reads everything anew. What comes meanwhile is kept and taken in afterwards: a snapshot may be older than it.
   * @throws Refused when nobody is signed in here, or the server cannot be reached
   */
  async function load(): Promise<void> {
    early ??= []
    try {
      const read = await readSnapshot()
      view.value = read.view
      kinds.value = read.kinds
      state.value = early.reduce(fold.apply, read.state)
    } finally {
      early = null
    }
  }

  /** Signs in with what is there: the cookie. */
  async function start(): Promise<void> {
    await load()
    outbox.value = new Outbox(await openOutbox(), state.value.me, sendOverHttp)
    await outbox.value.start()
    live = new Live(
      { url: liveUrl(location), watchMap: false, pingMs: 0 },
      { frame: took, state: (is) => (link.value = is), reload: loadOrLater },
    )
    live.start()
    addEventListener('online', hurry)
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && hurry())
  }

  /** When it fails the connection is as bad, and the next `hello` tries again. */
  function loadOrLater(): void {
    stale = true
    void load().then(
      () => (stale = false),
      (why: unknown) => {
        if (!(why instanceof Refused)) throw why
      },
    )
  }

  function hurry(): void {
    live?.hurry()
    outbox.value?.hurry()
  }

  function took(frame: ServerFrame): void {
    if (frame.type === 'hello') {
      hurry()
      // What happened between the snapshot and the first `hello` was told to nobody; later ones resume.
      if (stale) loadOrLater()
    }
    if (frame.type !== 'event') return
    early?.push(frame.event)
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
    kinds,
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
