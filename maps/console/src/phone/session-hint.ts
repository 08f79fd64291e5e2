/**
 * Whether somebody was signed in on this phone the last time. It decides only what is shown before the server was asked: the form to
 * sign in must not wait for an answer over a bad network.
 */
const KEPT = 'muster.signed_in'

export const wasSignedIn = (): boolean => localStorage.getItem(KEPT) !== null
export const noteSignedIn = (): void => localStorage.setItem(KEPT, 'yes')
export const noteSignedOut = (): void => localStorage.removeItem(KEPT)
