/**
 * The whole of an evening, through the pages alone: an area is drawn and alerted, approved and acknowledged, duty is switched, a roll
 * taken without a network, help asked for. Played in both languages, at a desk and on a phone, as an exercise and for real.
 */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drawOver, takeTool } from './draw'
import { kept } from './kept'
import { faults, launch } from './pages'
import { Play, STAGINGS } from './play'

interface Alert {
  status: string
  compounds: number
  acknowledged: number
}

let browser: Browser
beforeAll(async () => {
  browser = await launch()
})
afterAll(async () => {
  await browser.close()
  expect(faults, 'errors in the pages').toEqual([])
})

describe.each(STAGINGS.map((staging) => [staging.name, staging] as const))('%s', (_, staging) => {
  let play: Play
  /** Two dispatchers, the commander and a volunteer of one compound. */
  let first: Page
  let second: Page
  let commander: Page
  let volunteer: Page
  let incident: string
  let alert: string
  const title = staging.language === 'zh' ? '浊漳河洪水' : 'Zhuozhang flood'
  const { real } = staging

  beforeAll(async () => {
    play = await Play.begin(staging, browser)
  })
  afterAll(async () => {
    for (const page of [first, second, commander, volunteer]) await page?.context().close()
    await play?.end()
  })

  const alertOf = (): Promise<Alert> => play.city.get<Alert>(`/alerts/${alert}`)

  test('people sign in, and an incident is opened', async () => {
    first = await play.page('/console')
    await first.locator('#login').waitFor()
    await play.look(first, 'sign-in')
    await first.context().close()
    ;[first, second] = [await play.signedIn('/console', 'city1'), await play.signedIn('/console', 'city2')]
    ;[commander, volunteer] = [await play.signedIn('/m', 'commander'), await play.signedIn('/m', 'post')]
    await commander.getByText(play.tell('all_quiet'), { exact: true }).waitFor()
    await play.look(commander, 'commander-quiet')
    const { say } = play
    await play.go(first, 'incidents')
    const form = first.getByRole('form', { name: say('incidents.open') })
    await form.getByText(play.occasion, { exact: true }).click()
    await form.getByRole('combobox', { name: say('incidents.hazard') }).press('Enter')
    await first.getByRole('option', { name: say('hazard.flood') }).click()
    await form.getByLabel(say('incidents.title'), { exact: true }).fill(title)
    const open = form.getByRole('button', { name: say(real ? 'incidents.open_real' : 'incidents.open_exercise') })
    if (real) {
      expect(await open.isDisabled(), 'the real thing asks for a word').toBe(true)
      await form
        .getByLabel(say('incidents.type_real', { word: say('incidents.real_word') }))
        .fill(say('incidents.real_word'))
    }
    await open.click()
    await first.getByRole('article', { name: title }).waitFor()
    for (const page of [first, second]) await page.locator('.band').getByText(play.occasion).waitFor()
    await play.look(first, 'incident')
    const { items } = await play.city.get<{ items: { id: string; exercise: boolean }[] }>('/incidents?open=true')
    expect(items.map(({ exercise }) => exercise)).toEqual([!real])
    incident = items[0]?.id ?? ''
  })

  test('a dispatcher draws an area, sees whom it would reach, and hands the alert in', async () => {
    const { say } = play
    await play.go(first, 'map')
    await first.getByRole('link', { name: say('new_alert') }).click()
    await first.getByRole('radio', { name: title }).check()
    await takeTool(first, say('compose.tool.polygon'))
    await drawOver(first, say('compose.map'), [0.5, 0.5], [0.85, 0.8], 'corner')
    await first.getByText(say('compose.piece.polygon', { corners: 4 })).waitFor()
    const preview = first.getByRole('status', { name: say('compose.preview.title') })
    const seen = preview.locator('.compounds dd')
    await expect.poll(() => seen.textContent()).toMatch(/^[1-9]/)
    await expect.poll(() => preview.getAttribute('aria-busy')).toBe('false')
    await play.look(first, 'drawn')
    await play.write(first)
    const compounds = (await seen.textContent()) ?? ''
    const handIn = first.getByRole('button', { name: say('compose.send.hand_in') })
    if (real) {
      const number = first.getByLabel(say('compose.send.type_number'))
      await number.fill('999')
      await first.getByText(say('compose.send.wrong_number', { typed: 999, compounds })).waitFor()
      expect(await handIn.isDisabled(), 'the number that is typed is not the one that it hits').toBe(true)
      await number.fill(compounds)
    }
    await handIn.scrollIntoViewIfNeeded()
    await play.look(first, 'ready')
    await handIn.click()
    await first.waitForURL(({ searchParams }) => searchParams.has('alert'))
    alert = new URL(first.url()).searchParams.get('alert') ?? ''
    await first.getByText(say('alerts.own')).waitFor()
    await play.look(first, 'handed-in')
    const { status, compounds: hits } = await alertOf()
    expect([status, hits]).toEqual(['awaiting_approval', Number(compounds)])
  })

  test('a second person approves; it fills the phone of the commander, who acknowledges; map and funnel change', async () => {
    const { say, tell } = play
    const { compounds } = await alertOf()
    await play.watch(first, 'alert')
    await play.painted(first, 'alert', 'no_alert')
    await play.look(first, 'map-before')
    await play.go(second, 'alerts')
    await second.getByRole('button', { name: say('alert_status.awaiting_approval') }).click()
    const approve = second.getByRole('button', { name: say('alerts.approve') })
    const number = second.getByLabel(say('alerts.type_number', { compounds }))
    await number.fill(String(compounds + 1))
    expect(await approve.isDisabled(), 'the number that is typed is not the one that it hits').toBe(true)
    await number.fill(String(compounds))
    const scope = second.getByRole('region', { name: say('alerts.scope') })
    await expect.poll(() => scope.locator('.compounds dd').textContent()).toBe(String(compounds))
    await play.look(second, 'approval')
    await approve.click()

    const screen = commander.getByRole('alertdialog')
    await screen.waitFor()
    expect(await screen.locator('.occasion').textContent()).toContain(play.occasion)
    await play.look(commander, 'alert')
    const bars = second.locator('dl dd .number')
    await second.getByRole('heading', { name: say('alerts.acknowledged', { done: 0, all: compounds }) }).waitFor()
    expect(await bars.last().textContent(), 'nobody has acknowledged').toBe('0')
    await expect.poll(() => play.total(first, 'unacknowledged').textContent()).toBe(String(compounds))
    await play.painted(first, 'alert', 'shown')
    await screen.getByRole('button', { name: tell('alert.ack') }).click()
    await screen.waitFor({ state: 'detached' })
    await second.getByRole('heading', { name: say('alerts.acknowledged', { done: 1, all: compounds }) }).waitFor()
    await expect.poll(() => bars.last().textContent()).toBe('1')
    await expect.poll(() => play.total(first, 'unacknowledged').textContent()).toBe(String(compounds - 1))
    await play.painted(first, 'alert', 'acknowledged')
    await play.look(first, 'map-acknowledged')
    await bars.first().scrollIntoViewIfNeeded()
    await play.look(second, 'funnel')
    await commander.reload()
    await commander.getByText(tell('alert.acked')).waitFor()
    expect(await commander.getByRole('alertdialog').count(), 'what was acknowledged stays so').toBe(0)
    // One more person, and no more compounds: who holds a post does not acknowledge for the compound.
    await volunteer
      .getByRole('alertdialog')
      .getByRole('button', { name: tell('alert.ack') })
      .click()
    await expect.poll(() => bars.last().textContent()).toBe('2')
    await second.getByRole('heading', { name: say('alerts.acknowledged', { done: 1, all: compounds }) }).waitFor()
  })

  test('duty is switched: the map turns, the commander gets the checklist, the volunteer goes on post', async () => {
    const { say, tell } = play
    await play.watch(second, 'mode')
    await play.painted(second, 'mode', 'normal')
    await play.go(first, 'duty')
    for (const area of play.areas.slice(1, 3)) {
      await first.locator('tbody').getByRole('button', { name: area, exact: true }).click()
    }
    const order = first.getByRole('form', { name: say('switch.title') })
    await order.getByText(say('level.II'), { exact: true }).click()
    const preview = order.getByRole('group', { name: say('switch.preview') })
    const compounds = Number(/\d+/.exec((await preview.locator('.count').textContent()) ?? '')?.[0])
    const go = preview.getByRole('button')
    if (real) {
      expect(await go.isDisabled(), 'the real thing asks for the number').toBe(true)
      await preview.getByLabel(say('board.type_count', { count: compounds })).fill(String(compounds))
    }
    await play.look(first, 'switch')
    await go.click()
    await order.getByText(say('switch.done', { compounds, to: say('level.II') })).waitFor()
    await expect.poll(() => play.total(first, 'emergency').textContent()).toBe(String(compounds))
    await play.painted(second, 'mode', 'level_2')
    await play.look(second, 'map-emergency')

    // A reload on the worst night must not take the checklist away.
    const checklist = commander.getByRole('heading', { name: tell('brief.tasks') })
    await checklist.waitFor()
    await commander.reload()
    await checklist.waitFor()
    expect(await commander.locator('.task').count()).toBeGreaterThan(0)
    await play.look(commander, 'checklist')
    await volunteer.getByRole('button', { name: tell('summons.accept') }).waitFor()
    await play.look(volunteer, 'call')
    await volunteer.getByRole('button', { name: tell('summons.accept') }).click()
    await volunteer.getByRole('button', { name: tell('summons.on_post') }).click()
    await volunteer.getByText(tell('call.on_post'), { exact: true }).waitFor()
    const board = first.locator(`dl div:has(dt:text-is("${say('duty.on_post')}")) dd`).last()
    await expect.poll(() => board.textContent()).toBe('1')
    await play.look(first, 'duty')
  })

  test("a volunteer takes a stairwell's roll without a network, also over a reload; each report arrives once", async () => {
    const { tell } = play
    await play.paint(second, 'help')
    await play.painted(second, 'help', 'no_help')
    const sound = (await play.households(incident)).filter(
      ({ flat, needs }) => /^1-1-/.test(flat) && needs.length === 0,
    )
    const flats = sound.slice(0, 3).map(({ flat }) => flat)
    await kept(volunteer, 1)
    await volunteer.context().setOffline(true)
    const door = (nth: number) => volunteer.locator(`article.card:has(h2:text-is("${flats[nth]}"))`)
    const openStairwell = async (): Promise<void> => {
      await volunteer.getByRole('button', { name: tell('roll_open') }).click()
      await volunteer.getByRole('button', { name: /^1-1 / }).click()
    }
    await openStairwell()
    await door(0)
      .getByRole('button', { name: tell('status.safe') })
      .click()
    await door(1)
      .getByRole('button', { name: tell('status.away') })
      .click()
    await door(2)
      .getByRole('button', { name: tell('status.need_help') })
      .click()
    await door(2)
      .getByRole('button', { name: tell('help.trapped') })
      .click()
    await play.look(volunteer, 'door')
    await door(2)
      .getByRole('button', { name: tell('roll.report_help') })
      .click()
    const waiting = volunteer.getByText(tell('outbox.title', { count: 3 }))
    await waiting.waitFor()
    await volunteer.reload()
    await waiting.waitFor()
    await openStairwell()
    await door(1).getByText(tell('status.away')).waitFor()
    await play.look(volunteer, 'roll-offline')
    expect(await play.reports(incident), 'nothing got out yet').toBe(0)
    const madeBefore = Date.now()
    await volunteer.context().setOffline(false)
    await waiting.waitFor({ state: 'detached' })
    await play.painted(second, 'help', 'help_some')
    expect(await play.reports(incident), 'each report arrives once').toBe(3)
    const told = new Map((await play.households(incident)).map(({ flat, report }) => [flat, report]))
    const said = flats.map((flat) => told.get(flat))
    expect(said.map((one) => one?.status)).toEqual(['safe', 'away', { need_help: { kinds: ['trapped'] } }])
    for (const one of said) expect(Date.parse(one?.made_at ?? ''), 'when it was made').toBeLessThanOrEqual(madeBefore)
  })

  test('a household asks for help by the code on its door, and stands first on the board', async () => {
    const { say, tell } = play
    const frail = (await play.households(incident)).find(({ flat, needs }) => !/^1-1-/.test(flat) && needs.length > 0)
    const flat = frail?.flat ?? ''
    const household = await play.page(await play.doorCode(first, flat))
    await household.getByRole('heading', { name: flat }).waitFor()
    await play.look(household, 'household')
    await household.getByRole('button', { name: tell('household.help') }).click()
    await household.getByRole('button', { name: tell('help.supplies') }).click()
    await play.look(household, 'household-help')
    await household.getByRole('button', { name: tell('household.send') }).click()
    await household.getByText(tell('status.need_help')).first().waitFor()
    await expect.poll(() => play.total(first, 'help').textContent()).toBe('2')
    await play.look(household, 'household-said')
    await household.context().close()

    // It is younger, and milder than who is trapped: but somebody frail lives there.
    await play.go(first, 'roll')
    const board = first.getByRole('complementary', { name: say('totals.help') }).getByRole('article')
    await expect.poll(() => board.count()).toBe(2)
    expect(await board.first().getAttribute('aria-label')).toContain(flat)
    await first
      .getByText(/^4 \/ \d+ · \d+ %$/)
      .first()
      .waitFor()
    await play.look(first, 'board')
    await commander
      .getByRole('navigation')
      .getByRole('button', { name: tell('tabs.help') })
      .click()
    await commander.getByText(tell('help_list.title', { count: 2 })).waitFor()
    expect(await commander.locator('article').first().textContent()).toContain(flat)
    await play.look(commander, 'help')
    expect(await play.reports(incident)).toBe(4)
  })
})
