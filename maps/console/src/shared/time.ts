/** Times as people read them, in the language of the page. */
const two = (n: number): string => String(n).padStart(2, '0')

/** `14:05`, of ms since 1970 or an RFC 3339 text. */
export function clock(at: number | string): string {
  const time = new Date(at)
  return `${two(time.getHours())}:${two(time.getMinutes())}`
}

/** `7-11 14:05`; the year is only said where it is another one. */
export function dayAndClock(at: number | string, now = new Date()): string {
  const time = new Date(at)
  const year = time.getFullYear() === now.getFullYear() ? '' : `${time.getFullYear()}-`
  return `${year}${time.getMonth() + 1}-${time.getDate()} ${clock(at)}`
}
