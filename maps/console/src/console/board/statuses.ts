/** What a roll says of households, the gravest last; what is not known is not among them. */
export const STATUSES = ['safe', 'evacuated', 'away', 'missing', 'need_help'] as const
