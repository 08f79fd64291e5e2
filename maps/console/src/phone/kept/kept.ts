/**
 * What this phone keeps of what the server said, so that its pages open without a network: the holder's last picture, the rolls of
 * their compounds in emergency, and what a household saw last. It is a copy, may be lost at any time, and is thrown away as soon as it
 * is not needed. What the phone has to say is in `outbox/` and is never thrown away.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { HouseholdRow, HouseholdView, MeView, RollView } from '../../shared/schema'
import type { PhoneState } from '../state'

/** What the holder of the phone had to know. */
export interface Picture {
  /** When the server said it, ms since 1970. */
  at: number
  view: MeView
  state: PhoneState
}

/** Names a roll: a compound's, in an incident. */
export interface RollPlace {
  incident: string
  compound: string
}

/** A compound's whole roll. */
export interface KeptRoll extends RollPlace {
  /** When the server said it, ms since 1970. */
  at: number
  view: RollView
  rows: HouseholdRow[]
}

/** What a household saw of itself. */
export interface KeptHousehold {
  at: number
  view: HouseholdView
}

interface KeptSchema extends DBSchema {
  pictures: { key: string; value: Picture }
  rolls: { key: [string, string]; value: KeptRoll }
  households: { key: string; value: KeptHousehold }
}

const NAME = 'muster-kept'
/** Raised when what is kept no longer fits: the old is then thrown away, not brought along. */
const VERSION = 1
/** One person is signed in on a phone at a time. */
const HOLDER = 'holder'
/** A picture that is older misleads more than it helps, ms: a week. */
export const AGE_MAX_MS = 7 * 86_400_000
/** Households that one phone keeps: the own, the parents'. */
export const HOUSEHOLDS_MAX = 4

/** Without a database (private windows, a full disk) nothing is kept, and the pages need the network. */
export class Kept {
  constructor(private readonly db: IDBPDatabase<KeptSchema> | null) {}

  async picture(): Promise<Picture | undefined> {
    return this.read(async (db) => fresh(await db.get('pictures', HOLDER)))
  }

  /** Keeps the holder's picture in place of the last one, and throws away what it no longer needs. */
  async keepPicture(picture: Picture): Promise<void> {
    const needed = new Set(
      picture.state.places.flatMap(({ compound, mode }) =>
        mode === 'normal' ? [] : [`${mode.emergency.incident} ${compound}`],
      ),
    )
    await this.write(async (db) => {
      const both = db.transaction(['pictures', 'rolls'], 'readwrite')
      const pictures = both.objectStore('pictures')
      const rolls = both.objectStore('rolls')
      const last = await pictures.get(HOLDER)
      // Somebody else signed in on this phone: nothing of the one before stays.
      if (last && last.state.me !== picture.state.me) await rolls.clear()
      await pictures.put(picture, HOLDER)
      for (const key of await rolls.getAllKeys()) if (!needed.has(key.join(' '))) await rolls.delete(key)
      await both.done
    })
  }

  async roll({ incident, compound }: RollPlace): Promise<KeptRoll | undefined> {
    return this.read(async (db) => fresh(await db.get('rolls', [incident, compound])))
  }

  /** Keeps a roll, as long as its picture is kept: not when the holder has signed out meanwhile. */
  async keepRoll(roll: KeptRoll): Promise<void> {
    await this.write(async (db) => {
      const both = db.transaction(['pictures', 'rolls'], 'readwrite')
      const holder = await both.objectStore('pictures').getKey(HOLDER)
      if (holder) await both.objectStore('rolls').put(roll, [roll.incident, roll.compound])
      await both.done
    })
  }

  /** The holder signed out, or the server no longer knows them. */
  async forgetHolder(): Promise<void> {
    await this.write(async (db) => {
      const both = db.transaction(['pictures', 'rolls'], 'readwrite')
      await Promise.all([both.objectStore('pictures').clear(), both.objectStore('rolls').clear(), both.done])
    })
  }

  /** @param key see `keyOfLink` */
  async household(key: string): Promise<KeptHousehold | undefined> {
    return this.read(async (db) => fresh(await db.get('households', key)))
  }

  async keepHousehold(key: string, household: KeptHousehold): Promise<void> {
    await this.write(async (db) => {
      const write = db.transaction('households', 'readwrite')
      await write.store.put(household, key)
      const all = await Promise.all(
        (await write.store.getAllKeys()).map(async (one) => ({ one, at: (await write.store.get(one))?.at ?? 0 })),
      )
      const old = all.sort((a, b) => b.at - a.at).slice(HOUSEHOLDS_MAX)
      for (const { one } of old) await write.store.delete(one)
      await write.done
    })
  }

  async forgetHousehold(key: string): Promise<void> {
    await this.write((db) => db.delete('households', key))
  }

  private async read<T>(ask: (db: IDBPDatabase<KeptSchema>) => Promise<T>): Promise<T | undefined> {
    return this.db ? ask(this.db).catch(() => undefined) : undefined
  }

  /** A copy that cannot be kept is no fault: the page goes on with what it has. */
  private async write(act: (db: IDBPDatabase<KeptSchema>) => Promise<unknown>): Promise<void> {
    if (this.db) await act(this.db).catch(() => undefined)
  }
}

const fresh = <T extends { at: number }>(one: T | undefined): T | undefined =>
  one && Date.now() - one.at < AGE_MAX_MS ? one : undefined

let opened: Promise<Kept> | undefined

/** The one of this page. */
export function openKept(): Promise<Kept> {
  opened ??= open().then(
    (db) => new Kept(db),
    () => new Kept(null),
  )
  return opened
}

async function open(): Promise<IDBPDatabase<KeptSchema>> {
  const db: IDBPDatabase<KeptSchema> = await openDB<KeptSchema>(NAME, VERSION, {
    upgrade(changed) {
      for (const store of [...changed.objectStoreNames]) changed.deleteObjectStore(store)
      changed.createObjectStore('pictures')
      changed.createObjectStore('rolls')
      changed.createObjectStore('households')
    },
    // A newer page wants to change it: this one goes on without.
    blocking: () => db.close(),
  })
  return db
}
