// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

type Tree = { [key: string]: string | Tree }

const keysOf = (tree: Tree, under = ''): string[] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [under + key] : keysOf(value, `${under}${key}.`),
  )
const read = (path: string): string[] => keysOf(JSON.parse(readFileSync(path, 'utf8')) as Tree)
const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((path) => `src/${path}`)
const files = sources.filter((path) => path.endsWith('words/zh.json'))
const known = new Set(files.flatMap(read))

test.each(files)('%s says the same things in English', (zh) => {
  expect(read(zh.replace('zh.json', 'en.json'))).toEqual(read(zh))
})

test('every word that a page asks for by its name is there', () => {
  const pages = sources.filter((path) => /\.(vue|ts)$/.test(path)).map((path) => readFileSync(path, 'utf8'))
  const asked = pages.flatMap((text) =>
    [...text.matchAll(/\b(?:t|both)\(\s*'([^']+)'/g)].map((match) => match[1] ?? ''),
  )
  expect(asked.length).toBeGreaterThan(50)
  expect(asked.filter((key) => !known.has(key))).toEqual([])
})
