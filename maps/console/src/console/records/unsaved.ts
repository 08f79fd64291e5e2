/** What was typed and is not saved yet: a wrong click must not lose it. */
import { onBeforeUnmount } from 'vue'

const forms = new Map<symbol, () => boolean>()

/** Notes a form while it is on the screen. @param changed whether it holds something that is not saved */
export function useUnsaved(changed: () => boolean): void {
  const form = Symbol('form')
  forms.set(form, changed)
  onBeforeUnmount(() => forms.delete(form))
}

export const hasUnsaved = (): boolean => [...forms.values()].some((changed) => changed())
