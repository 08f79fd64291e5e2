/** Under which name a household's view is kept: a hash of its link, so that who reads the phone's storage has no link. */
export async function keyOfLink(link: string): Promise<string | null> {
  // Only where the page came over HTTPS; elsewhere there is no service worker either, and nothing to keep it for.
  if (!globalThis.crypto?.subtle) return null
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(link))
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
