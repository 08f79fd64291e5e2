import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, nextTick, shallowRef } from 'vue'
import { useRinging, type Cause } from '../src/phone/ring'

const vibrate = vi.fn<(pattern: number | number[]) => boolean>(() => true)
/** Times that the phone shook, without the times that it was told to stop. */
const shaken = (): number => vibrate.mock.calls.filter(([pattern]) => pattern !== 0).length

beforeEach(() => {
  vi.useFakeTimers()
  vibrate.mockClear()
  Object.defineProperty(navigator, 'vibrate', { value: vibrate, configurable: true })
})
afterEach(() => vi.useRealTimers())

test('an alert rings again and again, until it is silenced; the next one rings anew', async () => {
  const cause = shallowRef<Cause | null>({ key: 'a', exercise: false })
  const scope = effectScope()
  const { silence } = scope.run(() => useRinging(cause))!
  expect(shaken()).toBe(1)
  vi.advanceTimersByTime(60_000)
  expect(shaken()).toBe(16)
  silence()
  await nextTick()
  vi.advanceTimersByTime(60_000)
  expect(shaken()).toBe(16)
  cause.value = { key: 'b', exercise: false }
  await nextTick()
  expect(shaken()).toBe(17)
  cause.value = null
  await nextTick()
  vi.advanceTimersByTime(60_000)
  expect(shaken(), 'answered: it is quiet').toBe(17)
  scope.stop()
})

test('an exercise shakes otherwise than the real thing', () => {
  const pattern = (exercise: boolean) => {
    vibrate.mockClear()
    const scope = effectScope()
    scope.run(() => useRinging(shallowRef<Cause | null>({ key: 'a', exercise })))
    scope.stop()
    return vibrate.mock.calls.find(([one]) => one !== 0)?.[0]
  }
  expect(pattern(true)).not.toEqual(pattern(false))
})
