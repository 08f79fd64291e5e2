/**
 * Questions that a page's HTML asked before its script was there (`household.html`, `phone.html`): on a slow network the answer comes
 * together with the script, not after it.
 */
declare global {
  /** By path; each answer is used once. */
  var musterEarly: Partial<Record<string, Promise<Response>>> | undefined
}

/** The answer that was asked for early; everything else, and what did not get through, is asked now. */
export async function fetchEarly(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  const path = pathname + search
  const asked = request.method === 'GET' ? globalThis.musterEarly?.[path] : undefined
  if (!asked) return fetch(request)
  delete globalThis.musterEarly?.[path]
  return asked.catch(() => fetch(request))
}

/** Whether a question that was asked early was answered with yes, which stays to be used; `null` where nobody asked or answered. */
export async function peekEarly(path: string): Promise<boolean | null> {
  const answer = await globalThis.musterEarly?.[path]?.catch(() => null)
  // A no is of its moment: who signs in later is asked about anew.
  if (!answer?.ok) delete globalThis.musterEarly?.[path]
  return answer?.ok ?? null
}
