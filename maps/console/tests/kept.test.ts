import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  AGE_MAX_MS,
  HOUSEHOLDS_MAX,
  type Kept,
  type KeptHousehold,
  type KeptRoll,
  type Picture,
} from '../src/phone/kept/kept'
import { keyOfLink } from '../src/phone/kept/link'
import { withOwnWord } from '../src/phone/own-word'
import { empty } from '../src/phone/state'

const ROLL = { incident: 'flood', compound: '140403103001001' }

/** A phone of its own: nothing is kept on it yet. */
async function freshPhone(): Promise<Kept> {
  vi.resetModules()
  const module = await import('../src/phone/kept/kept')
  return module.openKept()
}

// Only what the store looks at is filled in.
const picture = (me: string, emergency: boolean): Picture =>
  ({
    at: Date.now(),
    view: { places: [] },
    state: {
      ...empty(me),
      places: [
        { compound: ROLL.compound, mode: emergency ? { emergency: { incident: 'flood', level: 'II' } } : 'normal' },
      ],
    },
  }) as unknown as Picture
const roll = (): KeptRoll => ({ ...ROLL, at: Date.now(), rows: [] }) as unknown as KeptRoll

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
})
afterEach(() => {
  vi.useRealTimers()
})

test('the picture and its rolls are there after a reload', async () => {
  const before = await freshPhone()
  await before.keepPicture(picture('me', true))
  await before.keepRoll(roll())
  const after = await freshPhone()
  expect((await after.picture())?.state.me).toBe('me')
  expect(await after.roll(ROLL)).toBeDefined()
})

test('a roll goes with its emergency', async () => {
  const kept = await freshPhone()
  await kept.keepPicture(picture('me', true))
  await kept.keepRoll(roll())
  await kept.keepPicture(picture('me', false))
  expect(await kept.roll(ROLL)).toBeUndefined()
})

test('who signs out leaves nothing, and a roll that comes late is not kept for them', async () => {
  const kept = await freshPhone()
  await kept.keepPicture(picture('me', true))
  await kept.keepRoll(roll())
  await kept.forgetHolder()
  await kept.keepRoll(roll())
  expect([await kept.picture(), await kept.roll(ROLL)]).toEqual([undefined, undefined])
})

test('the next person on the phone finds nothing of the one before', async () => {
  const kept = await freshPhone()
  await kept.keepPicture(picture('me', true))
  await kept.keepRoll(roll())
  await kept.keepPicture(picture('you', true))
  expect(await kept.roll(ROLL)).toBeUndefined()
  expect((await kept.picture())?.state.me).toBe('you')
})

test('what is too old is not shown', async () => {
  const kept = await freshPhone()
  await kept.keepPicture(picture('me', true))
  vi.useFakeTimers({ now: Date.now() + AGE_MAX_MS + 1, toFake: ['Date'] })
  expect(await kept.picture()).toBeUndefined()
})

test('a phone keeps a few households, the latest, under a name that does not give the link away', async () => {
  const kept = await freshPhone()
  for (let i = 0; i <= HOUSEHOLDS_MAX; i++) {
    const household = { at: Date.now() + i, view: {} } as KeptHousehold
    await kept.keepHousehold(String(i), household)
  }
  expect(await kept.household('0')).toBeUndefined()
  expect(await kept.household(String(HOUSEHOLDS_MAX))).toBeDefined()
  await kept.forgetHousehold(String(HOUSEHOLDS_MAX))
  expect(await kept.household(String(HOUSEHOLDS_MAX))).toBeUndefined()
  const key = await keyOfLink('secret-of-a-household')
  expect(key).toMatch(/^[0-9a-f]{64}$/)
  expect(await keyOfLink('another')).not.toBe(key)
})

test('a phone that keeps nothing is asked for nothing', async () => {
  globalThis.indexedDB = {
    open: () => {
      throw new Error('denied')
    },
  } as unknown as IDBFactory
  const kept = await freshPhone()
  await kept.keepPicture(picture('me', true))
  expect(await kept.picture()).toBeUndefined()
})

test('what I said stands on my screen before the server has it, and no more once it was refused', () => {
  const call = { post: 'p#1', incident: 'flood', state: 'called' as const, answerBy: 0, duty: null }
  const alert = { id: 'a', acknowledged: false, askedFor: [] }
  const state = { ...empty('me'), calls: [call], alerts: [alert] } as unknown as Parameters<typeof withOwnWord>[0]
  const said = (path: string, body: unknown, refused = false) => ({
    id: path,
    owner: 'me',
    path,
    body: JSON.stringify(body),
    epoch: null,
    madeAt: 0,
    about: '',
    ...(refused ? { refused: { zh: '', en: '' } } : {}),
  })
  const answers = ['acknowledged', 'on_post'].map((answer) => said('/api/v1/calls/answer', { post: 'p#1', answer }))
  const after = withOwnWord(state, [said('/api/v1/alerts/a/acknowledge', {}), ...answers])
  expect([after.alerts[0]?.acknowledged, after.calls[0]?.state]).toEqual([true, 'on_post'])
  const refused = withOwnWord(state, [said('/api/v1/alerts/a/acknowledge', {}, true)])
  expect(refused.alerts[0]?.acknowledged).toBe(false)
})
