import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['slipway-source'] } },
  // Where global set-up runs; it does not take the conditions of `ssr`.
  environments: { __vitest__: { resolve: { conditions: ['slipway-source'] } } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{core,cli,tools,plugins/*,examples/*}/src/**/*.test.ts', 'docs/snippets/*.test.ts'],
          setupFiles: ['test/unit-setup.ts'],
          // Modules hold no state that tests could leave behind, and loading them anew for each file takes longer than the tests.
          isolate: false,
          sequence: { groupOrder: 0 },
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'real',
          include: ['test/**/*.test.ts', 'examples/*/test/*.test.ts'],
          globalSetup: ['test/setup.ts'],
          // After the unit tests: what breaks there need not be looked for here.
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // A browser on a busy machine answers an event late.
          expect: { poll: { timeout: 20_000 } },
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
    ],
  },
});
