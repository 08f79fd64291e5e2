/**
 * The person who holds this phone: signs in, keeps the state live, and gives their answers. What the server said last is kept
 * (`kept/`) and shown at once when the page is opened, with its time; the network then makes it new.
 */
import { computed, ref, shallowRef, watch } from 'vue'
import { api, Refused, take } from '../shared/api'
import { Live, liveUrl, type LinkState } from '../shared/live'
import type { MeView, NoticeBody, ServerFrame } from '../shared/schema'
import { openKept } from './kept/kept'
import type { Send } from './outbox/drain'
import { Outbox } from './outbox/outbox'
import { sendOverHttp } from './outbox/send'
import { openOutbox } from './outbox/store'
import { acknowledgePath, ANSWER_PATH, withOwnWord, type Answer } from './own-word'
import { readSnapshot } from './snapshot'
import { noteSignedIn, noteSignedOut } from './session-hint'
import * as fold from './state'
import type { PhoneAlert, PhoneState } from './state'
import { keepPages } from './update'

/** How often a page that has no live connection asks what is new, ms: where only the socket is blocked, it goes on so. */
const ASK_MS = 15_000
/** How often the clock of the page moves, ms: deadlines pass while one looks. */
const TICK_MS = 1_000

export function usePerson() {
  const view = shallowRef<MeView | null>(null)
  const state = shallowRef<PhoneState>(fold.empty(''))
  const link = ref<LinkState>({ is: 'connecting', since: Date.now(), news: 0 })
  const outbox = shallowRef<Outbox | null>(null)
  /** Why the last thing that was asked for could not be done. */
  const fault = ref<Refused | null>(null)
  const now = ref(Date.now())
  /** The last event, for what is only read while it is looked at. */
  const news = shallowRef<NoticeBody | null>(null)
  /** Whether briefs were read, too: until then it is not known that there is nothing to do. */
  const whole = ref(false)
  let live: Live | null = null
  /** When the server last said something, ms since 1970. */
  let told = 0
  /** Events that came while a snapshot was read. */
  let early: NoticeBody[] | null = null
  let loading: Promise<void> | null = null
  /** Positions of the journal: what the snapshot covers for sure, from where on events are told, and that of the last `hello`. */
  let covered = -1
  let toldFrom = -1
  let greetedAt = -1
  setInterval(() => (now.value = Date.now()), TICK_MS)
  watch([view, state], () => void keep())
  setInterval(askAnew, ASK_MS)
  addEventListener('online', hurry)
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && hurry())

  async function keep(): Promise<void> {
    const picture = { at: told, view: view.value, state: state.value }
    if (picture.view && whole.value) await (await openKept()).keepPicture({ ...picture, view: picture.view })
  }

  /**
   * Reads everything anew. What comes meanwhile is kept and taken in afterwards: a snapshot may be older than it.
   * @throws Refused when nobody is signed in here, or the server cannot be reached
   */
  function load(): Promise<void> {
    loading ??= read().finally(() => (loading = null))
    return loading
  }

  async function read(): Promise<void> {
    early ??= []
    const at = Date.now()
    try {
      const { briefs, ...read } = await readSnapshot()
      await openOutboxOf(read.state.me)
      told = Math.max(told, at)
      noteSignedIn()
      const show = (known: PhoneState): void => {
        view.value = read.view
        const told = (early ?? []).reduce(fold.apply, fold.stillAcknowledged(state.value, known))
        state.value = withOwnWord(told, outbox.value?.waiting.value ?? [])
      }
      // A page that shows nothing yet shows what is there.
      if (!view.value) show(read.state)
      const known = { ...read.state, briefs: await briefs }
      covered = read.view.position
      whole.value = true
      show(known)
      if ('news' in link.value && link.value.news > 0) link.value = { ...link.value, news: told }
      fetchRollsLater()
    } finally {
      early = null
    }
  }

  const send: Send = async (entry) => {
    const sent = await sendOverHttp(entry)
    if (sent.is === 'signed_out') loadOrLater()
    return sent
  }

  async function openOutboxOf(me: string): Promise<void> {
    if (outbox.value) return
    const opened = new Outbox(await openOutbox(), me, send)
    await opened.start()
    outbox.value = opened
  }

  /**
   * Signs in with what is there: the cookie. Where the phone keeps a picture, it is shown before the network was asked.
   * @throws Refused when there is none, and nobody is signed in here or the server cannot be reached
   */
  async function start(): Promise<void> {
    const last = await (await openKept()).picture()
    try {
      if (last) {
        await openOutboxOf(last.state.me)
        told = last.at
        // A picture of the version before may lack what this one knows.
        const kept = { ...fold.empty(last.state.me), ...last.state }
        state.value = withOwnWord(kept, outbox.value?.waiting.value ?? [])
        whole.value = true
        view.value = last.view
        link.value = { is: 'connecting', since: Date.now(), news: told }
        loadOrLater()
      } else {
        await firstLook()
      }
      connect()
    } finally {
      void keepPages()
    }
  }

  /**
   * Loads until there is something to show. What then still fails is read anew by whoever finds it missing: a `hello`, or the clock.
   * @throws Refused when nobody is signed in here or the server cannot be reached
   */
  function firstLook(): Promise<void> {
    return new Promise((shown, failed) => {
      const stop = watch(view, (is) => is && shown(), { flush: 'sync' })
      load()
        .then(shown, (why: unknown) => (view.value && why instanceof Refused ? undefined : failed(why as Error)))
        .finally(stop)
    })
  }

  function connect(): void {
    live = new Live(
      { url: liveUrl(location), watchMap: false, pingMs: 0, news: told },
      { frame: took, state: (is) => (link.value = is), reload: loadAnew, rightsChanged: loadOrLater },
    )
    live.start()
  }

  /** What was missed cannot be told. */
  function loadAnew(): void {
    covered = -1
    toldFrom = greetedAt
    loadOrLater()
  }

  /** When it fails the connection is as bad, and the next `hello` tries again. */
  function loadOrLater(): void {
    void load().then(
      () => covered < toldFrom && loadOrLater(),
      (why: unknown) => {
        if (!(why instanceof Refused)) throw why
        if (why.signedOut) void forget()
      },
    )
  }

  /** The network may be back. */
  function hurry(): void {
    live?.hurry()
    outbox.value?.hurry()
    askAnew()
  }

  function askAnew(): void {
    if (view.value && link.value.is === 'lost') loadOrLater()
  }

  function took(frame: ServerFrame): void {
    // What a server that stands still says is as old as what it knows.
    told = link.value.is === 'standing' ? link.value.asOf : Date.now()
    if (frame.type === 'hello') {
      outbox.value?.hurry()
      // What happened between the snapshot and the first `hello` was told to nobody; later ones resume.
      greetedAt = Number(frame.cursor.split('.')[0])
      if (toldFrom < 0 || covered < 0) toldFrom = greetedAt
      if (covered < toldFrom) loadOrLater()
    }
    if (frame.type !== 'event') return
    early?.push(frame.event)
    state.value = fold.apply(state.value, frame.event)
    news.value = frame.event
    if ('alert' in frame.event) live?.receipt(frame.event.alert.alert, 'delivered')
    // Who commands, holds a post or is in emergency changed: the places are told anew.
    if ('duty_raised' in frame.event || 'stood_down' in frame.event || 'command_changed' in frame.event)
      void loadPlaces()
  }

  async function loadPlaces(): Promise<void> {
    const me = await take(api.GET('/api/v1/me')).catch(() => null)
    if (!me) return
    state.value = { ...state.value, places: me.places }
    fetchRollsLater()
  }

  /** By itself, since nothing on the screen waits for it; without a network there is nothing to fetch. */
  function fetchRollsLater(): void {
    const { places } = state.value
    void import('./roll/rolls').then(
      ({ fetchRolls }) => fetchRolls(places),
      () => undefined,
    )
  }

  async function signIn(login: string, password: string): Promise<void> {
    await take(api.POST('/api/v1/session', { body: { login, password, lasting: true } }))
    await start()
  }

  /** Nothing that the server said stays on the phone; what waits to be sent does, for the next sign-in. */
  async function forget(): Promise<void> {
    noteSignedOut()
    live?.stop()
    outbox.value?.stop()
    outbox.value = null
    view.value = null
    state.value = fold.empty('')
    whole.value = false
    await (await openKept()).forgetHolder()
  }

  async function signOut(): Promise<void> {
    fault.value = null
    try {
      await take(api.DELETE('/api/v1/session'))
    } catch (why) {
      if (!(why instanceof Refused)) throw why
      // Without the network the session stays open: said, rather than only looking signed out.
      fault.value = why
      return
    }
    await forget()
  }

  /** @param about how the alert was shown */
  async function acknowledge(alert: PhoneAlert, about: string): Promise<void> {
    await outbox.value?.add({ path: acknowledgePath(alert.id), body: {}, epoch: null, about })
    state.value = fold.acknowledged(state.value, alert.id)
  }

  async function answer(post: string, answer: Answer, about: string): Promise<void> {
    await outbox.value?.add({ path: ANSWER_PATH, body: { post, answer }, line: post, epoch: null, about })
    state.value = fold.answered(state.value, post, typeof answer === 'string' ? answer : 'declined')
  }

  return {
    view,
    state,
    link,
    outbox,
    fault,
    now,
    news,
    whole,
    pressing: computed(() => fold.pressing(state.value, now.value)),
    start,
    signIn,
    signOut,
    acknowledge,
    answer,
    refreshPlaces: loadPlaces,
    shown: (alert: PhoneAlert) => live?.receipt(alert.id, 'shown'),
  }
}

export type Person = ReturnType<typeof usePerson>
