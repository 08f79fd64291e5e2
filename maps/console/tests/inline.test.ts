import { createHash } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { inlined, parted, policyOf } from '../build/inline'

const PAGE = [
  '<html><head><script>early = 1</script>',
  '<script type="module" crossorigin src="/assets/phone/page-1.js"></script>',
  '<link rel="stylesheet" crossorigin href="/assets/phone/page-2.css">',
  '<link rel="icon" href="/icon.svg"></head></html>',
].join('\n')
const FILES: Record<string, string> = {
  'assets/phone/page-1.js': 'const end = "</script>", open = "<!--", money = "$&"\n',
  'assets/phone/page-2.css': 'body{margin:0}',
}

test('what a page asks for stands in it, and no text of a script ends it', () => {
  const { page, files } = inlined(PAGE, (file) => FILES[file])
  expect(files.sort()).toEqual(Object.keys(FILES))
  expect(page).toContain('<style>body{margin:0}</style>')
  expect(page).toContain('const end = "\\x3C/script>", open = "\\x3C!--", money = "$&"</script>')
  expect(page).not.toContain('src="/assets')
  expect(page, 'other links stay').toContain('/icon.svg')
})

test('a page that asks for what was not built is refused', () => {
  expect(() => inlined(PAGE, () => undefined)).toThrow('/page-')
})

test('each script and style of a page is allowed by its hash, and nothing else', () => {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const policy = policyOf('<script>a()</script><script type="module">b()</script><style>c{}</style>')
  expect(policy).toBe(`script-src 'self' ${hash('a()')} ${hash('b()')}; style-src 'self' ${hash('c{}')}`)
})

test('later files get from the page what they import, under the names that they know', () => {
  const code = 'const a=1,b=()=>2;const later=()=>import("./Roll-1.js");export{a as x,b as in,later};'
  const { inPage, forOthers } = parted(code, '/assets/phone')
  expect(inPage).toContain('import("/assets/phone/Roll-1.js")')
  expect(inPage).not.toMatch(/export\s*\{/)
  const page = { musterPage: undefined as unknown as Record<string, unknown> }
  runInNewContext(inPage.replace('globalThis', 'page'), { page })
  expect(page.musterPage.x).toBe(1)
  expect((page.musterPage.in as () => number)()).toBe(2)
  expect(forOthers).toMatch(/^const p=globalThis\.musterPage,e0=p\["x"\],e1=p\["in"\],e2=p\["later"\];/)
  expect(forOthers).toMatch(/export\{e0 as x,e1 as in,e2 as later\};$/)
})

test('a page from which nobody imports leaves nothing for others', () => {
  expect(parted('run()', '/assets/phone')).toEqual({ inPage: 'run()', forOthers: '' })
})
