/**
 * The service worker of the phone pages: opens them without a network, and sends what waits when the network is back while no page
 * is open. It keeps the phone's own files only; what the server says is never answered from here, and the console not at all.
 */
import {
  cleanupOutdatedCaches,
  createHandlerBoundToURL,
  precacheAndRoute,
  type PrecacheEntry,
} from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'
import { openKept } from '../kept/kept'
import { drain, isSending } from '../outbox/drain'
import { sendOverHttp } from '../outbox/send'
import { openOutbox } from '../outbox/store'
import { CHANNEL, SYNC, TAKE } from './words'

/** What a browser that sends later brings along; TypeScript does not know it yet. */
interface SyncEvent extends ExtendableEvent {
  readonly tag: string
}
declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: (PrecacheEntry | string)[] }

/** An installation that can say which requests never come by the worker (Chromium); TypeScript does not know it yet. */
interface InstallEvent extends ExtendableEvent {
  addRoutes?(route: { condition: { urlPattern: string }; source: 'network' }): Promise<void>
}

// What is asked of the server goes to the network by itself: a report must not wait for a worker that wakes up, or makes place for a
// newer one, and the newer one need not wait until nothing is asked any more.
self.addEventListener('install', (event) => {
  const install = event as InstallEvent
  const routed = install.addRoutes?.({ condition: { urlPattern: '/api/*' }, source: 'network' })
  if (routed) event.waitUntil(routed)
})
precacheAndRoute(self.__WB_MANIFEST)
cleanupOutdatedCaches()
/** Pages that one file shows: itself, and what lies below its address. */
const opens = (file: string, addresses: RegExp): unknown =>
  registerRoute(new NavigationRoute(createHandlerBoundToURL(file), { allowlist: [addresses] }))
opens('/m', /^\/(?:m|join)?(?:\/|\?|$)/)
opens('/h', /^\/h(?:\/|\?|$)/)

// A page that was loaded before there was a worker can go on without a network, too.
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
// A new version waits until a page says that nothing is being written (`update.ts`).
self.addEventListener('message', ({ data }) => {
  if (data === TAKE) void self.skipWaiting()
})
self.addEventListener('sync' as 'activate', (event) => {
  if ((event as SyncEvent).tag === SYNC) event.waitUntil(sendWhatWaits())
})

/** In the name of who is signed in here; a household's link is not known to the worker: its page sends. */
async function sendWhatWaits(): Promise<void> {
  const picture = await (await openKept()).picture()
  if (!picture) return
  // A page is at it. The worker does not wait for it: a new version could not take over as long.
  if (await isSending()) throw new Error('a page is sending')
  const left = await drain(await openOutbox(), picture.state.me, sendOverHttp)
  new BroadcastChannel(CHANNEL).postMessage('changed')
  // The browser tries again, later each time.
  if (left > 0) throw new Error(`${left} reports wait on`)
}
