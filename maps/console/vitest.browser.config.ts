import { defineConfig } from 'vitest/config'

/** The pages in Debian's Chromium against the real binary: a server and a browser for each file. */
export default defineConfig({
  test: {
    environment: 'node',
    include: ['browser/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    fileParallelism: false,
    // Each test goes on where the one before it stopped.
    bail: 1,
  },
})
