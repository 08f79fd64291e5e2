/** What this person has said counts on their own screen at once, also before the server has it. Pure. */
import type { Entry } from './outbox/entry'
import { acknowledged, answered, type PhoneCall, type PhoneState } from './state'

/** An answer to a call, as the server takes it. */
export type Answer = 'acknowledged' | 'on_post' | { declined: { reason: string } }

const ACKNOWLEDGE = /^\/api\/v1\/alerts\/([^/]+)\/acknowledge$/
export const ANSWER_PATH = '/api/v1/calls/answer'

export const acknowledgePath = (alert: string): string => `/api/v1/alerts/${alert}/acknowledge`

/** How a call stands after an answer. */
const stands = (answer: Answer): PhoneCall['state'] => (typeof answer === 'string' ? answer : 'declined')

/** The state, with what waits to be sent; of several words on the same thing the last one. */
export function withOwnWord(state: PhoneState, waiting: Entry[]): PhoneState {
  return waiting.filter((entry) => !entry.refused).reduce(after, state)
}

function after(state: PhoneState, { path, body }: Pick<Entry, 'path' | 'body'>): PhoneState {
  const alert = ACKNOWLEDGE.exec(path)?.[1]
  if (alert) return acknowledged(state, alert)
  if (path !== ANSWER_PATH) return state
  // Written by this page's own `answer`.
  const { post, answer } = JSON.parse(body) as { post: string; answer: Answer }
  return answered(state, post, stands(answer))
}
