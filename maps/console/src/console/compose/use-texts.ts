/** What the alert that is being written says: a template with its blanks, or what the author made of it. */
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import { api, take } from '../../shared/api'
import type {
  AlertContentRfc3339,
  Hazard,
  Language,
  LintFinding,
  LintPart,
  RenderedView,
  TargetArea,
  TemplateKind,
  WarningColour,
} from '../../shared/schema'
import { useAnswer } from './answer'

export const LANGUAGES = ['zh-CN', 'en-US'] as const satisfies readonly Language[]
/** How long somebody who types must pause before the server is asked, ms. */
const RENDER_MS = 250
const LINT_MS = 400

/** Values for the blanks of a template: language → name → value. */
export type Values = Record<Language, Record<string, string>>
/** What CAP says beside the texts; the template's own, until the author says otherwise. */
type Said = Pick<AlertContentRfc3339, 'severity' | 'urgency' | 'certainty' | 'category' | 'response_types'>

/** The form of a template: which one, and what stands in its blanks. */
export interface TemplateForm {
  hazard: Hazard
  colour: WarningColour | undefined
  kind: Exclude<TemplateKind, 'cancel'>
  values: Values
  onset: string | null
  expires: string | null
}

/** A blank that has no value yet stays in the text, where the linter points at it. */
export function withBlanks({ values }: TemplateForm, blanks: readonly string[]): Values {
  const filled = (language: Language): Record<string, string> =>
    Object.fromEntries(blanks.map((name) => [name, values[language][name]?.trim() || `{${name}}`]))
  return { 'zh-CN': filled('zh-CN'), 'en-US': filled('en-US') }
}

export function useTexts(of: {
  exercise: () => boolean | null
  blanks: () => string[]
  target: () => TargetArea | null
}) {
  const form = reactive<TemplateForm>({
    hazard: 'flood',
    colour: undefined,
    kind: 'new',
    values: { 'zh-CN': {}, 'en-US': {} },
    onset: null,
    expires: null,
  })
  /** As it was filled in, opened or written by hand; without what `said` and the times change. */
  const base = shallowRef<AlertContentRfc3339 | null>(null)
  const said = ref<Partial<Said>>({})
  /** Whether somebody wrote in the texts: then the template is not put over them. */
  const edited = ref(false)

  const request = computed(() => {
    const [exercise, { colour, hazard, kind, onset, expires }] = [of.exercise(), form]
    if (exercise === null || !colour || edited.value) return null
    return { hazard, colour, kind, exercise, onset, expires, values: withBlanks(form, of.blanks()) }
  })
  const rendered = useAnswer(
    () => request.value,
    (body): Promise<RenderedView> => take(api.POST('/api/v1/templates/render', { body })),
    RENDER_MS,
  )
  watch(rendered.answer, (view) => {
    if (view && !edited.value) base.value = view.content
  })
  watch(
    () => [form.colour, form.hazard],
    () => (said.value = {}),
  )

  const content = computed((): AlertContentRfc3339 | null => {
    if (!base.value) return null
    const { onset, expires } = form
    return { ...base.value, ...said.value, ...(onset ? { onset } : {}), ...(expires ? { expires } : {}) }
  })
  const question = computed(() => content.value && { content: content.value, target: of.target() })
  const lint = useAnswer(
    () => question.value,
    (body): Promise<LintFinding[]> => take(api.POST('/api/v1/alerts/lint', { body })),
    LINT_MS,
  )

  return {
    form,
    content,
    said,
    edited,
    rendered,
    lint,
    blocking: computed(() => (lint.answer.value ?? []).filter((finding) => finding.blocking)),
    /** Takes over a text that is there: that of a draft or of the alert that is updated. */
    open(given: AlertContentRfc3339): void {
      base.value = given
      edited.value = true
    },
    /** The author writes in one part of one language's text. */
    write(language: Language, part: LintPart, text: string): void {
      if (!base.value) return
      const infos = base.value.infos.map((info) => (info.language === language ? { ...info, [part]: text } : info))
      base.value = { ...base.value, infos }
      edited.value = true
    },
    /** The template anew, in the place of what was written by hand. */
    startAnew(): void {
      edited.value = false
    },
  }
}

export type Texts = ReturnType<typeof useTexts>
