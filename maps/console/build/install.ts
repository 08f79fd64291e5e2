/** What makes the phone pages installable and opens them without a network: the manifest and the service worker. */
import { VitePWA } from 'vite-plugin-pwa'

const GROUND = '#0d1420'

/** The server knows a page by its address, not by its file. */
const ADDRESSES: Record<string, string> = { 'phone.html': '/m', 'household.html': '/h' }

/** Only the phones' files are in `dist` when it runs (see `pages.ts`), so none of the console's is kept on a phone. */
export const installable = () =>
  VitePWA({
    strategies: 'injectManifest',
    srcDir: 'src/phone/worker',
    filename: 'sw.ts',
    // `src/phone/update.ts` registers it, once the page can be used.
    injectRegister: false,
    includeManifestIcons: false,
    injectManifest: {
      rollupFormat: 'iife',
      globPatterns: ['phone.html', 'household.html', 'icon.svg', 'assets/phone/**'],
      // Their names carry their content's hash: the browser's own cache has them already.
      dontCacheBustURLsMatching: /^assets\//,
      manifestTransforms: [
        (entries) => ({
          manifest: entries.map((entry) => ({ ...entry, url: ADDRESSES[entry.url] ?? `/${entry.url}` })),
        }),
      ],
    },
    manifest: {
      id: '/m',
      name: '平急应急指挥',
      short_name: '平急指挥',
      description: '预警、到岗与入户点名',
      lang: 'zh-CN',
      start_url: '/m',
      scope: '/',
      display: 'standalone',
      theme_color: GROUND,
      background_color: GROUND,
      icons: [
        { src: '/icons/icon-192.png', sizes: '192x192', type: 'image/png' },
        { src: '/icons/icon-512.png', sizes: '512x512', type: 'image/png' },
        { src: '/icons/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
      ],
    },
  })
