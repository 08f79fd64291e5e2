import { expect, test } from 'vitest'
import { Refused } from '../src/shared/api'
import { Intent, useOrder } from '../src/console/order'

const no = (status: number) => new Refused('no', status, '不行', 'no')

/** Gives an order that is answered so; tells under which id it went out. */
async function given(orders: ReturnType<typeof useOrder>, what: unknown, answer?: Refused): Promise<string> {
  let id = ''
  await orders.give(what, async (header) => {
    id = header['Idempotency-Key']
    if (answer) throw answer
  })
  return id
}

test('while the answer is not known, the same order is the same command', async () => {
  const orders = useOrder()
  const first = await given(orders, { to: 'II' }, no(0))
  expect(orders.fault.value?.status).toBe(0)
  expect(await given(orders, { to: 'II' }, no(503))).toBe(first)
  expect(await given(orders, { to: 'II' })).toBe(first)
  expect(orders.fault.value).toBeNull()
  expect(await given(orders, { to: 'II' }), 'it was answered: this is meant anew').not.toBe(first)
})

test('another order, or one after a no, is another command', async () => {
  const orders = useOrder()
  const first = await given(orders, { to: 'II' }, no(0))
  const other = await given(orders, { to: 'III' }, no(409))
  expect(other).not.toBe(first)
  expect(await given(orders, { to: 'III' })).not.toBe(other)
})

test('a button that is pressed twice gives one order', async () => {
  const orders = useOrder()
  let times = 0
  let finish = (): void => {}
  const taken = new Promise<void>((done) => (finish = done))
  const give = () => orders.give('x', () => (++times, taken))
  const both = Promise.all([give(), give()])
  finish()
  expect(await both).toEqual([true, false])
  expect(times).toBe(1)
})

test('an intent that has not ended keeps its id; another has another', () => {
  const intent = new Intent()
  const first = intent.keyFor({ alert: 'a' })
  expect(intent.keyFor({ alert: 'a' })).toEqual(first)
  expect(intent.keyFor({ alert: 'b' })).not.toEqual(first)
  const again = intent.keyFor({ alert: 'b' })
  intent.end()
  expect(intent.keyFor({ alert: 'b' })).not.toEqual(again)
})
