/** Weighs what was built, prints it, and fails the build when it is too much: a phone on a bad network has to load it. */
import { gzipSync } from 'node:zlib'
import type { Logger, Plugin, Rolldown } from 'vite'
import type { PageMode } from './pages.ts'

type Bundle = Rolldown.OutputBundle

/** What a page may weigh, gzip, bytes: for the phones what must be there before `/m` can be used, for the console all of it. */
export const LIMITS: Record<PageMode, number> = { phone: 60 * 1024, console: 1.2 * 1024 * 1024 }

const gzip = (content: string | Uint8Array): number => gzipSync(content, { level: 9 }).length
const weightOf = (file: Bundle[string] | undefined): number =>
  file ? gzip(file.type === 'chunk' ? file.code : file.source) : 0

/** Script and style that the entry brings along by itself, and those of it that it loads at once. */
export function neededAtFirst(bundle: Bundle, alsoNeeded: RegExp): Set<string> {
  const needed = new Set<string>()
  const take = (name: string): void => {
    const chunk = bundle[name]
    if (needed.has(name) || chunk?.type !== 'chunk') return
    needed.add(name)
    for (const style of chunk.viteMetadata?.importedCss ?? []) needed.add(style)
    chunk.imports.forEach(take)
  }
  for (const file of Object.values(bundle)) {
    if (file.type === 'chunk' && (file.isEntry || alsoNeeded.test(file.facadeModuleId ?? ''))) take(file.fileName)
  }
  return needed
}

/** @param alsoNeeded modules that are loaded by themselves, but without which the page cannot be used */
export function weigh(mode: PageMode, alsoNeeded: RegExp): Plugin {
  let logger: Logger
  return {
    name: 'muster-weigh',
    apply: 'build',
    configResolved(config) {
      logger = config.logger
    },
    writeBundle(_, bundle) {
      const counted = Object.keys(bundle).filter((name) => /\.(js|css)$/.test(name))
      const first = neededAtFirst(bundle, alsoNeeded)
      const sum = (names: string[]): number => names.reduce((total, name) => total + weightOf(bundle[name]), 0)
      const [atFirst, all] = [sum(counted.filter((name) => first.has(name))), sum(counted)]
      const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`
      const weighed = mode === 'phone' ? atFirst : all
      logger.info(`${mode}: ${kib(atFirst)} gzip at first, ${kib(all)} in all, limit ${kib(LIMITS[mode])}`)
      if (weighed > LIMITS[mode]) this.error(`${mode} weighs ${kib(weighed)} gzip, and may weigh ${kib(LIMITS[mode])}`)
    },
  }
}
