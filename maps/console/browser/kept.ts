/** What a phone page keeps for the time without a network. */
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** Until a service worker has the page, and so many rolls are on the phone. */
export async function kept(page: Page, rolls: number): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready)
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true)
  await expect.poll(() => page.evaluate(countKept)).toBe(rolls)
}

/** How many rolls the page that runs this keeps. */
export function countKept(): Promise<number> {
  return new Promise((done, failed) => {
    const opening = indexedDB.open('muster-kept')
    opening.onerror = () => failed(opening.error)
    opening.onsuccess = () => {
      const counting = opening.result.transaction('rolls').objectStore('rolls').count()
      counting.onsuccess = () => {
        opening.result.close()
        done(counting.result)
      }
    }
  })
}
