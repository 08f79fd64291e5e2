/** Where the linter's findings stand in a text. Pure. */
import type { LintFinding, LintPart } from '../../shared/schema'

export const LINT_PARTS = [
  'event',
  'headline',
  'description',
  'instruction',
  'sender_name',
  'contact',
] as const satisfies readonly LintPart[]

/** A stretch of a text, and whether it is marked. */
export interface Marked {
  text: string
  mark: 'blocks' | 'warns' | null
}

/** What was found in one part of one language's text. A blank is found once, but stands marked wherever it occurs. */
export function findingsOf(findings: readonly LintFinding[], language: string, part: LintPart): LintFinding[] {
  return findings.filter((finding) => finding.language === language && finding.part === part)
}

/** The text cut at the words that were found in it, in this part or another. */
export function marked(text: string, findings: readonly LintFinding[]): Marked[] {
  const words = new Map(findings.flatMap(({ words: found, blocking }) => (found ? [[found, blocking] as const] : [])))
  let pieces: Marked[] = [{ text, mark: null }]
  for (const [word, blocking] of words) {
    const mark = blocking ? 'blocks' : 'warns'
    pieces = pieces.flatMap((piece) => (piece.mark ? [piece] : split(piece.text, word, mark)))
  }
  return pieces.filter((piece) => piece.text !== '')
}

function split(text: string, word: string, mark: 'blocks' | 'warns'): Marked[] {
  return text
    .split(word)
    .flatMap((rest, i): Marked[] => [...(i > 0 ? [{ text: word, mark } as const] : []), { text: rest, mark: null }])
}
