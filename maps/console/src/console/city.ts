/** The city as this dispatcher sees it: who they are, the areas, how every compound stands, live. One for the whole console. */
import { reactive, shallowRef, triggerRef } from 'vue'
import { api, Refused, take, walk } from '../shared/api'
import { Live, liveUrl, type LinkState } from '../shared/live'
import type { AreaView, IncidentView, MapState, MeView, NoticeBody } from '../shared/schema'
import { Standing } from './state/standing'

/** A lost connection has to be said within 5 s: it is given up after twice this time without a word, as is seen once a second. */
const PING_MS = 1_800
/** Areas that a filter offers at most. */
const AREAS_MAX = 400

type Change = (changed: MapState[]) => void
type News = (event: NoticeBody, at: string) => void

export class City {
  readonly me = shallowRef<MeView | null>(null)
  readonly areas = shallowRef(new Map<string, AreaView>())
  readonly incidents = shallowRef<IncidentView[]>([])
  readonly link = shallowRef<LinkState>({ is: 'connecting', since: Date.now(), news: 0 })
  readonly standing = new Standing()
  /** Ticks when the totals moved; at most five times a second, as frames come. */
  readonly totals = shallowRef(this.standing.totals)
  /** Real or exercise, while the page is about one of them alone: then the whole frame says that. */
  readonly subject = shallowRef<'real' | 'exercise' | null>(null)
  readonly progress = reactive({ whole: false, done: 0 })
  private live: Live | null = null
  private incidentsAsked = 0
  private readonly changes = new Set<Change>()
  private readonly news = new Set<News>()

  /** @throws Refused when nobody is signed in, or the server cannot be reached */
  async start(): Promise<void> {
    this.me.value = await take(api.GET('/api/v1/me'))
    await this.loadAreas()
    await this.loadIncidents()
    if (this.me.value.grants.length === 0) return
    this.live = new Live(
      { url: liveUrl(location), watchMap: true, pingMs: PING_MS },
      {
        state: (is) => (this.link.value = is),
        reload: () => void this.incidentsChanged(),
        rightsChanged: () => void this.rightsChanged(),
        frame: (frame) => {
          if (frame.type === 'map') this.took(this.standing.take(frame))
          if (frame.type === 'event') this.heard(frame.event, frame.at)
        },
      },
    )
    this.live.start()
    addEventListener('online', () => this.live?.hurry())
  }

  /** What the pages offer hangs on the grants: begun anew where they are others, not where only another device was signed out. */
  private async rightsChanged(): Promise<void> {
    try {
      const { grants } = await take(api.GET('/api/v1/me'))
      if (JSON.stringify(grants) === JSON.stringify(this.me.value?.grants)) return
    } catch (why) {
      if (!(why instanceof Refused)) throw why
      // A server that is away tells when it is back: the connection is made anew all the same.
      if (!why.signedOut) return
    }
    location.reload()
  }

  /** Is told of every compound that changed. @returns ends it */
  onChange(tell: Change): () => void {
    this.changes.add(tell)
    return () => this.changes.delete(tell)
  }

  /** Is told of every event that concerns the dispatcher. @returns ends it */
  onNews(tell: News): () => void {
    this.news.add(tell)
    return () => this.news.delete(tell)
  }

  /** The tree as it is now; it changes when somebody enters or corrects areas. */
  async loadAreas(): Promise<void> {
    const areas = await take(api.GET('/api/v1/areas'))
    this.areas.value = new Map(areas.map((area) => [area.code, area]))
  }

  async loadIncidents(): Promise<void> {
    const page = (after?: string) => api.GET('/api/v1/incidents', { params: { query: { open: true, after } } })
    const asked = ++this.incidentsAsked
    const open = await walk((after?: string) => take(page(after)))
    // An answer that was overtaken is older than what is shown.
    if (asked === this.incidentsAsked) this.incidents.value = open
  }

  areaName(code: string): string {
    return this.areas.value.get(code)?.name ?? code
  }

  /** `潞州区 › 东街街道`: the county and the street round a place; the city is round all of them. */
  within(code: string): string {
    const wider = [6, 9].filter((digits) => digits < code.length).map((digits) => code.slice(0, digits))
    return wider.map((area) => this.areaName(area)).join(' › ')
  }

  /** Where the account commands or watches, widest first. */
  get ownAreas(): string[] {
    return (this.me.value?.grants ?? []).map((grant) => grant.area).sort((a, b) => a.length - b.length)
  }

  /** The areas within those: what a filter offers. More than `AREAS_MAX` nobody reads; then down to the streets. */
  get offeredAreas(): AreaView[] {
    const own = [...this.areas.value.values()].filter(({ code }) => this.ownAreas.some((area) => code.startsWith(area)))
    const some = own.length > AREAS_MAX ? own.filter(({ level }) => level !== 'community') : own
    return some.sort((a, b) => (a.code < b.code ? -1 : 1))
  }

  /** Who is signed in; `null` where it is no person. */
  get person(): string | null {
    const giver = this.me.value?.giver
    return giver && typeof giver === 'object' && 'person' in giver ? giver.person : null
  }

  /** Whether the account commands somewhere, and does not only watch. The server decides; this only spares hopeless buttons. */
  get commands(): boolean {
    return (this.me.value?.grants ?? []).some((grant) => grant.role === 'dispatcher')
  }

  /** Whether the account commands in that area or compound, by its code. */
  commandsIn(code: string): boolean {
    return (this.me.value?.grants ?? []).some(({ role, area }) => role === 'dispatcher' && code.startsWith(area))
  }

  private took(changed: MapState[]): void {
    this.progress.done = this.standing.compounds.size
    this.progress.whole ||= this.standing.whole
    for (const tell of this.changes) tell(changed)
    triggerRef(this.totals)
    const known = new Set(this.incidents.value.map((incident) => incident.id))
    if (changed.some(({ incident }) => incident && !known.has(incident))) void this.incidentsChanged()
  }

  /** What is open may have changed; where it cannot be read now, the banner says that the connection is lost, and it is told again. */
  private async incidentsChanged(): Promise<void> {
    try {
      await this.loadIncidents()
    } catch (why) {
      if (!(why instanceof Refused)) throw why
    }
  }

  private heard(event: NoticeBody, at: string): void {
    if ('incident_opened' in event || 'incident_closed' in event) void this.incidentsChanged()
    for (const tell of this.news) tell(event, at)
  }
}

export const city = new City()
