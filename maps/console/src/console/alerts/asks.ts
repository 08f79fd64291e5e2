/** Whether those in command are asked to acknowledge an alert: not a cancel. Pure. */
import type { AlertLine } from '../../shared/schema'

export const asksAcknowledgement = ({ kind }: Pick<AlertLine, 'kind'>): boolean =>
  !(typeof kind === 'object' && 'cancel' in kind)
