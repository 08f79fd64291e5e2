/**
 * Puts a page's script and style into its HTML: on a slow network each file that one asks for after another costs the whole delay of an
 * answer. What stands in the page is named by its hash to the browser, which runs nothing else (`src/server/assets.rs`).
 */
import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { Plugin, Rolldown } from 'vite'
import { insideOf } from './pages.ts'

const SCRIPT_FILE = /<script type="module"[^>]* src="\/([^"]+)"><\/script>/g
const STYLE_FILE = /<link rel="stylesheet"[^>]* href="\/([^"]+)">/g

/** The page with the files that it asks for in it, and their names. */
export function inlined(html: string, textOf: (file: string) => string | undefined): { page: string; files: string[] } {
  const files: string[] = []
  const take = (file: string): string => {
    const text = textOf(file)
    if (text === undefined) throw new Error(`the page asks for ${file}, which was not built`)
    files.push(file)
    return text.trim()
  }
  // In a script only these two mean anything to HTML; they stand in strings there, where the escape says the same.
  const quiet = (code: string): string => code.replace(/<(?=\/script|!--)/gi, '\\x3C')
  const page = html
    .replace(STYLE_FILE, (_, file: string) => `<style>${take(file)}</style>`)
    .replace(SCRIPT_FILE, (_, file: string) => `<script type="module">${quiet(take(file))}</script>`)
  return { page, files }
}

/** The part of the page's policy that lets run what was built into it. */
export function policyOf(page: string): string {
  const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const allow = (directive: string, texts: string[]): string => [directive, "'self'", ...texts.map(hashOf)].join(' ')
  const { scripts, styles } = insideOf(page)
  return `${allow('script-src', scripts)}; ${allow('style-src', styles)}`
}

const contentOf = (file: Rolldown.OutputBundle[string]): string =>
  file.type === 'chunk' ? file.code : Buffer.from(file.source).toString()

/** Under this name the page's script gives the files that come later what they import from it. */
const SHARED = 'musterPage'
const EXPORTS = /export\s*\{([^}]*)\};?\s*$/

/**
 * The page's script as it stands in the page, where nothing can import from it and `./` is another place; and what lies in its stead for
 * the files that come later. They come when it has run, and none of what they take is ever assigned anew.
 */
export function parted(code: string, folder: string): { inPage: string; forOthers: string } {
  const pairs = (EXPORTS.exec(code)?.[1] ?? '').split(',').filter((pair) => pair.trim() !== '')
  const names = pairs.map((pair) => pair.trim().split(/\s+as\s+/)).map(([local = '', as = local]) => ({ local, as }))
  const given = names.map(({ local, as }) => `${JSON.stringify(as)}:${local}`)
  const taken = names.map(({ as }, i) => `e${i}=p[${JSON.stringify(as)}]`)
  const inPage = code
    .replace(EXPORTS, '')
    .replace(/\bimport\((["'`])\.\//g, (_, quote: string) => `import(${quote}${folder}/`)
  if (names.length === 0) return { inPage, forOthers: '' }
  return {
    inPage: `${inPage};globalThis.${SHARED}={${given.join()}}`,
    forOthers: `const p=globalThis.${SHARED},${taken.join()};export{${names.map(({ as }, i) => `e${i} as ${as}`).join()}};`,
  }
}

export function inline(page: string): Plugin {
  return {
    name: 'muster-inline',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const html = bundle[page]
        const entry = Object.values(bundle).find((file) => file.type === 'chunk' && file.isEntry)
        if (html?.type !== 'asset' || entry?.type !== 'chunk') return this.error(`${page} was not built`)
        if (entry.imports.length > 0) this.error(`${page} needs more than one script: ${entry.imports.join(', ')}`)
        const { inPage, forOthers } = parted(entry.code, `/${posix.dirname(entry.fileName)}`)
        entry.code = inPage
        const made = inlined(contentOf(html), (file) => bundle[file] && contentOf(bundle[file]))
        for (const file of made.files) delete bundle[file]
        if (forOthers) this.emitFile({ type: 'asset', fileName: entry.fileName, source: forOthers })
        html.source = made.page
        this.emitFile({ type: 'asset', fileName: `${page}.policy`, source: policyOf(made.page) })
      },
    },
  }
}
