/** What the pages say for a key of their words: a test is written once and played in each language. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export type Say = (key: string, values?: Record<string, string | number>) => string
type Tree = { [key: string]: string | Tree }

const SOURCES = fileURLToPath(new URL('../src/', import.meta.url))

/** The words of the console or of the phone pages, with those that both share and those on paper, which both print. */
export function wordsOf(page: 'console' | 'phone', language: 'zh' | 'en'): Say {
  const files = ['shared', page, 'paper'].flatMap((folder) =>
    readdirSync(`${SOURCES}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith(`words/${language}.json`))
      .map((path) => `${SOURCES}${folder}/${path}`),
  )
  const trees = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Tree)
  return (key, values = {}) => {
    const found = trees.map((tree) => at(tree, key)).find((text) => text !== undefined)
    if (found === undefined) throw new Error(`the ${page} pages have no word ${key}`)
    return found.replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole))
  }
}

function at(tree: Tree, key: string): string | undefined {
  const found = key.split('.').reduce<Tree | string | undefined>((node, part) => {
    return typeof node === 'object' ? node[part] : undefined
  }, tree)
  return typeof found === 'string' ? found : undefined
}
