/** Sound and vibration, so that an alert is noticed in a pocket and in the night. */

/** Two tones a second apart for the real thing, one lower for an exercise; ms and Hz. */
const REAL = { pattern: [600, 200, 600, 200, 600], tones: [880, 660, 880, 660, 880] }
const EXERCISE = { pattern: [300, 200, 300], tones: [520, 520] }
const TONE_S = 0.45

let audio: AudioContext | undefined

/** Browsers let a page sound only after it was touched: called at the first touch. */
export function allowSound(): void {
  audio ??= new AudioContext()
  void audio.resume()
}

export function ring(exercise: boolean): void {
  const { pattern, tones } = exercise ? EXERCISE : REAL
  navigator.vibrate?.(pattern)
  if (audio?.state !== 'running') return
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

/** Reads a text aloud, where the phone can. */
export function speak(text: string, language: string): void {
  const said = new SpeechSynthesisUtterance(text)
  said.lang = language
  speechSynthesis.cancel()
  speechSynthesis.speak(said)
}
