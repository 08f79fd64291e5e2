import { defineConfig } from 'vitest/config'

/** Measurements in Debian's Chromium against the real binary; `console.log` is their output. */
export default defineConfig({
  test: {
    environment: 'node',
    include: ['bench/**/*.bench.ts'],
    testTimeout: 900_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
})
