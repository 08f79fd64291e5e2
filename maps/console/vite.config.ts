import vue from '@vitejs/plugin-vue'
import i18n from '@intlify/unplugin-vue-i18n/vite'
import elementPlus from 'unplugin-element-plus/vite'
import { defineConfig } from 'vitest/config'
import { installable } from './build/install.ts'
import { pack } from './build/pack.ts'
import { here } from './build/pages.ts'
import { weigh } from './build/weigh.ts'

/** Where `npm run dev` finds the server. */
const server = process.env.MUSTER_URL ?? 'http://127.0.0.1:8080'
const pages = { '/console': '/console.html', '/m': '/phone.html', '/h': '/phone.html', '/join': '/phone.html' }

/** What comes as one file: fewer requests, and it packs better than many small ones. */
const PHONE_FILES = [
  {
    name: 'base',
    test: /node_modules\/(@?vue|petite-vue-i18n|@intlify|openapi-fetch|uuid)\/|plugin-vue|rolldown|src\/shared\/(api|said|i18n|words\/)|preload-helper/,
  },
  {
    name: 'reports',
    test: /node_modules\/idb\/|src\/phone\/(outbox|kept)\/|src\/phone\/(update|here)\.ts|src\/shared\/time|parts\/(OutboxList|OccasionBar|LinkBar)/,
  },
]

/**
 * Each page is built by itself (`--mode phone`, then `--mode console`): shared chunks would bring to the phones what only the console
 * uses.
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
    ...(mode === 'phone' || mode === 'console'
      ? [weigh(mode, /PersonPage\.vue$/), mode === 'phone' && installable(), pack(mode)]
      : []),
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
    minify: mode === 'phone' ? 'terser' : 'oxc',
    terserOptions: { ecma: 2020, module: true, compress: { passes: 3, unsafe_arrows: true } },
    emptyOutDir: mode === 'phone',
    assetsDir: `assets/${mode}`,
    rollupOptions: {
      input: here(mode === 'phone' ? 'phone.html' : 'console.html'),
      ...(mode === 'phone' && { output: { codeSplitting: { groups: PHONE_FILES } } }),
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
