import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Refused } from '../src/shared/api'
import type { Entry } from '../src/phone/outbox/entry'
import { Outbox } from '../src/phone/outbox/outbox'
import type { Sent } from '../src/phone/outbox/drain'
import { ENTRIES_MAX, openOutbox, OutboxFull, OutboxStore } from '../src/phone/outbox/store'

const report = (about: string) => ({ path: '/api/v1/x', body: { about }, epoch: null, about })
const outboxes: Outbox[] = []

/** An outbox whose network does as it is told; remembers what went out. */
async function open(network: (entry: Entry) => Sent, owner = 'me') {
  const sent: string[] = []
  const outbox = new Outbox(await OutboxStore.open(), owner, async (entry) => {
    const result = network(entry)
    if (result.is === 'done') sent.push(entry.id)
    return result
  })
  outboxes.push(outbox)
  await outbox.start()
  return { outbox, sent }
}

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
})
afterEach(() => {
  for (const outbox of outboxes.splice(0)) outbox.stop()
  vi.useRealTimers()
})

test('a report made without a network survives a reload and is sent once, under the same id', async () => {
  const offline = await open(() => ({ is: 'later' }))
  await offline.outbox.add(report('3-2-502'))
  const [kept] = offline.outbox.waiting.value
  expect(kept?.about).toBe('3-2-502')
  offline.outbox.stop()

  const online = await open(() => ({ is: 'done' }))
  await vi.waitFor(() => expect(online.outbox.waiting.value).toEqual([]))
  expect(online.sent).toEqual([kept?.id])
  const third = await open(() => ({ is: 'done' }))
  expect(third.outbox.waiting.value).toEqual([])
  expect(third.sent).toEqual([])
})

test('what waits keeps the time when it was made, oldest first', async () => {
  const { outbox } = await open(() => ({ is: 'later' }))
  vi.useFakeTimers({ now: 1_000, toFake: ['Date'] })
  await outbox.add(report('first'))
  vi.setSystemTime(61_000)
  await outbox.add(report('second'))
  expect(outbox.waiting.value.map(({ about, madeAt }) => [about, madeAt])).toEqual([
    ['first', 1_000],
    ['second', 61_000],
  ])
})

test('a refusal is shown until it was read, and not sent again', async () => {
  let tries = 0
  const why = new Refused('roll_closed', 409, '点名已结束', 'The roll is closed')
  const { outbox } = await open(() => {
    tries += 1
    return { is: 'refused', why }
  })
  await outbox.add(report('a'))
  await vi.waitFor(() => expect(outbox.waiting.value[0]?.refused?.en).toBe('The roll is closed'))
  outbox.hurry()
  await vi.waitFor(() => expect(outbox.waiting.value).toHaveLength(1))
  expect(tries).toBe(1)
  await outbox.dismiss(outbox.waiting.value[0]?.id ?? '')
  expect(outbox.waiting.value).toEqual([])
})

test("another person's reports on this phone are neither shown nor sent", async () => {
  const mine = await open(() => ({ is: 'later' }))
  await mine.outbox.add(report('mine'))
  mine.outbox.stop()
  const theirs = await open(() => ({ is: 'done' }), 'somebody else')
  expect(theirs.outbox.waiting.value).toEqual([])
  expect(theirs.sent).toEqual([])
  const again = await open(() => ({ is: 'later' }))
  expect(again.outbox.waiting.value).toHaveLength(1)
})

test('a hundred reports go out while the network comes and goes, each once', async () => {
  let turn = 0
  const { outbox, sent } = await open(() => ({ is: turn++ % 3 === 0 ? 'done' : 'later' }))
  await Promise.all(Array.from({ length: 100 }, (_, i) => outbox.add(report(String(i)))))
  while (outbox.waiting.value.length > 0) {
    outbox.hurry()
    await new Promise((next) => setImmediate(next))
  }
  expect(new Set(sent).size).toBe(100)
  expect(sent).toHaveLength(100)
})

test('a full outbox says so, and keeps what is in it', async () => {
  const store = await OutboxStore.open()
  const entry = (i: number): Entry => ({ ...report(String(i)), body: '{}', id: String(i), owner: 'me', madeAt: i })
  for (let i = 0; i < ENTRIES_MAX; i++) await store.put(entry(i))
  await expect(store.put(entry(ENTRIES_MAX))).rejects.toBeInstanceOf(OutboxFull)
  await store.put({ ...entry(0), refused: { zh: '', en: '' } })
  expect(await store.all()).toHaveLength(ENTRIES_MAX)
})

test('a phone that can store nothing says so, and still sends', async () => {
  globalThis.indexedDB = {
    open: () => {
      throw new Error('denied')
    },
  } as unknown as IDBFactory
  const store = await openOutbox()
  expect(store.lasts).toBe(false)
  let online = false
  const outbox = new Outbox(store, 'me', async () => ({ is: online ? 'done' : 'later' }))
  outboxes.push(outbox)
  await outbox.add(report('help'))
  expect(outbox.lasts).toBe(false)
  expect(outbox.waiting.value).toHaveLength(1)
  online = true
  outbox.hurry()
  await vi.waitFor(() => expect(outbox.waiting.value).toEqual([]))
})
