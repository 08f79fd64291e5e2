import type { RollStatus } from '../../shared/schema'

/** A status by its name, without what it carries. */
export const statusOf = (status: RollStatus): string =>
  typeof status === 'string' ? status : (Object.keys(status)[0] ?? '')
