/**
 * Installs the service worker once the page can be used, and takes a new version of the pages when nothing is being written: when
 * they are opened, or looked at again. Not in a pocket: a page that was loaded anew may not ring before it was touched.
 */
import { idle, whenWritten } from './busy'
import { TAKE } from './worker/words'

/** How often a page that stays open asks whether there is a new version, ms. */
const ASK_MS = 3_600_000

let started = false

/** To be called when the page can be used; the first call counts. */
export async function keepPages(): Promise<void> {
  if (started || import.meta.env.DEV || !('serviceWorker' in navigator)) return
  started = true
  const workers = navigator.serviceWorker
  /** Whether this page is of an older version than the worker. */
  let outdated = false
  let hadWorker = workers.controller !== null
  workers.addEventListener('controllerchange', () => {
    // The very first worker takes the page as it is.
    outdated = hadWorker
    hadWorker = true
    if (outdated) void renew()
  })
  // What the old version still had to load went with it.
  addEventListener('vite:preloadError', () => outdated && location.reload())
  const registration = await workers.register('/sw.js').catch(() => null)
  if (!registration) return
  let asked = Date.now()
  const look = (): void => {
    if (document.visibilityState !== 'visible' || !idle()) return
    if (outdated) location.reload()
    registration.waiting?.postMessage(TAKE)
    if (Date.now() - asked < ASK_MS) return
    asked = Date.now()
    void registration.update().catch(() => undefined)
  }
  look()
  document.addEventListener('visibilitychange', look)
}

/** Another page may have taken the new version while something was being written here. */
async function renew(): Promise<void> {
  await whenWritten()
  if (document.visibilityState === 'visible') location.reload()
}
