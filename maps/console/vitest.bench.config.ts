import { defineConfig } from 'vitest/config'

/** Measurements of the pages in Chromium against the release build; they print tables. Not part of the tests. */
export default defineConfig({
  test: {
    environment: 'node',
    include: ['bench/**/*.bench.ts'],
    testTimeout: 900_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    fileParallelism: false,
    disableConsoleIntercept: true,
    reporters: ['dot'],
  },
})
