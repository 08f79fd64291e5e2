import { expect, test } from 'vitest'
import type { CommandBrief, NoticeBody, OwnAlert, PlaceView } from '../src/shared/schema'
import { acknowledged, alertFromView, apply, empty, pressing, stillAcknowledged } from '../src/phone/state'

const REAL = { exercise: false, occasion: { zh: '真实', en: 'REAL' } }
const at = (ms: number): number => ms * 1_000

function alert(id: string, kind: object | string = 'alert'): NoticeBody {
  const content = { hazard: 'flood', colour: 'red', expires: at(9_000), infos: [] }
  const identity = { identifier: id, sender: 's', sent: at(1_000) }
  const notice = { alert: id, incident: 'i', kind, identity, content, break_glass: false }
  return { ...REAL, alert: notice } as unknown as NoticeBody
}
const play = (...events: NoticeBody[]) => events.reduce(apply, empty('me'))

test('an alert presses until this person acknowledged it, and no longer than it holds', () => {
  const state = play(alert('a'))
  expect(pressing(state, 8_999)?.id).toBe('a')
  expect(pressing(state, 9_000)).toBeUndefined()
  expect(pressing(acknowledged(state, 'a'), 2_000)).toBeUndefined()
  const theirs = { ...REAL, alert_acknowledged: { alert: 'a', compound: 'c', person: 'somebody' } } as NoticeBody
  expect(pressing(apply(state, theirs), 2_000)?.id).toBe('a')
  const mine = { ...REAL, alert_acknowledged: { alert: 'a', compound: 'c', person: 'me' } } as NoticeBody
  expect(pressing(apply(state, mine), 2_000)).toBeUndefined()
})

test('an alert read over HTTP is the one that is told live', () => {
  const asked = { alert: 'a', compound: 'c', epoch: 1, due_at: at(3_000) }
  const told = play(alert('a'), { ...REAL, acknowledgement_asked: asked } as NoticeBody)
  const read = alertFromView({
    ...REAL,
    alert: 'a',
    kind: 'alert',
    sent: '1970-01-01T08:00:01+08:00',
    content: { hazard: 'flood', colour: 'red', expires: '1970-01-01T08:00:09+08:00', infos: [] },
    acknowledged: false,
    asked: [{ compound: 'c', due_at: '1970-01-01T08:00:03+08:00' }],
  } as unknown as OwnAlert)
  expect([read]).toEqual(told.alerts)
})

test('what this person acknowledged stays so when all is read anew, and only for them', () => {
  const read = play(alert('a'), alert('b'))
  const before = acknowledged(play(alert('a')), 'a')
  const after = stillAcknowledged(before, read)
  expect(after.alerts.map(({ id, acknowledged }) => [id, acknowledged])).toEqual([
    ['b', false],
    ['a', true],
  ])
  expect(pressing(stillAcknowledged({ ...before, me: 'somebody' }, play(alert('a'))), 2_000)?.id).toBe('a')
})

test('an alert that is told again, as after a snapshot, stays acknowledged', () => {
  const state = acknowledged(play(alert('a')), 'a')
  expect(pressing(apply(state, alert('a')), 2_000)).toBeUndefined()
})

test('an update and a cancel take the place of what they replace, and press anew', () => {
  const state = acknowledged(play(alert('a')), 'a')
  const updated = apply(state, alert('b', { update: { replaces: 'a' } }))
  expect(updated.alerts.map(({ id }) => id)).toEqual(['b'])
  expect(pressing(updated, 2_000)?.id).toBe('b')
  expect(apply(updated, alert('c', { cancel: { replaces: 'b' } })).alerts[0]?.cancels).toBe(true)
})

test('the earliest time to acknowledge by is kept for each compound', () => {
  const asked = (compound: string, due: number) =>
    ({ ...REAL, acknowledgement_asked: { alert: 'a', compound, epoch: 1, due_at: at(due) } }) as NoticeBody
  const state = play(alert('a'), asked('c', 3_000), asked('d', 2_000), asked('c', 4_000))
  expect(state.alerts[0]?.askedFor).toEqual([
    { compound: 'd', dueAt: 2_000 },
    { compound: 'c', dueAt: 4_000 },
  ])
})

test('a call goes from called to on post, and goes when it ends or all stand down', () => {
  const duty = { title_zh: '', title_en: '', emergency_duty: '' }
  const call = {
    ...REAL,
    your_call: { post: 'c/1', incident: 'i', level: 'II', duty, answer_by: at(5_000) },
  } as NoticeBody
  const answer = { ...REAL, call_answered: { post: 'c/1', person: 'me', answer: 'on_post' } } as unknown as NoticeBody
  expect(play(call, answer).calls[0]?.state).toBe('on_post')
  const ended = { ...REAL, your_call_ended: { post: 'c/1' } } as NoticeBody
  expect(play(call, ended).calls).toEqual([])
  const other = { ...REAL, stood_down: { incident: 'j', title: '', hazard: 'flood' } } as unknown as NoticeBody
  expect(play(call, other).calls).toHaveLength(1)
})

test('who commands, and to whom it is offered, follows from what is told', () => {
  const place = { compound: 'c', rank: 2, in_command: false, epoch: 1, offered: false } as unknown as PlaceView
  const start = { ...empty('me'), places: [place] }
  const offered = apply(start, { ...REAL, command_offered: { compound: 'c', to: 'me', epoch: 1 } } as NoticeBody)
  expect(offered.places[0]?.offered).toBe(true)
  const changed = (person: string) =>
    ({ ...REAL, command_changed: { compound: 'c', holder: { person }, epoch: 2 } }) as NoticeBody
  expect(apply(offered, changed('me')).places[0]).toMatchObject({ in_command: true, offered: false, epoch: 2 })
  expect(apply(offered, changed('somebody')).places[0]).toMatchObject({ in_command: false, offered: false, epoch: 2 })
})

test("the commander's counts follow each answer", () => {
  const brief = { compound: 'c', incident: 'i', duty: { on_post: 0 }, vacant_posts: [3] } as unknown as CommandBrief
  const answer = { post: 'c#1', person: 'somebody', answer: 'on_post', duty: { on_post: 1 }, vacant_posts: [] }
  const told = apply({ ...empty('me'), briefs: [brief] }, { ...REAL, call_answered: answer } as unknown as NoticeBody)
  expect(told.briefs[0]).toMatchObject({ duty: { on_post: 1 }, vacant_posts: [] })
})
