/** One play of the story: in which language, at which size, real or an exercise; its server, its city and the pages of its people. */
import type { Browser, Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Paint } from '../src/console/map/paint'
import { Caller, homeOf } from './city'
import { shadeInTheMiddle } from './map-eye'
import { DESK, look, open, PHONE, signIn } from './pages'
import { startServer, type Server } from './server'
import { wordsOf, type Say } from './words'

export interface Staging {
  /** In the names of its pictures. */
  name: string
  language: 'zh' | 'en'
  viewport: typeof PHONE
  real: boolean
}

export const STAGINGS: readonly Staging[] = [
  { name: 'zh-desk', language: 'zh', viewport: DESK, real: false },
  { name: 'en-desk', language: 'en', viewport: DESK, real: true },
  { name: 'zh-phone', language: 'zh', viewport: PHONE, real: false },
  { name: 'en-phone', language: 'en', viewport: PHONE, real: false },
]

interface Household {
  flat: string
  needs: string[]
  report: { status: string | object; made_at: string } | null
}

export class Play {
  /** The words of the console, and those of the phone pages. */
  readonly say: Say
  readonly tell: Say
  private constructor(
    readonly staging: Staging,
    private readonly browser: Browser,
    private readonly server: Server,
    /** Looks at what is durable; gives no order. */
    readonly city: Caller,
    /** The compound of the commander and of the volunteer, and its areas from the city down. */
    readonly home: string,
    readonly areas: readonly string[],
  ) {
    this.say = wordsOf('console', staging.language)
    this.tell = wordsOf('phone', staging.language)
  }

  static async begin(staging: Staging, browser: Browser): Promise<Play> {
    const server = await startServer()
    const city = await Caller.signIn(server.origin, 'city1')
    const home = await homeOf(await Caller.signIn(server.origin, 'commander'))
    const { areas } = await city.get<{ areas: { name: string }[] }>(`/compounds/${home}`)
    const names = areas.map(({ name }) => name)
    return new Play(staging, browser, server, city, home, names)
  }

  end(): Promise<void> {
    return this.server.stop()
  }

  /** A page at the play's size, in its language. */
  page(url: string): Promise<Page> {
    const { viewport, language } = this.staging
    return open(this.browser, new URL(url, this.server.origin).href, viewport, language === 'en')
  }

  async signedIn(path: '/console' | '/m', login: string): Promise<Page> {
    const page = await this.page(path)
    await signIn(page, login)
    await page.getByRole('navigation').first().waitFor()
    return page
  }

  look(page: Page, name: string): Promise<void> {
    return look(page, `story-${this.staging.name}-${name}`)
  }

  /** `REAL` or `EXERCISE`, as the pages say it. */
  get occasion(): string {
    return this.say(`occasion.${this.staging.real ? 'real' : 'exercise'}`)
  }

  /** To another page of the console, by its menu. */
  async go(page: Page, to: string): Promise<void> {
    await page
      .locator('header nav')
      .getByRole('link', { name: this.say(`nav.${to}`), exact: true })
      .click()
  }

  /** The map goes to the home compound, whose sheet opens. */
  async find(page: Page): Promise<void> {
    await this.go(page, 'map')
    const search = page.getByRole('combobox', { name: this.say('search.label') })
    await search.fill(this.home)
    await page.getByRole('option').first().waitFor()
    await search.press('Enter')
    await this.sheet(page)
      .getByRole('heading', { name: this.say('sheet.plans') })
      .waitFor()
  }

  sheet(page: Page) {
    return page.getByRole('region', { name: this.say('sheet.title'), exact: true })
  }

  /** The map has gone to the home compound, and its colours tell this. */
  async watch(page: Page, paint: Paint): Promise<void> {
    await this.find(page)
    await this.sheet(page)
      .getByRole('button', { name: this.say('close') })
      .click()
    await this.paint(page, paint)
  }

  async paint(page: Page, paint: Paint): Promise<void> {
    await page
      .locator('.tools')
      .getByText(this.say(`paint.${paint}`), { exact: true })
      .click()
  }

  /** The home compound stands on the map in this colour: a word of the legend. */
  async painted(page: Page, paint: Paint, shade: string): Promise<void> {
    await expect.poll(() => shadeInTheMiddle(page, paint), { message: `the map by ${paint}` }).toBe(shade)
  }

  /** A number at the top of the console. */
  total(page: Page, name: string) {
    return page.locator(`header dl div:has(dt:text-is("${this.say(`totals.${name}`)}")) dd`)
  }

  async households(incident: string): Promise<Household[]> {
    const path = `/incidents/${incident}/compounds/${this.home}/households?limit=500`
    return (await this.city.get<{ items: Household[] }>(path)).items
  }

  /** How many reports the journal has, whatever came of them. */
  async reports(incident: string): Promise<number> {
    const { items } = await this.city.get<{ items: object[] }>(`/log?incident=${incident}&limit=500`)
    return items.filter((line) => JSON.stringify(line).includes('checked_in')).length
  }
}

/** The corners of a rectangle on the map, clicked one by one, or touched where the page is a phone's; the first once more ends it. */
export async function drawOver(page: Page, map: string, from: [number, number], to: [number, number]): Promise<void> {
  const canvas = page.getByRole('application', { name: map })
  const box = await canvas.boundingBox()
  if (!box) throw new Error('the map is not to be seen')
  const touches = await page.evaluate(() => navigator.maxTouchPoints > 0)
  for (const [x, y] of [from, [to[0], from[1]], to, [from[0], to[1]], from] as const) {
    const position = { x: box.width * x, y: box.height * y }
    await (touches ? canvas.tap({ position }) : canvas.click({ position }))
  }
}
