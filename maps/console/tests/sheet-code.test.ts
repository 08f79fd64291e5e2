import { expect, test } from 'vitest'
import { checks, withCheckDigits } from '../src/paper/check-digits'
import { CODE_DIGITS, codeLines, decode, encode, incidentNo, sheetUrl, type SheetId } from '../src/paper/sheet-code'

const SHEET: SheetId = { compound: '140403001001001', building: 3, unit: 2, page: 1, incident: 48_213 }

/** Sheets of every size, without chance: a failure is the same on every machine. */
function* sheets(count: number): Generator<SheetId> {
  let seed = 1404
  const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
  for (let i = 0; i < count; i++) {
    yield {
      compound: String(100_000_000_000_000 + next(2_000_000_000) * 449_999),
      building: next(999) + 1,
      unit: next(99) + 1,
      page: next(999) + 1,
      incident: next(100_000),
    }
  }
}

test('the check digits are those of the standard', () => {
  // The example of ISO/IEC 7064, and an IBAN with its letters as numbers, country and check digits last.
  expect(withCheckDigits('794')).toBe('79444')
  expect(checks('3214282912345698765432161182')).toBe(true)
})

test('what is encoded is read back, with spaces, dashes, full-width digits and as a link', () => {
  for (const sheet of [SHEET, ...sheets(500)]) {
    const code = encode(sheet)
    expect(code).toMatch(/^\d{30}$/)
    expect(code).toHaveLength(CODE_DIGITS)
    expect(decode(code)).toEqual(sheet)
    expect(decode(` ${codeLines(code).join('\n')}\n`)).toEqual(sheet)
    expect(decode(sheetUrl('https://muster.example', code))).toEqual(sheet)
    expect(decode(code.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))))).toEqual(sheet)
  }
})

test('a code is printed in two lines of three groups', () => {
  expect(codeLines(encode(SHEET)).map((line) => line.length)).toEqual([17, 17])
  expect(codeLines('1404030')).toEqual(['14040 30'])
  expect(codeLines('')).toEqual([])
})

test('each wrong digit is found', () => {
  for (const sheet of [SHEET, ...sheets(20)]) {
    const code = encode(sheet)
    for (let at = 0; at < code.length; at++)
      for (const digit of '0123456789') {
        if (digit === code[at]) continue
        expect(decode(code.slice(0, at) + digit + code.slice(at + 1)), `${code} at ${at}: ${digit}`).toBe('damaged')
      }
  }
})

test('each swap of neighbours is found', () => {
  let swaps = 0
  for (const sheet of [SHEET, ...sheets(200)]) {
    const code = encode(sheet)
    for (let at = 0; at + 1 < code.length; at++) {
      const [a = '', b = ''] = code.slice(at, at + 2)
      if (a === b) continue
      swaps += 1
      expect(decode(code.slice(0, at) + b + a + code.slice(at + 2)), `${code} at ${at}`).toBe('damaged')
    }
  }
  expect(swaps).toBeGreaterThan(4_000)
})

test('a digit too few or too many is said as such', () => {
  const code = encode(SHEET)
  for (let at = 0; at < code.length; at++) {
    expect(decode(code.slice(0, at) + code.slice(at + 1))).toBe('too_short')
    expect(decode(`${code.slice(0, at)}7${code.slice(at)}`)).toBe('too_long')
  }
})

test('what is no code at all is said in other words', () => {
  expect(decode('')).toBe('empty')
  expect(decode('https://muster.example/m/sheet#')).toBe('empty')
  expect(decode(encode(SHEET).replace('4', 'A'))).toBe('not_digits')
  for (const part of [{ building: 0 }, { unit: 0 }, { page: 0 }, { compound: '040403001001001' }])
    expect(decode(encode({ ...SHEET, ...part }))).toBe('no_place')
})

test('an incident has a number on paper, never that of no incident', () => {
  expect(incidentNo('0192f0c1-aaaa-7bbb-8ccc-000000000000')).toBe(1)
  expect(incidentNo('0192f0c1-aaaa-7bbb-8ccc-0000ffffffff')).toBe((0xffffffff % 99_999) + 1)
  expect(incidentNo('0192F0C1-AAAA-7BBB-8CCC-00000001869E')).toBe(incidentNo('0192f0c1-aaaa-7bbb-8ccc-00000001869e'))
  expect(incidentNo('0192f0c1-aaaa-7bbb-8ccc-00000001869e')).toBe(99_999)
})
