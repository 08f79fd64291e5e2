import { expect, test } from 'vitest'
import { Refused } from '../src/shared/api'
import { drain, linesOf, type Sent } from '../src/phone/outbox/drain'
import type { Entry } from '../src/phone/outbox/entry'
import { MemoryStore } from '../src/phone/outbox/store'

const entry = (id: string, line: string, madeAt: number): Entry => ({
  id,
  owner: 'me',
  path: '/check-ins',
  line,
  body: '{}',
  epoch: null,
  madeAt,
  about: line,
})

async function storeOf(...entries: Entry[]): Promise<MemoryStore> {
  const store = new MemoryStore()
  for (const one of entries) await store.put(one)
  return store
}

test('of the reports on one household a later one never overtakes an earlier one', async () => {
  const store = await storeOf(entry('a2', 'a', 2), entry('b1', 'b', 3), entry('a1', 'a', 1))
  const started: string[] = []
  const ended: string[] = []
  let otherLineEnded = (): void => {}
  const otherLine = new Promise<void>((done) => (otherLineEnded = done))
  const left = await drain(store, 'me', async ({ id }) => {
    started.push(id)
    // The first of its line takes longer than all of another line.
    if (id === 'a1') await otherLine
    ended.push(id)
    if (id === 'b1') otherLineEnded()
    return { is: 'done' }
  })
  expect(started.indexOf('a2')).toBeGreaterThan(started.indexOf('a1'))
  expect(ended).toEqual(['b1', 'a1', 'a2'])
  expect(left).toBe(0)
})

test('an entry that the server cannot take now holds up its own line, and no other', async () => {
  const store = await storeOf(
    ...['stuck', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map((id, i) => entry(id, id, i)),
  )
  await store.put(entry('stuck2', 'stuck', 99))
  const sent: string[] = []
  const left = await drain(store, 'me', async ({ id, line }) => {
    sent.push(id)
    return line === 'stuck' ? { is: 'later' } : { is: 'done' }
  })
  expect(left).toBe(2)
  expect(sent).not.toContain('stuck2')
  expect((await store.all()).map(({ id }) => id)).toEqual(['stuck', 'stuck2'])
})

test.each<Sent>([{ is: 'away' }, { is: 'signed_out' }])(
  'when nothing gets through (%o), not all is tried',
  async (sent) => {
    const store = await storeOf(...Array.from({ length: 40 }, (_, i) => entry(String(i), String(i), i)))
    let tries = 0
    const left = await drain(store, 'me', async () => {
      tries += 1
      return sent
    })
    expect(left).toBe(40)
    expect(tries).toBeLessThanOrEqual(8)
  },
)

test('what arrived is forgotten, also when the network dies with another one on its way', async () => {
  const store = await storeOf(entry('a', 'a', 1), entry('b', 'b', 2))
  let die = (): void => {}
  const dead = new Promise<void>((done) => (die = done))
  await drain(store, 'me', async ({ id }) => {
    if (id === 'b') {
      die()
      return { is: 'away' }
    }
    await dead
    return { is: 'done' }
  })
  expect((await store.all()).map(({ id }) => id)).toEqual(['b'])
})

test('a refused report is kept to be read, and the next on the same thing goes on', async () => {
  const store = await storeOf(entry('a1', 'a', 1), entry('a2', 'a', 2))
  const why = new Refused('roll_closed', 409, '点名已结束', 'The roll is closed')
  const left = await drain(store, 'me', async ({ id }) => (id === 'a1' ? { is: 'refused', why } : { is: 'done' }))
  expect(left).toBe(0)
  expect((await store.all()).map(({ id, refused }) => [id, refused?.en])).toEqual([['a1', 'The roll is closed']])
})

test("somebody else's reports are not sent in my name", async () => {
  const store = await storeOf({ ...entry('theirs', 'x', 1), owner: 'somebody else' })
  const sent: string[] = []
  await drain(store, 'me', async ({ id }) => {
    sent.push(id)
    return { is: 'done' }
  })
  expect(sent).toEqual([])
})

test('entries of an earlier version, which name no line, keep their order', () => {
  const old = ['1', '2'].map((id, i) => ({ ...entry(id, '', i), line: undefined }))
  expect(linesOf(old)).toHaveLength(1)
})
