/** The time, for clocks that run on the screen. */
import { onBeforeUnmount, ref, type Ref } from 'vue'

/** Milliseconds since 1970, told anew each second while the component is there. */
export function useNow(): Ref<number> {
  const now = ref(Date.now())
  const tick = setInterval(() => (now.value = Date.now()), 1_000)
  onBeforeUnmount(() => clearInterval(tick))
  return now
}
