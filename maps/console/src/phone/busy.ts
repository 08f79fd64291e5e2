/** Whether something is being written on this page: a new version of it has to wait as long. */
let acts = 0
const waiting: (() => void)[] = []

/** From now on something is being written, until what is given back is called. */
export function hold(): () => void {
  acts += 1
  let over = false
  return () => {
    if (over) return
    over = true
    acts -= 1
    if (acts === 0) for (const go of waiting.splice(0)) go()
  }
}

/** Does something that an update must not interrupt. */
export async function busy<T>(act: () => Promise<T>): Promise<T> {
  return act().finally(hold())
}

/** Nothing is being written, and nobody is in the middle of typing. */
export const idle = (): boolean => acts === 0 && !(document.activeElement instanceof HTMLInputElement)

/** Resolves when what is being written is written; at once when nothing is. */
export function whenWritten(): Promise<void> {
  return acts === 0 ? Promise.resolve() : new Promise((go) => waiting.push(go))
}
