/** Rows in the order that a column's head asks for: first downwards, then upwards, then as the server gave them. */
import { computed, ref } from 'vue'

export type Direction = 'none' | 'ascending' | 'descending'

/** @param values what each column that can be sorted by counts of a row */
export function useSorted<T>(rows: () => readonly T[], values: Record<string, (row: T) => number>) {
  const by = ref('')
  const downwards = ref(true)

  const sorted = computed<readonly T[]>(() => {
    const value = values[by.value]
    if (!value) return rows()
    const sign = downwards.value ? -1 : 1
    return [...rows()].sort((a, b) => sign * (value(a) - value(b)))
  })
  function turn(key: string): void {
    if (by.value !== key) {
      by.value = key
      downwards.value = true
    } else if (downwards.value) downwards.value = false
    else by.value = ''
  }
  function direction(key: string): Direction {
    if (by.value !== key) return 'none'
    return downwards.value ? 'descending' : 'ascending'
  }
  return { sorted, turn, direction }
}
