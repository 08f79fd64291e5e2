/** Sound and vibration, so that an alert is noticed in a pocket and in the night: until it is answered or silenced. */
import { onScopeDispose, ref, watch, type Ref } from 'vue'

/** What rings: high and falling for the real thing, low and even for an exercise. Vibration in ms, tones in Hz. */
const REAL = { pattern: [600, 200, 600, 200, 600], tones: [880, 660, 880, 660, 880], everyMs: 4_000 }
const EXERCISE = { pattern: [300, 200, 300], tones: [520, 520], everyMs: 6_000 }
const TONE_S = 0.45

let audio: AudioContext | undefined

/** Whether this page may sound now. Browsers let it only after a touch, and may take it back: a call comes in, the screen is locked. */
export const sounds = ref(false)

/** Asks the browser whether the page may sound; where it was not touched yet, it says no. */
export function trySound(): void {
  if (!audio) {
    if (!('AudioContext' in globalThis)) return
    audio = new AudioContext()
    audio.onstatechange = () => (sounds.value = audio?.state === 'running')
  }
  sounds.value = audio.state === 'running'
  if (!sounds.value) void audio.resume().catch(() => undefined)
}

/** What counts as a touch: for a finger it is the end of it; at its beginning nothing is allowed yet. */
const TOUCHES = ['pointerup', 'touchend', 'keydown'] as const

/** At each touch the page is allowed to sound, where it was not. */
export function soundWhenTouched(): void {
  for (const touch of TOUCHES)
    addEventListener(touch, () => sounds.value || trySound(), { capture: true, passive: true })
}

export function ring(exercise: boolean): void {
  const { pattern, tones } = exercise ? EXERCISE : REAL
  navigator.vibrate?.(pattern)
  if (audio?.state !== 'running') return trySound()
  for (const [i, hz] of tones.entries()) tone(audio, hz, audio.currentTime + i * TONE_S)
}

function tone(on: AudioContext, hz: number, at: number): void {
  const source = on.createOscillator()
  const volume = on.createGain()
  source.frequency.value = hz
  source.type = 'square'
  volume.gain.setValueAtTime(0.25, at)
  volume.gain.exponentialRampToValueAtTime(0.001, at + TONE_S)
  source.connect(volume).connect(on.destination)
  source.start(at)
  source.stop(at + TONE_S)
}

/** Something that must not be missed. `key` tells one from the next: what was silenced stays silent, what is new rings. */
export interface Cause {
  key: string
  exercise: boolean
}

/** Rings as long as there is a cause, again and again, until it goes or is silenced. */
export function useRinging(cause: Ref<Cause | null>) {
  const silenced = ref<string | null>(null)
  let again: ReturnType<typeof setInterval> | undefined

  function stop(): void {
    clearInterval(again)
    navigator.vibrate?.(0)
  }

  const rings = (): Cause | null => (cause.value?.key === silenced.value ? null : cause.value)
  watch(
    // Allowed to sound while it rings, it is heard at once.
    [() => rings()?.key, sounds],
    () => {
      stop()
      const now = rings()
      if (!now) return
      ring(now.exercise)
      again = setInterval(() => ring(now.exercise), (now.exercise ? EXERCISE : REAL).everyMs)
    },
    { immediate: true },
  )
  onScopeDispose(stop)
  return { silenced, silence: () => (silenced.value = cause.value?.key ?? null) }
}

/** Reads a text aloud, where the phone can. */
export function speak(text: string, language: string): void {
  hush()
  const said = new SpeechSynthesisUtterance(text)
  said.lang = language
  speechSynthesis.speak(said)
}

/** Whether this phone can read aloud. */
export const canSpeak = (): boolean => 'speechSynthesis' in globalThis

/** Stops reading. */
export function hush(): void {
  if (canSpeak()) speechSynthesis.cancel()
}
