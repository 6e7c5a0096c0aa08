/** The contract suite on the mode `text`: shape, output, manners. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestWorld, modeInput, modeSuite } from '@slipway/core/testing';
import { describe, it, onTestFinished } from 'vitest';
import plugin from './mode-text.ts';

/** The config's folder in the check that runs. */
let root = '';

modeSuite(
  { describe, it },
  {
    plugin,
    mode: 'text',
    // A plugin with tools gives a `finder` here.
    world: async () => {
      const world = await createTestWorld({ files: { 'hello.txt': 'Hello.\n' } });
      onTestFinished(() => world.close());
      root = world.root;
      return world;
    },
    input: () => modeInput({ plugin, mode: 'text', root, source: 'hello.txt' }),
    // What must be the same when it is built twice.
    repeatable: ({ layout }) => readFile(join(layout, 'index.json'), 'utf8'),
  },
);
