/** Sends what waits, from the page or from the service worker; never from two of them at the same time. */
import type { Refused } from '../../shared/api'
import type { Entry } from './entry'
import type { Store } from './store'

/**
 * What became of one try: the server has it; refused for good; the server asks to come again; nothing gets through at all; or the
 * session has ended, and everything waits for a new one.
 */
export type Sent =
  { is: 'done' } | { is: 'refused'; why: Refused } | { is: 'later' } | { is: 'away' } | { is: 'signed_out' }
/** Sends one entry. */
export type Send = (entry: Entry) => Promise<Sent>

/** Lines sent at a time: one slow answer must not hold up the others. */
const AT_ONCE = 8
const LOCK = 'muster-outbox'

/** Where the browser has locks (HTTPS), one sends at a time; elsewhere the server takes a report that comes twice once. */
async function alone(act: () => Promise<number>): Promise<number> {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks
  // `request` gives back what the act gives back; its type says `any`.
  return locks ? ((await locks.request(LOCK, act)) as number) : act()
}

/** Whether somebody is sending just now. */
export async function isSending(): Promise<boolean> {
  const { held } = await navigator.locks.query()
  return held?.some(({ name }) => name === LOCK) ?? false
}

/** Entries that have to arrive in the order in which they were made, by what they are about; each line oldest first. */
export function linesOf(entries: Entry[]): Entry[][] {
  const lines = new Map<string, Entry[]>()
  for (const entry of entries) {
    const about = `${entry.path} ${entry.line ?? ''}`
    lines.set(about, [...(lines.get(about) ?? []), entry])
  }
  return [...lines.values()]
}

/**
 * Sends an owner's entries, those about the same thing one after the other. An entry that cannot be sent holds up its own line only.
 * @returns how many are left to be tried again
 */
export function drain(store: Store, owner: string, send: Send): Promise<number> {
  return alone(async () => {
    const waits = (entry: Entry): boolean => entry.owner === owner && !entry.refused
    const lines = linesOf((await store.all()).filter(waits))
    let away = false
    const sendLine = async (line: Entry[]): Promise<void> => {
      for (const entry of line) {
        if (away) return
        const sent = await send(entry)
        if (!(await settle(store, entry, sent))) {
          away ||= sent.is !== 'later'
          return
        }
      }
    }
    const next = lines[Symbol.iterator]()
    const sendLines = async (): Promise<void> => {
      for (const line of next) await sendLine(line)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, sendLines))
    return (await store.all()).filter(waits).length
  })
}

/** Whether the entry is off our hands. */
async function settle(store: Store, entry: Entry, sent: Sent): Promise<boolean> {
  if (sent.is === 'done') await store.remove(entry.id)
  if (sent.is === 'refused') await store.put({ ...entry, refused: { zh: sent.why.zh, en: sent.why.en } })
  return sent.is === 'done' || sent.is === 'refused'
}
