import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ok, parseReference } from '@slipway/core';
import { createTestContext, createTestWorld } from '@slipway/core/testing';
import { expect, it, onTestFinished } from 'vitest';
import { pull } from './exec.ts';

it('starts the declared tool with a list of arguments, in a folder of the task', async () => {
  const made = await createTestWorld({ files: {} });
  onTestFinished(() => made.close());
  // Stands for crane: it writes down what it is asked, where the layout should be.
  const path = join(made.work, 'crane');
  await writeFile(path, '#!/bin/sh\nfor last; do :; done\nmkdir -p "$last" && printf "%s\\n" "$@" > "$last/asked"\n');
  await chmod(path, 0o755);
  const finder = { find: async ({ name }: { readonly name: string }) => ok({ name, path, version: '0.22.1' }) };
  const plugin = { name: 'example', needs: { tools: [{ name: 'crane', range: '>=0.20 <1' }] } };
  const context = await createTestContext({ ...made, finder, plugin });
  const text = `127.0.0.1:5000/app@sha256:${'a'.repeat(64)}`;
  const image = parseReference(text);
  if (!image.ok || image.value.kind !== 'pinned') throw new Error('it is pinned');
  const layout = join(context.files.work, 'pulled');
  expect(await pull(image.value, context)).toEqual({ ok: true, value: layout });
  const asked = (await readFile(join(layout, 'asked'), 'utf8')).trim().split('\n');
  expect(asked).toEqual(['pull', '--insecure', '--format', 'oci', text, layout]);
});
