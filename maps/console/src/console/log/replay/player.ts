/** Plays a film: which moment is shown, how fast time goes, step by step or by the clock. */
import { computed, onBeforeUnmount, ref, type Ref } from 'vue'
import { lastNotBeyond, type Stop } from './film'

/** How many times faster than it was. */
export const SPEEDS = [1, 10, 60, 300, 600] as const
/** The picture is moved on so often, ms. */
const TICK_MS = 100
/** A time in which nothing happens is cut to so long on the screen, ms. */
const IDLE_MS = 1_500

/**
 * @param stops in order
 * @param span when the film begins and ends, ms since 1970
 */
export function usePlayer(stops: Ref<readonly Stop[]>, span: Ref<{ from: number; until: number }>) {
  const time = ref(span.value.from)
  const index = ref(0)
  const playing = ref(false)
  const speed = ref<number>(60)
  const skipsIdle = ref(true)
  let ticked = 0

  const stop = computed<Stop | undefined>(() => stops.value[index.value])

  /** To a stop by its place. */
  function stepTo(place: number): void {
    index.value = Math.min(Math.max(place, 0), Math.max(0, stops.value.length - 1))
    time.value = stop.value?.at ?? span.value.from
  }
  function step(by: number): void {
    playing.value = false
    stepTo(index.value + by)
  }
  /** To how it stood at a time. */
  function seek(at: number): void {
    time.value = Math.min(Math.max(at, span.value.from), span.value.until)
    index.value = lastNotBeyond(stops.value, (one) => one.at, time.value)
  }
  /** To the first stop in which a record is. */
  function goTo(position: number): void {
    playing.value = false
    const place = lastNotBeyond(stops.value, (one) => one.position, position)
    const isIn = (stops.value[place]?.position ?? Infinity) >= position
    stepTo(isIn ? place : place + 1)
  }
  function toggle(): void {
    if (!playing.value && time.value >= span.value.until) stepTo(0)
    playing.value = !playing.value
    ticked = performance.now()
  }

  function tick(): void {
    if (!playing.value) return
    const now = performance.now()
    const passed = (now - ticked) * speed.value
    ticked = now
    const next = stops.value[index.value + 1]?.at ?? span.value.until
    const idle = skipsIdle.value && next - time.value > IDLE_MS * speed.value
    seek(idle ? next - (IDLE_MS / 2) * speed.value : time.value + passed)
    if (time.value >= span.value.until) playing.value = false
  }
  const timer = setInterval(tick, TICK_MS)
  onBeforeUnmount(() => clearInterval(timer))
  return { time, index, stop, playing, speed, skipsIdle, step, stepTo, seek, goTo, toggle }
}
