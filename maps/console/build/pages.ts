/** What both pages' builds share: where the files lie that a build has made. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))
export const DIST = here('dist')

/** The two pages, built one after the other: `vite build --mode phone`, then `--mode console`. */
export type PageMode = 'phone' | 'console'

/** The files of one page's build, under `dist`; those that both copy (`public`) are not of it. */
export function filesOf(mode: PageMode): string[] {
  const assets = readdirSync(`${DIST}/assets/${mode}`).map((name) => `assets/${mode}/${name}`)
  return mode === 'phone' ? ['phone.html', 'sw.js', 'manifest.webmanifest', ...assets] : ['console.html', ...assets]
}
