/** One command id for each intent: an order that is sent again after a lost answer is the same order, and is done once. */
import { newId } from '../../shared/api'

export class Intent {
  private meant = ''
  private id = ''

  /** The id for this order: the same as long as the same thing is meant. */
  keyFor(order: unknown): { 'Idempotency-Key': string } {
    const meant = JSON.stringify(order)
    if (meant !== this.meant) [this.meant, this.id] = [meant, newId()]
    return { 'Idempotency-Key': this.id }
  }
}
