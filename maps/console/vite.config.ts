import vue from '@vitejs/plugin-vue'
import i18n from '@intlify/unplugin-vue-i18n/vite'
import elementPlus from 'unplugin-element-plus/vite'
import { defineConfig } from 'vitest/config'
import { inline } from './build/inline.ts'
import { installable } from './build/install.ts'
import { pack } from './build/pack.ts'
import { here, type PageMode } from './build/pages.ts'
import { weigh } from './build/weigh.ts'

/** Where `npm run dev` finds the server. */
const server = process.env.MUSTER_URL ?? 'http://127.0.0.1:8080'
const pages = { '/console': '/console.html', '/m': '/phone.html', '/h': '/household.html', '/join': '/phone.html' }

/** What a page needs at once is one script, which goes into its HTML; of a household's page that is all. */
const AT_ONCE = { codeSplitting: { groups: [{ name: 'page', tags: ['$initial'] }] } }
const OUTPUT: Record<PageMode, object> = { household: { codeSplitting: false }, phone: AT_ONCE, console: {} }

function build(mode: PageMode) {
  return [mode !== 'console' && inline(`${mode}.html`), weigh(mode), mode === 'phone' && installable(), pack(mode)]
}
const isPage = (mode: string): mode is PageMode => mode in OUTPUT

/**
 * Each page is built by itself (`--mode household`, then `phone`, then `console`): shared chunks would bring to the phones what only the
 * console uses.
 */
export default defineConfig(({ mode }) => ({
  plugins: [
    vue(),
    // Words are compiled when the pages are built: no message compiler goes to the phones.
    i18n({
      include: [here('src/**/words/*.json')],
      runtimeOnly: true,
      compositionOnly: true,
      strictMessage: true,
      dropMessageCompiler: true,
      module: 'petite-vue-i18n',
    }),
    elementPlus({}),
    ...(isPage(mode) ? build(mode) : []),
    {
      name: 'muster-pages',
      configureServer(dev) {
        dev.middlewares.use((request, _, next) => {
          const page = Object.entries(pages).find(
            ([path]) => request.url === path || request.url?.startsWith(`${path}/`),
          )
          if (page) request.url = page[1]
          next()
        })
      },
    },
  ],
  base: '/',
  define: { __VUE_OPTIONS_API__: false, __INTLIFY_PROD_DEVTOOLS__: false, __VUE_I18N_LEGACY_API__: false },
  build: {
    target: 'es2022',
    sourcemap: false,
    modulePreload: { polyfill: false },
    // Two KiB less than the default minifier leaves: on the phones' network they count.
    minify: mode === 'console' ? 'oxc' : 'terser',
    terserOptions: { ecma: 2020, module: true, compress: { passes: 3, unsafe_arrows: true } },
    emptyOutDir: mode === 'household',
    assetsDir: `assets/${mode}`,
    rollupOptions: {
      input: here(`${isPage(mode) ? mode : 'console'}.html`),
      ...(isPage(mode) && { output: OUTPUT[mode] }),
    },
  },
  worker: { format: 'es' },
  server: {
    // The examples of files to import are those that come with the binary.
    fs: { allow: [here('.'), here('../../config/samples')] },
    proxy: { '/api': { target: server, ws: true, changeOrigin: false }, '/tiles': server, '/map-data': server },
  },
  test: { environment: 'happy-dom', include: ['tests/**/*.test.ts'] },
}))
