/** One play of the story: in which language, at which size, real or an exercise; its server, its city and the pages of its people. */
import type { Browser, Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Paint } from '../src/console/map/paint'
import { Caller, homeOf } from './city'
import { shadeInTheMiddle } from './map-eye'
import { DESK, look, open, PHONE, signIn } from './pages'
import { scanned } from './qr'
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

/** What a red alert leaves to be filled in, in Chinese and in English. */
const BLANKS = [
  ['place', '浊漳河沿岸', 'Zhuozhang River'],
  ['sender', '长治市应急管理局', 'Changzhi Emergency Bureau'],
  ['phone', '0355-2190119', '0355-2190119'],
] as const

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
      .getByRole('link', { name: new RegExp(`^${this.say(`nav.${to}`)}(?!\\S)`) })
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

  /** A red alert's blanks are filled in, in both languages. */
  async write(page: Page): Promise<void> {
    await page.getByText(this.say('colour.red'), { exact: true }).click()
    for (const [blank, chinese, english] of BLANKS) {
      for (const [language, text] of [['zh-CN', chinese] as const, ['en-US', english] as const]) {
        const name = `${this.say(`compose.blank.${blank}`)} · ${this.say(`compose.language.${language}`)}`
        await page.getByRole('textbox', { name }).fill(text)
      }
    }
    await page.getByText(this.say('compose.lint.fine')).waitFor()
  }

  /** The address in the code on a household's door: its stairwell's cards are printed at the desk. */
  async doorCode(page: Page, flat: string): Promise<string> {
    const { say } = this
    await this.find(page)
    await this.sheet(page)
      .getByRole('link', { name: say('sheet.paper') })
      .click()
    await page.getByRole('button', { name: say('desk.cards') }).click()
    await page.getByRole('button', { name: say('desk.none'), exact: true }).click()
    const [building = '', unit = '', door = ''] = flat.split('-')
    await page.getByLabel(`${building}-${unit}`, { exact: true }).check()
    await page.getByRole('button', { name: say('desk.make') }).click()
    const words = say('cards.door', { building, unit, flat: door })
    const card = page.locator('.household').filter({ hasText: words }).first()
    await card.waitFor()
    await this.look(page, 'cards')
    return (await scanned(card.locator('svg.qr'))) ?? ''
  }
}
