import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Refused } from '../src/shared/api'
import { Live, parseReason, type LinkState } from '../src/shared/live'

/** A socket whose other side is the test. */
class FakeSocket {
  static all: FakeSocket[] = []
  readyState = 1
  sent: { type: string; [key: string]: unknown }[] = []
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: ((event: { code: number; reason: string }) => void) | null = null
  constructor() {
    FakeSocket.all.push(this)
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }
  close(): void {
    this.readyState = 3
  }
  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) })
  }
  drop(code = 1006, reason = ''): void {
    this.readyState = 3
    this.onclose?.({ code, reason })
  }
  static get last(): FakeSocket {
    const last = FakeSocket.all.at(-1)
    if (!last) throw new Error('no socket was opened')
    return last
  }
}

const HELLO = {
  type: 'hello',
  protocol: 1,
  epoch: 'e1',
  cursor: '10.1',
  at: '2026-07-11T08:00:00+08:00',
  heartbeat_s: 20,
  resume_wait_ms: 2_000,
  compounds: [],
  grants: [],
}
let states: LinkState[]
let reloads: number
let rights: number

function start(pingMs = 0, watchMap = false, place?: { epoch: string; cursor: string }): Live {
  const socket = () => new FakeSocket() as unknown as WebSocket
  const listener = {
    frame: () => {},
    state: (state: LinkState) => states.push(state),
    reload: () => (reloads += 1),
    rightsChanged: () => (rights += 1),
  }
  const live = new Live({ url: 'ws://test', watchMap, pingMs, place, socket, random: () => 1 }, listener)
  live.start()
  return live
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
  FakeSocket.all = []
  states = []
  reloads = 0
  rights = 0
})
afterEach(() => {
  vi.useRealTimers()
})

test('it resumes from the last event taken in, on the next connection', () => {
  start()
  FakeSocket.last.say(HELLO)
  FakeSocket.last.say({ type: 'event', cursor: '12.3', at: '', event: {} })
  FakeSocket.last.drop()
  expect(states.at(-1)).toMatchObject({ is: 'lost', news: 1_000_000 })
  vi.advanceTimersByTime(500)
  FakeSocket.last.say({ ...HELLO, cursor: '40.1' })
  expect(FakeSocket.last.sent).toContainEqual({ type: 'resume', epoch: 'e1', cursor: '12.3' })
})

test('a place that was kept over a reload is resumed on the first connection', () => {
  start(0, false, { epoch: 'e1', cursor: '7.0' })
  FakeSocket.last.say(HELLO)
  expect(FakeSocket.last.sent).toEqual([{ type: 'resume', epoch: 'e1', cursor: '7.0' }])
})

test('the map goes on from the last whole frame, and begins anew under another epoch', () => {
  start(0, true)
  FakeSocket.last.say(HELLO)
  expect(FakeSocket.last.sent.at(-1)).toEqual({ type: 'watch', what: 'map', since: null })
  FakeSocket.last.say({ type: 'map', position: 20, snapshot: true, more: true, compounds: [] })
  FakeSocket.last.say({ type: 'map', position: 20, snapshot: true, more: false, compounds: [] })
  FakeSocket.last.drop()
  vi.advanceTimersByTime(500)
  FakeSocket.last.say(HELLO)
  expect(FakeSocket.last.sent.at(-1)).toEqual({ type: 'watch', what: 'map', since: { epoch: 'e1', position: 20 } })
  FakeSocket.last.drop()
  vi.advanceTimersByTime(500)
  FakeSocket.last.say({ ...HELLO, epoch: 'e2' })
  expect(FakeSocket.last.sent.at(-1)).toEqual({ type: 'watch', what: 'map', since: null })
})

test('a network that died without a word is noticed within five seconds by a console', () => {
  start(2_000)
  FakeSocket.last.say(HELLO)
  vi.advanceTimersByTime(5_000)
  expect(FakeSocket.all[0]?.sent.some(({ type }) => type === 'ping')).toBe(true)
  expect(states.some(({ is }) => is === 'lost')).toBe(true)
})

test('a phone waits for two and a half heartbeats, and answers them', () => {
  start()
  FakeSocket.last.say(HELLO)
  vi.advanceTimersByTime(49_000)
  expect(states.at(-1)?.is).toBe('live')
  FakeSocket.last.say({ type: 'ping', at: '' })
  expect(FakeSocket.last.sent.at(-1)).toEqual({ type: 'pong' })
  vi.advanceTimersByTime(49_000)
  expect(states.at(-1)?.is).toBe('live')
  vi.advanceTimersByTime(3_000)
  expect(states.at(-1)?.is).toBe('lost')
})

