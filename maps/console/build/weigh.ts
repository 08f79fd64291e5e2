/** Weighs what was built, prints it, and fails the build when it is too much: a phone on a bad network has to load it. */
import { gzipSync } from 'node:zlib'
import type { Logger, Plugin, Rolldown } from 'vite'
import { insideOf, type PageMode } from './pages.ts'

type Bundle = Rolldown.OutputBundle

/** What a page may weigh, gzip, bytes: for the phones what must be there before it can be used, for the console all of it. */
export const LIMITS: Record<PageMode, number> = { household: 60 * 1024, phone: 60 * 1024, console: 1.2 * 1024 * 1024 }

const gzip = (content: string | Uint8Array): number => gzipSync(content, { level: 9 }).length
/** Of a file; of a page only the script and style that stand in it. */
function weightOf(file: Bundle[string] | undefined): number {
  if (!file) return 0
  if (file.type === 'chunk') return gzip(file.code)
  if (!file.fileName.endsWith('.html')) return gzip(file.source)
  const { scripts, styles } = insideOf(Buffer.from(file.source).toString())
  return gzip([...scripts, ...styles].join('\n'))
}

/** Script and style that come with a page: those in it, and what its entry brings along by itself. */
export function neededAtFirst(bundle: Bundle, page: string): Set<string> {
  const needed = new Set([page])
  const take = (name: string): void => {
    const chunk = bundle[name]
    if (needed.has(name) || chunk?.type !== 'chunk') return
    needed.add(name)
    for (const style of chunk.viteMetadata?.importedCss ?? []) needed.add(style)
    chunk.imports.forEach(take)
  }
  for (const file of Object.values(bundle)) if (file.type === 'chunk' && file.isEntry) take(file.fileName)
  return needed
}

export function weigh(mode: PageMode): Plugin {
  let logger: Logger
  return {
    name: 'muster-weigh',
    apply: 'build',
    configResolved(config) {
      logger = config.logger
    },
    writeBundle(_, bundle) {
      const counted = Object.keys(bundle).filter((name) => /\.(js|css|html)$/.test(name))
      const first = neededAtFirst(bundle, `${mode}.html`)
      const sum = (names: string[]): number => names.reduce((total, name) => total + weightOf(bundle[name]), 0)
      const [atFirst, all] = [sum(counted.filter((name) => first.has(name))), sum(counted)]
      const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`
      const weighed = mode === 'console' ? all : atFirst
      logger.info(`${mode}: ${kib(atFirst)} gzip at first, ${kib(all)} in all, limit ${kib(LIMITS[mode])}`)
      if (weighed > LIMITS[mode]) this.error(`${mode} weighs ${kib(weighed)} gzip, and may weigh ${kib(LIMITS[mode])}`)
    },
  }
}
