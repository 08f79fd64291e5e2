/** Whom the alert that is being written is for: the pieces, what the server says of them, and how they are changed. */
import { computed, shallowRef } from 'vue'
import { api, newId, take } from '../../shared/api'
import type { PreviewView, Severity } from '../../shared/schema'
import { useAnswer } from './answer'
import { toTarget, withDrawn, type Piece, type Shape } from './target'

/** How long somebody who draws must pause before the preview is asked for, ms. */
const PREVIEW_MS = 250

/** What else the preview depends on. */
export interface PreviewOf {
  /** The issued alert that this one updates. */
  updates?: string
  severity?: Severity
  exercise: boolean
}

type NewPiece<P = Piece> = P extends Piece ? Omit<P, 'id' | 'out'> : never

export function useTarget(of: () => PreviewOf) {
  const pieces = shallowRef<Piece[]>([])
  const target = computed(() => toTarget(pieces.value))
  /** Excluding only is for nobody. */
  const isEmpty = computed(() => pieces.value.every((piece) => piece.out))
  const question = computed(() => (isEmpty.value ? null : { target: target.value, query: of() }))
  const preview = useAnswer(
    () => question.value,
    ({ target: body, query }): Promise<PreviewView> =>
      take(api.POST('/api/v1/targets/preview', { params: { query }, body })),
    PREVIEW_MS,
  )
  return {
    pieces,
    target,
    isEmpty,
    preview,
    add(piece: NewPiece): void {
      // The id makes a piece of it; TypeScript does not follow that through the union.
      pieces.value = [...pieces.value, { ...piece, id: newId(), out: false } as Piece]
    },
    remove(id: string): void {
      pieces.value = pieces.value.filter((piece) => piece.id !== id)
    },
    /** Who was in is out, and the reverse. */
    turn(id: string): void {
      pieces.value = pieces.value.map((piece) => (piece.id === id ? { ...piece, out: !piece.out } : piece))
    },
    takeDrawn(drawn: Shape[], held: (id: string) => boolean): void {
      pieces.value = withDrawn(pieces.value, drawn, held)
    },
  }
}

export type Target = ReturnType<typeof useTarget>
