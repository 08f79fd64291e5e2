/** How the steps down a line of succession stand, and how far an alert has got with somebody. Pure. */
import type { RecipientView, StepView } from '../../../shared/schema'

/**
 * `acknowledged`: said "received"; `waiting`: an answer is waited for; `passed_over`: did not answer in time; `handed_on`: the command
 * went to somebody else; `last`: did not answer, and nobody else is asked; `next`: their turn comes after who is asked now; `to_come`: later.
 */
export type StepState = 'acknowledged' | 'waiting' | 'passed_over' | 'handed_on' | 'last' | 'next' | 'to_come'

/** How the step at `i` of a line stands. */
export function stateOf(steps: StepView[], i: number): StepState {
  const [step, before, after] = [steps[i], steps[i - 1], steps[i + 1]]
  if (!step) return 'to_come'
  if (!step.asked_at) return before?.asked_at ? 'next' : 'to_come'
  if (after?.asked_at) return after.after_silence ? 'passed_over' : 'handed_on'
  if (step.until) return 'waiting'
  return step.stage === 'acknowledged' ? 'acknowledged' : 'last'
}

/** How far an alert can have got with somebody, the furthest first. */
export const REACHES = ['acknowledged', 'shown', 'delivered', 'none'] as const
export type Reach = (typeof REACHES)[number]

export const reachOf = ({ stage }: Pick<RecipientView, 'stage'>): Reach => stage ?? 'none'
