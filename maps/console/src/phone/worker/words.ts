/** What the pages and their service worker say to each other. */

/** Said to a worker that waits: take over now. */
export const TAKE = 'take'
/** Name under which the browser is asked to wake the worker when the network is back. */
export const SYNC = 'muster-outbox'
/** Over it the pages that are open together, and the worker, tell each other that what waits has changed. */
export const CHANNEL = 'muster-outbox'
