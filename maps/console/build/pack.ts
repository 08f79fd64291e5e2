/** Packs what was built with brotli, once and as small as it goes, so that the server sends it as it lies (`server/assets.rs`). */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import type { Plugin } from 'vite'
import { DIST, filesOf, type PageMode } from './pages.ts'

/** The console is large: its last few percent would cost half a minute. */
const QUALITY = { household: 11, phone: 11, console: 9 }

/** Writes each file of a page to `dist/br/` too. */
export function pack(mode: PageMode): Plugin {
  return {
    name: 'muster-pack',
    apply: 'build',
    closeBundle: {
      // After the service worker, which is made when all else is there.
      order: 'post',
      sequential: true,
      handler() {
        for (const file of filesOf(mode)) {
          const packed = brotliCompressSync(readFileSync(`${DIST}/${file}`), {
            params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY[mode] },
          })
          mkdirSync(dirname(`${DIST}/br/${file}`), { recursive: true })
          writeFileSync(`${DIST}/br/${file}`, packed)
        }
      },
    },
  }
}
