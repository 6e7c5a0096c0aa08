/** The contract suite on the mode `text`: shape, output, manners. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestWorld, modeInput, modeSuite } from '@slipway/core/testing';
import { describe, it, onTestFinished } from 'vitest';
import plugin from './mode-text.ts';

/** Of the check that runs now: each has a checkout of its own. */
let root = '';

async function world() {
  // A plugin that needs tools gives a finder here: `createToolFinder` of @slipway/tools.
  const made = await createTestWorld({ files: { 'hello.txt': 'Hello.\n' } });
  onTestFinished(() => made.close());
  root = made.root;
  return made;
}

modeSuite(
  { describe, it },
  {
    plugin,
    mode: 'text',
    world,
    input: () => modeInput({ plugin, mode: 'text', root, source: 'hello.txt' }),
    repeatable: ({ layout }) => readFile(join(layout, 'index.json'), 'utf8'),
  },
);