test('it comes back when the server says, and not where the server says not to', () => {
  start()
  FakeSocket.last.say(HELLO)
  FakeSocket.last.drop(1012, '{"code":"come_back","reconnect":true,"after_ms":3120}')
  vi.advanceTimersByTime(3_119)
  expect(FakeSocket.all).toHaveLength(1)
  vi.advanceTimersByTime(1)
  expect(FakeSocket.all).toHaveLength(2)
  FakeSocket.last.say(HELLO)
  FakeSocket.last.drop(4003, '{"code":"signed_out","reconnect":false}')
  vi.advanceTimersByTime(600_000)
  expect(FakeSocket.all).toHaveLength(2)
  expect(states.at(-1)).toMatchObject({ is: 'ended', code: 'signed_out' })
})

test('it tries less and less often while nobody answers', () => {
  start()
  const waits: number[] = []
  for (let i = 0; i < 8; i++) {
    const before = FakeSocket.all.length
    FakeSocket.last.drop()
    let waited = 0
    while (FakeSocket.all.length === before) {
      vi.advanceTimersByTime(100)
      waited += 100
    }
    waits.push(waited)
  }
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000])
})

test('a command is sent again under its id after a cut, and answered once', async () => {
  const live = start()
  FakeSocket.last.say(HELLO)
  const answer = live.order({ acknowledge_alert: { alert: 'a' } }, 3, 'id-1')
  const command = { type: 'command', id: 'id-1', epoch: 3, command: { acknowledge_alert: { alert: 'a' } } }
  expect(FakeSocket.last.sent).toContainEqual(command)
  FakeSocket.last.drop()
  vi.advanceTimersByTime(500)
  FakeSocket.last.say(HELLO)
  expect(FakeSocket.last.sent).toContainEqual(command)
  FakeSocket.last.say({ type: 'answer', id: 'id-1', ok: { position: 44, repeated: true } })
  await expect(answer).resolves.toBe(44)
  const refused = live.order({ acknowledge_alert: { alert: 'a' } }, undefined, 'id-2')
  FakeSocket.last.say({ type: 'answer', id: 'id-2', refused: { code: 'old_epoch', zh: '旧', en: 'old' } })
  await expect(refused).rejects.toEqual(new Refused('old_epoch', 409, '旧', 'old'))
})

test('what was missed and cannot be told is loaded anew', () => {
  start()
  FakeSocket.last.say(HELLO)
  FakeSocket.last.say({ type: 'reload', reason: 'too_old' })
  expect(reloads).toBe(1)
})

test('a reason that is not ours is no reason', () => {
  expect(parseReason('')).toBeUndefined()
  expect(parseReason('going away')).toBeUndefined()
  expect(parseReason('{"code":"bye"}')).toBeUndefined()
})

test('a server that stands still says since when, also to who comes later, and goes on by itself', () => {
  const live = start()
  FakeSocket.last.say(HELLO)
  FakeSocket.last.say({ type: 'picture', as_of: '2026-07-11T08:03:00+08:00' })
  const asOf = Date.parse('2026-07-11T08:03:00+08:00')
  expect(states.at(-1)).toMatchObject({ is: 'standing', asOf })
  // A command is sent all the same: the server's answer is the one that counts.
  void live.order({ close_incident: { incident: 'i' } } as never)
  expect(FakeSocket.last.sent.at(-1)?.type).toBe('command')
  vi.advanceTimersByTime(10_000)
  FakeSocket.last.say({ type: 'ping', at: '' })
  FakeSocket.last.drop()
  expect(states.at(-1)).toMatchObject({ is: 'lost', news: asOf })
  vi.advanceTimersByTime(500)
  FakeSocket.last.say({ ...HELLO, as_of: '2026-07-11T08:03:00+08:00' })
  expect(states.at(-1)).toMatchObject({ is: 'standing', asOf })
  FakeSocket.last.say({ type: 'picture', as_of: null })
  expect(states.at(-1)?.is).toBe('live')
})

test('where rights changed the page is told, and comes back', () => {
  start()
  FakeSocket.last.say(HELLO)
  FakeSocket.last.drop(4004, '{"code":"rights_changed","reconnect":true,"after_ms":100}')
  expect(rights).toBe(1)
  vi.advanceTimersByTime(100)
  FakeSocket.last.say(HELLO)
  expect(states.at(-1)?.is).toBe('live')
})
