import { describe, expect, test } from 'vitest'
import { Refused } from '../src/shared/api'
import type { Grant, PlanView } from '../src/shared/schema'
import {
  draftOf,
  emptyLevel,
  formOf,
  inOrder,
  nextVersion,
  wrongWith,
} from '../src/console/records/compounds/plan-draft'
import { fieldOf } from '../src/console/records/field-fault'
import { columnsOf, KINDS, sampleFile } from '../src/console/records/imports/kinds'
import { fileOfArea } from '../src/console/records/imports/send'
import { makePassword } from '../src/console/records/passwords'
import { holds } from '../src/console/records/rights'

test('a grant covers what lies in its area, and no more', () => {
  const grants: Grant[] = [{ role: 'dispatcher', area: '140403001' }]
  expect(holds(grants, ['dispatcher'], '140403001001001')).toBe(true)
  expect(holds(grants, ['dispatcher'], '140403001')).toBe(true)
  expect(holds(grants, ['dispatcher'], '140403'), "a street's grant is not the county's").toBe(false)
  expect(holds(grants, ['administrator', 'observer'], '140403001')).toBe(false)
})

describe('a plan while it is written', () => {
  const base: PlanView = {
    hazard: 'flood',
    version: 3,
    status: 'approved',
    at: '2026-11-24T10:00:00+08:00',
    levels: [
      { level: 'III', teams: ['rescue'], tasks: ['看水位'], message: '注意', roll_call: false, answer_limit_s: 60 },
      { level: 'I', teams: ['rescue'], tasks: ['撤离', '断电'], message: '撤离', roll_call: true, answer_limit_s: 120 },
    ],
  }

  test('is what it was, gravest level first', () => {
    const levels = [base.levels[1], base.levels[0]]
    expect(formOf(draftOf(base))).toEqual({ hazard: 'flood', levels })
    expect(nextVersion([base], 'flood')).toBe(4)
    expect(nextVersion([base], 'fire')).toBe(1)
  })

  test('does not change what it was made from', () => {
    const draft = draftOf(base)
    draft.levels[0]?.teams.push('medical')
    expect(base.levels[1]?.teams).toEqual(['rescue'])
  })

  test('takes the lines of its tasks, without empty ones', () => {
    const level = { ...emptyLevel('II'), tasks: ' 通知 \n\n  \n转移\n', message: ' 请准备 ' }
    const [written] = formOf({ hazard: 'fire', levels: [level] }).levels
    expect([written?.tasks, written?.message]).toEqual([['通知', '转移'], '请准备'])
    expect(wrongWith(level)).toEqual([])
    expect(inOrder([emptyLevel('IV'), emptyLevel('I')]).map((one) => one.level)).toEqual(['I', 'IV'])
  })

  test('says what is missing and what is too much', () => {
    expect(wrongWith({ ...emptyLevel('I'), teams: [] })).toEqual(['teams_none', 'tasks_none', 'message_none'])
    const many = { ...emptyLevel('I'), message: 'x', tasks: '项\n'.repeat(51) }
    expect(wrongWith(many)).toEqual(['tasks_many'])
    expect(wrongWith({ ...many, tasks: '长'.repeat(1_001) })).toEqual(['task_long'])
  })
})

test('a refusal stands at the field that it names', () => {
  const fields = ['login', 'name', 'area'] as const
  const of = (code: string, en: string) => fieldOf(new Refused(code, 422, '', en), fields, { login: ['bad_login'] })
  expect(of('bad_login', 'A login has 3 to 64 letters.')).toBe('login')
  expect(of('bad_text', 'name must not be empty and has at most 64 characters.')).toBe('name')
  expect(of('journal_unavailable', 'Try again.')).toBeNull()
  expect(fieldOf(null, fields, {})).toBeNull()
})

test('a made password is long enough, can be read out, and is another each time', () => {
  const made = Array.from({ length: 50 }, makePassword)
  for (const password of made) expect(password).toMatch(/^([a-hj-km-np-z2-9]{4}-){3}[a-hj-km-np-z2-9]{4}$/)
  expect(new Set(made).size).toBe(made.length)
})

test('a name with commas and quotes stays one cell', async () => {
  expect(await fileOfArea('140403998', '甲,"乙"街道').text()).toBe('code,name\n140403998,"甲,""乙""街道"\n')
})

test('each kind has an example, which spreadsheets read as Chinese', async () => {
  for (const kind of KINDS) {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(await sampleFile(kind).arrayBuffer())
    expect(text.startsWith('\uFEFF'), kind.file).toBe(kind.file.endsWith('.csv'))
    expect(text.length).toBeGreaterThan(50)
  }
  const people = KINDS.find((one) => one.kind === 'people')
  expect(people && columnsOf(people)).toContain('姓名')
})
