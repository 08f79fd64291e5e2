// @vitest-environment node
/** The server's own frames (tests/golden/frames, written by its tests) and what the pages make of them. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { shade, shadesOf } from '../src/console/map/paint'
import { awaitsAcknowledgement, Standing, unaccounted, type Totals } from '../src/console/state/standing'
import { apply, empty, pressing, type PhoneState } from '../src/phone/state'
import type { MapState, ServerFrame } from '../src/shared/schema'

const FOLDER = '../../tests/golden/frames'
type MapFrame = Extract<ServerFrame, { type: 'map' }>
type EventFrame = Extract<ServerFrame, { type: 'event' }>

function frames(name: string): ServerFrame[] {
  const lines = readFileSync(`${FOLDER}/${name}.jsonl`, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as ServerFrame)
}
const eventsOf = (name: string): EventFrame[] => frames(name).filter((frame) => frame.type === 'event')

/** The phone after the first event of a kind, or after the last of them. */
function phoneAfter(name: string, me: string, kind: string, last = false): PhoneState {
  const events = eventsOf(name)
  const of = (frame: EventFrame): boolean => kind in frame.event
  const end = last ? events.findLastIndex(of) : events.findIndex(of)
  expect(end, `${name} hears ${kind}`).toBeGreaterThanOrEqual(0)
  return events.slice(0, end + 1).reduce((state, frame) => apply(state, frame.event), empty(me))
}

/** Who acknowledged the alert: the commander themself. */
function commander(): string {
  for (const { event } of eventsOf('commander'))
    if ('alert_acknowledged' in event) return event.alert_acknowledged.person
  throw new Error('nobody acknowledged')
}

test("a commander's phone: the alert presses until acknowledged, then the checklist, then quiet", () => {
  const me = commander()
  const alerted = phoneAfter('commander', me, 'acknowledgement_asked')
  const alert = pressing(alerted, alerted.alerts[0]?.sentAt ?? 0)
  expect(alert?.exercise).toBe(true)
  expect(alert?.infos.map((info) => info.language)).toEqual(['zh-CN', 'en-US'])
  expect(alert?.askedFor[0]?.dueAt).toBe((alert?.sentAt ?? 0) + 300_000)

  const acknowledged = phoneAfter('commander', me, 'alert_acknowledged')
  expect(pressing(acknowledged, alert?.sentAt ?? 0)).toBeUndefined()

  const raised = phoneAfter('commander', me, 'command_brief')
  expect(raised.briefs).toHaveLength(1)
  expect(raised.briefs[0]?.tasks.length).toBeGreaterThan(2)
  expect(raised.briefs[0]?.level).toBe('II')

  const updated = phoneAfter('commander', me, 'acknowledgement_asked', true)
  expect(updated.alerts).toHaveLength(1)
  expect(pressing(updated, alert?.sentAt ?? 0)?.id).not.toBe(alert?.id)

  const over = phoneAfter('commander', me, 'stood_down')
  expect(over.briefs).toEqual([])
  expect(over.alerts.map((one) => one.cancels)).toEqual([true])
})

test("a post-holder's phone: called by the plan, and let go when all stand down", () => {
  const called = phoneAfter('post_holder', 'me', 'your_call')
  expect(called.calls).toHaveLength(1)
  expect(called.calls[0]?.state).toBe('called')
  expect(called.calls[0]?.duty?.emergency_duty).toMatch(/\p{Script=Han}/u)
  expect(phoneAfter('post_holder', 'me', 'stood_down').calls).toEqual([])
})

/** The totals, counted over all compounds each time. */
function counted(compounds: Iterable<MapState>): Totals {
  const all = [...compounds]
  const sum = (of: (state: MapState) => number): number => all.reduce((total, state) => total + of(state), 0)
  return {
    compounds: all.length,
    emergency: sum(({ emergency }) => +emergency),
    silent: sum(({ silent }) => +silent),
    help: sum(({ help_open }) => help_open),
    unacknowledged: sum((state) => +awaitsAcknowledgement(state)),
    unaccounted: sum(unaccounted),
    exercise: sum(({ emergency, exercise }) => +(emergency && exercise)),
  }
}

test("a dispatcher's map: running totals are what a count over all compounds finds after each frame", () => {
  const standing = new Standing()
  const seen: Totals[] = []
  for (const frame of frames('dispatcher').filter((one): one is MapFrame => one.type === 'map')) {
    standing.take(frame)
    expect(standing.totals).toEqual(counted(standing.compounds.values()))
    seen.push({ ...standing.totals })
  }
  expect(standing.compounds.size).toBe(12)
  const most = (total: keyof Totals): number => Math.max(...seen.map((totals) => totals[total]))
  expect(most('unacknowledged'), 'both compounds, before the commander answered').toBe(2)
  expect([most('emergency'), most('exercise'), most('help'), most('silent')]).toEqual([1, 1, 1, 1])
  expect(seen.at(-1)).toMatchObject({ emergency: 0, exercise: 0, help: 0, silent: 0, unaccounted: 0 })
})

test('each state that the server tells has a shade of each paint', () => {
  const shades = { mode: new Set<number>(), alert: new Set<number>(), roll: new Set<number>(), help: new Set<number>() }
  for (const frame of frames('dispatcher')) {
    if (frame.type !== 'map') continue
    for (const state of frame.compounds) {
      for (const [paint, found] of Object.entries(shades) as [keyof typeof shades, Set<number>][]) {
        const index = shade(paint, state)
        expect(shadesOf(paint)[index]).toBeDefined()
        found.add(index)
      }
    }
  }
  expect([...shades.mode].sort()).toEqual([0, 3])
  expect([...shades.alert].sort()).toEqual([0, 1, 2, 3, 4])
  expect([...shades.help].sort()).toEqual([0, 1])
  expect(shades.roll.has(4)).toBe(true)
})
