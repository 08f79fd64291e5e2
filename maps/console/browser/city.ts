/** What tests set up over the API, each having pages of its own to play in, and how they look at what is durable; `story.test.ts` goes through the pages alone. */
import { randomUUID } from 'node:crypto'

const PASSWORD = 'muster-demo-1404'

/** Somebody signed in by a token. */
export class Caller {
  private constructor(
    private readonly origin: string,
    private readonly token: string,
  ) {}

  static async signIn(origin: string, login: string): Promise<Caller> {
    const body = JSON.stringify({ login, password: PASSWORD, bearer: true })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${origin}/api/v1/session`, { method: 'POST', headers, body })
    const { token } = (await answer.json()) as { token: string }
    return new Caller(origin, token)
  }

  get<T>(path: string): Promise<T> {
    return this.ask('GET', path)
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.ask('POST', path, body)
  }

  private async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers = {
      authorization: `Bearer ${this.token}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    }
    const request = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }
    const answer = await fetch(`${this.origin}/api/v1${path}`, request)
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    // Some answers say no more than that it was done.
    const text = await answer.text()
    return (text ? JSON.parse(text) : undefined) as T
  }
}

/** The compound of the demo's commander. */
export async function homeOf(caller: Caller): Promise<string> {
  const me = await caller.get<{ places: { compound: string }[] }>('/me')
  const home = me.places[0]?.compound
  if (!home) throw new Error('the commander has no compound')
  return home
}

/** Opens an exercise of a flood. */
export async function openExercise(caller: Caller, title: string): Promise<string> {
  return (await caller.post<{ id: string }>('/incidents', { hazard: 'flood', exercise: true, title })).id
}

/** Opens an exercise, and submits an alert to some compounds: it waits for a second person. */
export async function submitExercise(
  origin: string,
  compounds: string[],
): Promise<{ incident: string; alert: string }> {
  const first = await Caller.signIn(origin, 'city1')
  const incident = await openExercise(first, '浏览器测试演练')
  const template = {
    hazard: 'flood',
    colour: 'red',
    kind: 'new',
    exercise: true,
    values: {
      'zh-CN': { place: '浊漳河沿岸', sender: '长治市应急管理局', phone: '0355-0000000' },
      'en-US': {
        place: 'Luzhou District, along the Zhuozhang River',
        sender: 'Changzhi Emergency Bureau',
        phone: '0355-0000000',
      },
    },
  }
  const { content } = await first.post<{ content: unknown }>('/templates/render', template)
  const target = { include: { compounds } }
  const alert = (await first.post<{ id: string }>('/alerts', { incident, target, content })).id
  await first.post(`/alerts/${alert}/submit`, { confirm_compounds: compounds.length })
  return { incident, alert }
}

/** Submits an exercise alert and has the second dispatcher approve it: it is out. */
export async function issueExercise(origin: string, compounds: string[]): Promise<{ incident: string; alert: string }> {
  const submitted = await submitExercise(origin, compounds)
  const second = await Caller.signIn(origin, 'city2')
  await second.post(`/alerts/${submitted.alert}/approve`, { confirm_compounds: compounds.length })
  return submitted
}
