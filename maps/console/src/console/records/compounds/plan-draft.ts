/** A plan while it is written. Pure: what the form shows, and what goes to the server. */
import type { Hazard, LevelPlan, PlanView, ResponseLevel, Team } from '../../../shared/schema'

export const HAZARDS: readonly Hazard[] = [
  'flood',
  'fire',
  'gas_leak',
  'earthquake',
  'snow',
  'landslide',
  'heat',
  'epidemic',
  'utility_failure',
]
export const LEVELS: readonly ResponseLevel[] = ['I', 'II', 'III', 'IV']
export const TEAMS: readonly Team[] = [
  'warning_information',
  'evacuation_guidance',
  'rescue',
  'medical',
  'supplies',
  'security',
  'comfort',
]
/** Tasks of one level, and characters of a task or a message: the server's own limits. */
export const TASKS_MAX = 50
export const TEXT_MAX = 1_000
/** Time to answer where nothing else is written, s. */
const ANSWER_LIMIT_S = 300

/** One level in the form: tasks are lines of a text, for that is how they are typed and pasted. */
export interface LevelDraft extends Omit<LevelPlan, 'tasks'> {
  tasks: string
}
export interface PlanDraft {
  hazard: Hazard
  levels: LevelDraft[]
}

export const emptyLevel = (level: ResponseLevel): LevelDraft => ({
  level,
  teams: [...TEAMS],
  tasks: '',
  message: '',
  roll_call: true,
  answer_limit_s: ANSWER_LIMIT_S,
})

/** What the next version begins with. */
export function draftOf(base: Pick<PlanView, 'hazard' | 'levels'> | null): PlanDraft {
  if (!base) return { hazard: 'flood', levels: [emptyLevel('I')] }
  const levels = base.levels.map((level) => ({ ...level, teams: [...level.teams], tasks: level.tasks.join('\n') }))
  return { hazard: base.hazard, levels: inOrder(levels) }
}

/** The gravest first. */
export const inOrder = (levels: readonly LevelDraft[]): LevelDraft[] =>
  [...levels].sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level))

export const tasksOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** What goes to the server. */
export function formOf(draft: PlanDraft): { hazard: Hazard; levels: LevelPlan[] } {
  const levels = draft.levels.map((level) => ({ ...level, tasks: tasksOf(level.tasks), message: level.message.trim() }))
  return { hazard: draft.hazard, levels }
}

/** What of a level is not right yet: words of `records.plans.bad`. */
export function wrongWith(
  level: LevelDraft,
): ('tasks_none' | 'tasks_many' | 'task_long' | 'message_none' | 'teams_none')[] {
  const tasks = tasksOf(level.tasks)
  const wrong = {
    teams_none: level.teams.length === 0,
    tasks_none: tasks.length === 0,
    tasks_many: tasks.length > TASKS_MAX,
    task_long: tasks.some((task) => [...task].length > TEXT_MAX),
    message_none: level.message.trim() === '',
  }
  const names = ['teams_none', 'tasks_none', 'tasks_many', 'task_long', 'message_none'] as const
  return names.filter((name) => wrong[name])
}

/** The version that a draft for this hazard becomes. */
export const nextVersion = (plans: readonly PlanView[], hazard: Hazard): number =>
  Math.max(0, ...plans.filter((plan) => plan.hazard === hazard).map((plan) => plan.version)) + 1
