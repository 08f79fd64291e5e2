/** One alert that is being written: under which incident, for whom, what it says, and what still keeps it from being sent. */
import { computed, onMounted, ref, shallowRef, watch } from 'vue'
import { api, newId, Refused, take } from '../../shared/api'
import type { AlertView, IncidentView, TemplateView } from '../../shared/schema'
import { city } from '../city'
import { nameOf, readNames } from '../names'
import { loadRivers, riverOf, type River } from './rivers'
import { recall, remember } from './sender'
import { fromTarget } from './target'
import { useSending, type Writing } from './use-sending'
import { useTarget } from './use-target'
import { useTexts } from './use-texts'

/** What the composer is opened for: a new alert, a draft, or the update or correction of an issued alert. */
export type Opened = { as: 'new' } | { as: 'draft' | 'update' | 'correction'; alert: string }

/** Compounds of an opened target whose names are looked up; the others are shown by their code. */
const NAMES_MAX = 30

export type Blocker = 'incident' | 'nobody' | 'pending' | 'outside' | 'no_text' | 'text' | 'number'

export function useComposition(opened: Opened) {
  const ready = ref(false)
  const fault = shallowRef<Refused | null>(null)
  /** The draft that is opened, or the issued alert that is replaced. */
  const old = shallowRef<AlertView | null>(null)
  const incidentId = ref('')
  const rivers = shallowRef<River[]>([])
  const templates = shallowRef<TemplateView[]>([])
  /** What the author typed as the number of compounds. */
  const typed = ref('')

  const incident = computed((): IncidentView | undefined =>
    city.incidents.value.find((one) => one.id === incidentId.value),
  )
  const exercise = computed(() => incident.value?.exercise ?? old.value?.exercise ?? null)
  const kind = computed(() => (opened.as === 'draft' ? old.value?.kind : undefined))
  /** The issued alert that this one updates. */
  const updates = computed(() => {
    if (opened.as === 'update' || opened.as === 'correction') return opened.alert
    return typeof kind.value === 'object' && 'update' in kind.value ? kind.value.update.replaces : undefined
  })
  const writing = computed((): Writing => {
    if (opened.as === 'new') return { as: 'new', incident: incidentId.value }
    return opened.as === 'draft' ? { as: 'draft', id: opened.alert } : { as: opened.as, replaces: opened.alert }
  })

  const sending = useSending()
  const target = useTarget(() => ({
    updates: updates.value,
    severity: texts.content.value?.severity,
    exercise: exercise.value ?? false,
  }))
  const blanks = computed(() => {
    const { hazard, colour, kind: wanted } = texts.form
    const found = templates.value.find((one) => one.hazard === hazard && one.colour === colour && one.kind === wanted)
    return found?.blanks ?? []
  })
  const texts = useTexts({
    exercise: () => exercise.value,
    blanks: () => blanks.value,
    target: () => (target.isEmpty.value ? null : target.target.value),
  })
  watch(incident, (now) => {
    if (now && opened.as === 'new') texts.form.hazard = now.hazard
  })

  const compounds = computed(() => target.preview.answer.value?.compounds ?? 0)
  const mustType = computed(() => exercise.value === false)
  /** All that keeps it from being sent, in the order of the page. */
  const blockers = computed((): Blocker[] => {
    const seen = target.preview.answer.value
    const reasons: [Blocker, boolean][] = [
      ['incident', exercise.value === null],
      ['nobody', target.isEmpty.value || seen?.compounds === 0 || target.preview.fault.value !== null],
      ['outside', (seen?.outside_your_area ?? 0) > 0],
      ['no_text', texts.content.value === null],
      ['text', texts.blocking.value.length > 0],
      ['pending', [target.preview, texts.lint, texts.rendered].some(({ pending }) => pending.value)],
      ['number', mustType.value && compounds.value > 0 && typed.value.trim() !== String(compounds.value)],
    ]
    return reasons.filter(([, holds]) => holds).map(([reason]) => reason)
  })

  async function load(): Promise<void> {
    fault.value = null
    try {
      const [list, streams] = await Promise.all([take(api.GET('/api/v1/templates')), loadRivers()])
      templates.value = list
      rivers.value = streams
      if (opened.as === 'new') Object.assign(texts.form.values, recall())
      else await open(opened.as, opened.alert)
      ready.value = true
    } catch (why) {
      if (!(why instanceof Refused)) throw why
      fault.value = why
    }
  }

  async function open(as: 'draft' | 'update' | 'correction', id: string): Promise<void> {
    const view = await take(api.GET('/api/v1/alerts/{id}', { params: { path: { id } } }))
    await readNames((view.target.include.compounds ?? []).slice(0, NAMES_MAX))
    const river = (line: Parameters<typeof riverOf>[0]): string => riverOf(line, rivers.value)
    target.pieces.value = fromTarget(view.target, { compound: nameOf, river }, newId)
    incidentId.value = view.incident
    old.value = view
    texts.form.hazard = view.hazard
    texts.form.colour = view.colour ?? undefined
    for (const info of view.content.infos) {
      const given = { sender: info.sender_name, phone: info.contact ?? '' }
      texts.form.values[info.language] = { ...texts.form.values[info.language], ...given }
    }
    if (as === 'correction') texts.form.kind = 'correction'
    else texts.open(view.content)
  }

  /** Keeps or sends what is written; the alert's id, `null` when refused. */
  async function order(send: boolean): Promise<string | null> {
    const content = texts.content.value
    if (!content) return null
    remember(content)
    const written = { content, target: target.target.value }
    return send ? sending.submit(writing.value, written, compounds.value) : sending.keep(writing.value, written)
  }

  onMounted(load)
  return {
    opened,
    ready,
    fault,
    load,
    old,
    incidentId,
    exercise,
    updates,
    rivers,
    target,
    texts,
    blanks,
    compounds,
    mustType,
    typed,
    blockers,
    sending,
    order,
  }
}

export type Composition = ReturnType<typeof useComposition>
