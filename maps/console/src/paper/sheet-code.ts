/**
 * The code on a roll sheet of paper: which incident, which stairwell, which page. Digits only, so that it can be typed on a number
 * pad and read out over a bad line; the QR code beside it holds the same digits.
 *
 * ```text
 * 140403001001001 003 02 001 48213 57     compound │ building │ stairwell │ page │ incident │ check digits
 * ```
 */
import { checks, withCheckDigits } from './check-digits'

/** What a sheet is for. */
export interface SheetId {
  /** 15 digits. */
  compound: string
  /** 1 to 999. */
  building: number
  /** Stairwell, 1 to 99. */
  unit: number
  /** 1 to 999. */
  page: number
  /** [`incidentNo`], or 0 for a sheet that was printed before there was any incident. */
  incident: number
}

/** Why a code cannot be read. */
export type CodeFault = 'empty' | 'not_digits' | 'too_short' | 'too_long' | 'damaged' | 'no_place'

const PARTS = { compound: 15, building: 3, unit: 2, page: 3, incident: 5 }
export const CODE_DIGITS = 30
/** Digits that are printed together. */
const GROUP = 5
/** Groups of a line. */
const GROUPS = 3
/** Numbers that incidents have on paper: 1 to this. */
const INCIDENTS = 99_999

/** The number of an incident on paper, by the random end of its id. Two may share one: whoever reads it asks which is meant. */
export function incidentNo(id: string): number {
  return (Number.parseInt(id.replaceAll('-', '').slice(-8), 16) % INCIDENTS) + 1
}

const filled = (number: number, digits: number): string => String(number).padStart(digits, '0')

/** The code of a sheet, 30 digits. */
export function encode(sheet: SheetId): string {
  const { building, unit, page, incident } = PARTS
  return withCheckDigits(
    sheet.compound +
      filled(sheet.building, building) +
      filled(sheet.unit, unit) +
      filled(sheet.page, page) +
      filled(sheet.incident, incident),
  )
}

/** As it is printed, and typed: two lines of `14040 30010 01001`; fewer while it is not whole. */
export function codeLines(digits: string): string[] {
  const groups = digits.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? []
  return [groups.slice(0, GROUPS), groups.slice(GROUPS)].filter((line) => line.length > 0).map((line) => line.join(' '))
}

/** Where a phone that scans the sheet goes. What follows `#` is sent to nobody. */
export const sheetUrl = (origin: string, code: string): string => `${origin}/m/sheet#${code}`

/** The digits of what was typed or scanned: spaces and dashes, full-width digits and a whole link are taken, too. */
export function digitsOf(typed: string): string {
  return (typed.normalize('NFKC').split('#').at(-1) ?? '').replaceAll(/[\s-]/g, '')
}

/** What a sheet is for, or what is wrong with its code. */
export function decode(typed: string): SheetId | CodeFault {
  const digits = digitsOf(typed)
  if (digits === '') return 'empty'
  if (!/^\d+$/.test(digits)) return 'not_digits'
  if (digits.length !== CODE_DIGITS) return digits.length < CODE_DIGITS ? 'too_short' : 'too_long'
  if (!checks(digits)) return 'damaged'
  let at = PARTS.compound
  const next = (length: number): number => Number(digits.slice(at, (at += length)))
  const sheet = {
    compound: digits.slice(0, PARTS.compound),
    building: next(PARTS.building),
    unit: next(PARTS.unit),
    page: next(PARTS.page),
    incident: next(PARTS.incident),
  }
  const somewhere = !sheet.compound.startsWith('0') && sheet.building > 0 && sheet.unit > 0 && sheet.page > 0
  return somewhere ? sheet : 'no_place'
}
