import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Most files wait for servers most of the time; each has an installation of its own, so they do not meet.
    maxWorkers: 3,
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'schemas/src/**/*.test.ts',
            'infra/src/**/*.test.ts',
            'services/*/src/**/*.test.ts',
            'test/{benchmarks,demonstration,faults}/**/*.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/stack.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'end-to-end',
          include: ['test/end-to-end/**/*.test.ts'],
          globalSetup: ['test/stack.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
