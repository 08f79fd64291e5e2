import { beforeEach, expect, test } from 'vitest'
import type { CommandBrief } from '../src/shared/schema'
import { checklistOf, LISTS_MAX, useTicks } from '../src/phone/command/ticks'

const brief = (level: string): CommandBrief =>
  ({ incident: 'i', compound: 'c', level, plan: 1, tasks: ['a', 'b'] }) as unknown as CommandBrief

beforeEach(() => localStorage.clear())

test('ticks are there again after a reload, and another level is another checklist', () => {
  const { tick } = useTicks(checklistOf(brief('II')))
  tick(1)
  tick(0)
  tick(1)
  expect([...useTicks(checklistOf(brief('II'))).done.value]).toEqual([0])
  expect([...useTicks(checklistOf(brief('I'))).done.value]).toEqual([])
})

test('a phone keeps the latest checklists and no more', () => {
  for (let n = 0; n <= LISTS_MAX; n++) useTicks(`list ${n}`).tick(0)
  expect(useTicks('list 0').done.value.size).toBe(0)
  expect(useTicks('list 1').done.value.size).toBe(1)
})

test('what cannot be read is as good as nothing', () => {
  localStorage.setItem('muster.ticks', '{')
  expect(useTicks('any').done.value.size).toBe(0)
})
