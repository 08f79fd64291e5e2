/** Which sheets were entered on this phone: whoever takes the same one from the pile again is told. */

const KEPT = 'muster.sheets'
/** Sheets that are remembered; the oldest is forgotten first. */
const SHEETS_MAX = 200

/** Code and incident of a sheet, and when it was entered here, ms since 1970. */
type Entered = [sheet: string, at: number][]

const keyOf = (code: string, incident: string): string => `${code}/${incident}`

function read(): Entered {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '[]')
    return Array.isArray(kept) ? (kept as Entered) : []
  } catch {
    return []
  }
}

/** When the sheet was entered on this phone; `null` if it was not, or the phone keeps nothing. */
export function enteredAt(code: string, incident: string): number | null {
  return read().find(([sheet]) => sheet === keyOf(code, incident))?.[1] ?? null
}

export function rememberEntered(code: string, incident: string, at: number): void {
  const others = read().filter(([sheet]) => sheet !== keyOf(code, incident))
  try {
    localStorage.setItem(KEPT, JSON.stringify([...others, [keyOf(code, incident), at]].slice(-SHEETS_MAX)))
  } catch {
    // A phone that keeps nothing does not warn; the server still takes the same report once.
  }
}
