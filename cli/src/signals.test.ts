/** The command as a process of its own, and what a terminal that closes does to it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { expect, onTestFinished, test } from 'vitest';
import { folderWith } from '../testing.ts';

const launcher = join(import.meta.dirname, '..', 'bin', 'slipway');

test.each([
  { by: 'a shell', program: [launcher], code: 130, tags: [] },
  { by: 'nohup', program: ['nohup', launcher], code: 0, tags: ['1'] },
])('a run that $by has started ends with $code after SIGHUP', async ({ program: [file = '', ...args], code, tags }) => {
  const registry = await startScriptedRegistry();
  onTestFinished(() => registry.close());
  seedImage(registry, 'a', 'a', { tag: '1' });
  const asked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  registry.onRequest = async ({ path }) => {
    if (!path.includes('/to/a/')) return undefined;
    asked.resolve();
    await goOn.promise;
    return undefined;
  };
  const cwd = folderWith({
    'config.yaml': `sync: [{ source: '${registry.host}/a:1', destination: '${registry.host}/to/a:1' }]\n`,
    'slipway.config.yaml': "trust: [{ match: '*', level: copy }]\n",
  });
  const child = spawn(file, [...args, 'run'], { cwd, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await Promise.race([asked.promise, ended]);
  child.kill('SIGHUP');
  // What is interrupted ends by itself; everything else waits for this.
  if (code === 0) goOn.resolve();
  expect([await ended, registry.tags('to/a')]).toEqual([[code, null], tags]);
});
