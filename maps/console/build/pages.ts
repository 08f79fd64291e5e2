/** What both pages' builds share: where the files lie that a build has made. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))
export const DIST = here('dist')

/** The pages, each built by itself and in this order: `vite build --mode household`, `phone`, `console`. */
export type PageMode = 'household' | 'phone' | 'console'

/** The files of one page's build, under `dist`; those that all copy (`public`) are not of it. */
export function filesOf(mode: PageMode): string[] {
  const page = `${mode}.html`
  if (mode === 'household') return [page]
  const assets = readdirSync(`${DIST}/assets/${mode}`).map((name) => `assets/${mode}/${name}`)
  return mode === 'phone' ? [page, 'sw.js', 'manifest.webmanifest', ...assets] : [page, ...assets]
}

const SCRIPTS = /<script(?: type="module")?>(.*?)<\/script>/gs
const STYLES = /<style>(.*?)<\/style>/gs

/** Scripts and styles that stand in a page itself. */
export function insideOf(page: string): { scripts: string[]; styles: string[] } {
  const textsOf = (parts: RegExp): string[] => [...page.matchAll(parts)].map(([, text = '']) => text)
  return { scripts: textsOf(SCRIPTS), styles: textsOf(STYLES) }
}
