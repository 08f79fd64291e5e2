/** Times as people read them: on the clock of the city, wherever the device thinks that it is. */

/** Minutes by which the city is ahead of UTC; China's time until the server said otherwise. */
let offsetMin = 480

/** Takes the city's offset from a time that the server wrote (RFC 3339 with offset). */
export function takeOffset(rfc3339: string): void {
  const found = /([+-])(\d\d):(\d\d)$/.exec(rfc3339)
  if (found) offsetMin = (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3]))
}

const two = (n: number): string => String(n).padStart(2, '0')

/** Its UTC fields are the city's wall clock. */
const wall = (at: number | string): Date => new Date(new Date(at).getTime() + offsetMin * 60_000)

/** `14:05`, of ms since 1970 or an RFC 3339 text. */
export function clock(at: number | string): string {
  const time = wall(at)
  return `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}`
}

/** `14:05:33`. */
export function clockWithSeconds(at: number | string): string {
  return `${clock(at)}:${two(wall(at).getUTCSeconds())}`
}

/** `7-11 14:05`; the year is only said where it is another one. */
export function dayAndClock(at: number | string, now: number = Date.now()): string {
  const time = wall(at)
  const year = time.getUTCFullYear() === wall(now).getUTCFullYear() ? '' : `${time.getUTCFullYear()}-`
  return `${year}${time.getUTCMonth() + 1}-${time.getUTCDate()} ${clock(at)}`
}

/** `2026-11-24T14:05`: the city's wall clock as a form's field for date and time has it. */
export const wallClock = (at: number | string): string => wall(at).toISOString().slice(0, 16)

/** Back from there, ms since 1970; not a number when the field is empty. */
export const fromWallClock = (text: string): number => Date.parse(`${text}Z`) - offsetMin * 60_000

/** `4:05` or `1:04:05`, of seconds; nothing below zero. */
export function lasting(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60]
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`
}

/** As short as can be: `14:05` today, with the day where it is another one. */
export function clockOrDay(at: number, now: number = Date.now()): string {
  const sameDay = wall(at).toISOString().slice(0, 10) === wall(now).toISOString().slice(0, 10)
  return sameDay ? clock(at) : dayAndClock(at, now)
}

/** `2026-11-24 14:05:33`, for what is kept. */
export function dayAndSecond(at: number | string): string {
  return wall(at).toISOString().slice(0, 19).replace('T', ' ')
}
