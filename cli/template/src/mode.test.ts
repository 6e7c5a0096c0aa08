/** The contract suite: what every mode must do and must not do. Your own tests follow it. */
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestContext, createTestWorld, modeInput, modeSuite } from '@slipway/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import plugin from './index.ts';
import { exampleMode } from './mode.ts';

const fixture = join(import.meta.dirname, '..', 'fixture');
const source = 'hello.example.json';

/** Of the check that runs now: each has a checkout of its own. */
let root = '';

async function world() {
  const made = await createTestWorld({ files: {} });
  onTestFinished(() => made.close());
  await cp(fixture, made.root, { recursive: true });
  root = made.root;
  return made;
}

const input = () => modeInput({ plugin, mode: 'example', root, source });

modeSuite(
  { describe, it },
  {
    plugin,
    mode: 'example',
    world,
    input,
    repeatable: ({ layout }) => readFile(join(layout, 'index.json'), 'utf8'),
  },
);

describe('the mode example', () => {
  it('is built again when one of its files changes', async () => {
    await world();
    const { inputs } = await input();
    expect(inputs.files).toEqual([source, 'files/hello.txt', 'files/installed', 'files/os-release']);
  });

  it('refuses a path that leaves the image', async () => {
    const made = await createTestWorld({ files: { [source]: '{ "../etc/passwd": "a" }', a: 'a' } });
    onTestFinished(() => made.close());
    const context = await createTestContext({ ...made, plugin });
    const given = await modeInput({ plugin, mode: 'example', root: made.root, source });
    expect(await exampleMode.build({ ...context, ...given })).toMatchObject({
      ok: false,
      failure: { reason: 'config' },
    });
  });
});
