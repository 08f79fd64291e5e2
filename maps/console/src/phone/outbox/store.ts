/** The outbox on the disk of the phone (IndexedDB): survives a reload, a crash and an update. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { Entry } from './entry'

interface OutboxSchema extends DBSchema {
  entries: { key: string; value: Entry; indexes: { madeAt: number } }
}

const NAME = 'muster-outbox'
/**
 * Stays what it is: a page of the last version may be open beside this one, and would keep a new one from opening. What is new in an
 * entry is therefore optional.
 */
const VERSION = 1
/** Entries that a phone keeps: a whole compound's roll, several times over. */
export const ENTRIES_MAX = 5_000

export class OutboxFull extends Error {}

/** Where reports wait. */
export interface Store {
  /** Whether what waits survives the page: not where the browser keeps nothing (private windows, a full disk). */
  readonly lasts: boolean
  /** @throws OutboxFull when too many wait */
  put(entry: Entry): Promise<void>
  remove(id: string): Promise<void>
  /** Everything that waits, oldest first. */
  all(): Promise<Entry[]>
}

/** The disk; where the phone gives none, the page's memory: a cry for help must go out all the same. */
export async function openOutbox(): Promise<Store> {
  return OutboxStore.open().catch(() => new MemoryStore())
}

export class MemoryStore implements Store {
  readonly lasts = false
  private readonly entries = new Map<string, Entry>()

  async put(entry: Entry): Promise<void> {
    if (this.entries.size >= ENTRIES_MAX && !this.entries.has(entry.id)) throw new OutboxFull()
    this.entries.set(entry.id, entry)
  }

  async remove(id: string): Promise<void> {
    this.entries.delete(id)
  }

  async all(): Promise<Entry[]> {
    return [...this.entries.values()].sort((a, b) => a.madeAt - b.madeAt)
  }
}

export class OutboxStore implements Store {
  readonly lasts = true
  private constructor(private readonly db: IDBPDatabase<OutboxSchema>) {}

  static async open(): Promise<OutboxStore> {
    const db = await openDB<OutboxSchema>(NAME, VERSION, {
      upgrade(fresh) {
        fresh.createObjectStore('entries', { keyPath: 'id' }).createIndex('madeAt', 'madeAt')
      },
    })
    return new OutboxStore(db)
  }

  /**
   * Resolves when the entry is on the disk.
   * @throws OutboxFull when too many wait
   */
  async put(entry: Entry): Promise<void> {
    const write = this.db.transaction('entries', 'readwrite', { durability: 'strict' })
    if ((await write.store.count()) >= ENTRIES_MAX && !(await write.store.getKey(entry.id))) {
      await write.done
      throw new OutboxFull()
    }
    await write.store.put(entry)
    await write.done
  }

  async remove(id: string): Promise<void> {
    await this.db.delete('entries', id)
  }

  /** Everything that waits, oldest first. */
  all(): Promise<Entry[]> {
    return this.db.getAllFromIndex('entries', 'madeAt')
  }
}
