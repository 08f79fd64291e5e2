/**
 * Everything that goes to the server over HTTP goes through here: typed by the server's own OpenAPI document (`npm run types`),
 * so that a page cannot drift from it.
 */
import createClient, { type Middleware } from 'openapi-fetch'
import { v7 as uuid } from 'uuid'
import { fetchEarly } from './early'
import type { paths, Problem } from './schema'

/** The code of an answer that is not Muster's. */
const STRANGE = 'strange_answer'

/** The server said no, or could not be reached. `code` is stable; the words are for the person. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly zh: string,
    readonly en: string,
  ) {
    super(`${code}: ${en}`)
  }

  /** Whether the same request may succeed later without a change: the network or the server was away. */
  get tryAgain(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500 || this.code === STRANGE
  }

  /** Whether Muster itself says that nobody is signed in, or that the link is not valid. */
  get signedOut(): boolean {
    return this.status === 401 && this.code !== STRANGE
  }

  static from(problem: Problem): Refused {
    return new Refused(problem.code, problem.status, problem.detail_zh, problem.detail_en)
  }

  /** Of an answer that is not what was asked for. */
  static of(error: unknown, response: Response): Refused {
    return isProblem(error) ? Refused.from(error) : strange(response)
  }

  static unreachable(): Refused {
    return new Refused(
      'unreachable',
      0,
      '连不上服务器，请检查网络。',
      'The server cannot be reached. Check the network.',
    )
  }
}

/** Who asks, where it is not the cookie: a household's link. */
let authorization: string | null = null

/** From now on requests are sent in the name of the household whose link this is. */
export function askAsHousehold(link: string): void {
  authorization = `Household ${link}`
}

/** A fresh command id; the same id sent twice is done once. */
export const newId = (): string => uuid()

/** The header that says who asks, where it is not the cookie. */
export const authorizationHeader = (): Record<string, string> => (authorization ? { Authorization: authorization } : {})

const identify: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(authorizationHeader())) request.headers.set(name, value)
    if (request.method === 'POST' && !request.headers.has('Idempotency-Key')) {
      request.headers.set('Idempotency-Key', newId())
    }
    return request
  },
}

export const api = createClient<paths>({ baseUrl: '/', credentials: 'same-origin', fetch: fetchEarly })
api.use(identify)

/**
 * The body of an answer.
 * @throws Refused when the server refused or was not reached
 */
export async function take<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked.catch(() => {
    throw Refused.unreachable()
  })
  if (response.ok) return data as T
  throw Refused.of(error, response)
}

/** An answer that is not one of Muster's problems: something between here and the server spoke. */
function strange(response: Response): Refused {
  const status = response.status
  return new Refused(
    STRANGE,
    status,
    `服务器返回了意外的应答（${status}），请稍后再试。`,
    `The server's answer was unexpected (${status}). Try again in a moment.`,
  )
}

function isProblem(error: unknown): error is Problem {
  return typeof error === 'object' && error !== null && 'code' in error && 'detail_zh' in error
}

/** Entries that a walk over pages takes at most, so that no loop is without an end. */
const WALK_MAX = 20_000

/** Reads a page of a list: what comes after `after`. */
type ReadPage<T, C> = (after: C | undefined) => Promise<{ items: T[]; next?: C | null }>

/** All entries of a list, page by page. */
export async function walk<T, C>(page: ReadPage<T, C>): Promise<T[]> {
  return (await firstPages(Infinity, page)).items
}

/** The first pages of a list, and whether there is more. Read anew as a whole, since what stands in a list may move. */
export async function firstPages<T, C>(pages: number, page: ReadPage<T, C>): Promise<{ items: T[]; more: boolean }> {
  const all: T[] = []
  let after: C | undefined
  for (let read = 0; read < pages && all.length < WALK_MAX; read++) {
    const { items, next } = await page(after)
    all.push(...items)
    if (next === null || next === undefined) return { items: all, more: false }
    after = next
  }
  return { items: all, more: true }
}
