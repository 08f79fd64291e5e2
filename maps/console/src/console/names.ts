/** Names of compounds by their codes: the map and the log know codes only. Each is asked for once, until the page is left. */
import { shallowReactive, watch } from 'vue'
import { api, Refused, take } from '../shared/api'

const names = shallowReactive(new Map<string, string>())
const asked = new Map<string, Promise<void>>()
/** Digits of a community's code. Its compounds are asked for at once: who wants one mostly wants its neighbours too. */
const COMMUNITY = 12
/** Digits of a compound's code. */
const COMPOUND = 15
/** Compounds of a community that are asked for at once; of a larger one the others are asked for one by one. */
const PAGE = 500

/** What the compound is called; its code where that is not known. */
export const nameOf = (code: string): string => names.get(code) ?? code

/** Asks for names that are not known yet. @throws Refused */
export async function readNames(codes: readonly string[]): Promise<void> {
  const unknown = codes.filter((code) => code.length === COMPOUND && !names.has(code))
  const communities = [...new Set(unknown.map((code) => code.slice(0, COMMUNITY)))]
  await Promise.all(communities.map((area) => once(area, () => readCommunity(area))))
  const missing = unknown.filter((code) => !names.has(code))
  await Promise.all(missing.map((code) => once(code, () => readOne(code))))
}

/** Keeps the names of these compounds at hand. */
export function useNames(codes: () => readonly string[]): (code: string) => string {
  watch(codes, (now) => readNames(now).catch(leaveCodes), { immediate: true })
  return nameOf
}

/** Where a name cannot be read its code stands; the banner says when the server is away. */
function leaveCodes(why: unknown): void {
  if (!(why instanceof Refused)) throw why
}

function once(what: string, read: () => Promise<void>): Promise<void> {
  const running = asked.get(what)
  if (running) return running
  const reading = read().finally(() => asked.delete(what))
  asked.set(what, reading)
  return reading
}

async function readCommunity(area: string): Promise<void> {
  const query = { area, limit: PAGE }
  const { items } = await take(api.GET('/api/v1/compounds', { params: { query } }))
  for (const { id, name } of items) names.set(id, name)
}

async function readOne(code: string): Promise<void> {
  const sheet = await take(api.GET('/api/v1/compounds/{compound}', { params: { path: { compound: code } } }))
  names.set(code, sheet.compound.name)
}
