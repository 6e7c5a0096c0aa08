import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { imported } from '../testing/killed-at.ts';

/** In a process in which nothing else is to be waited for. */
async function alone(script: string): Promise<string> {
  const timeLimit = imported(join(import.meta.dirname, 'time-limit.ts'));
  const flags = ['--conditions=slipway-source', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e'];
  const text = `const { createTimeLimit } = ${timeLimit}; const task = { id: 'a#copy', contract: 'image.copy@1' }; ${script}`;
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, text]);
  return stdout.trim();
}

const FOREVER = '() => new Promise(() => {})';

test('a step that waits for nothing is ended by its time limit, and not by the end of the process', async () => {
  const said = await alone(`
    const within = createTimeLimit(new AbortController().signal, 20);
    console.log(JSON.stringify(await within(task, ${FOREVER})));`);
  expect(JSON.parse(said)).toMatchObject({ ok: false, failure: { tool: 'image.copy@1', class: 'permanent' } });
});

test('a step that waited for a program says for which', async () => {
  const said = await alone(`
    const failure = { reason: 'tool', class: 'transient', tool: 'crane', message: 'stopped' };
    const work = (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({ ok: false, failure })));
    console.log(JSON.stringify(await createTimeLimit(new AbortController().signal, 20)(task, work)));`);
  const failure = {
    tool: 'crane',
    class: 'permanent',
    message: 'a#copy did not end within 0 s: crane was still at work',
  };
  expect(JSON.parse(said)).toMatchObject({ ok: false, failure });
});

test('a step that waited for a plugin that does not notice that it is to stop says for which', async () => {
  const host = imported(join(import.meta.dirname, '../plugin/host.ts'));
  const said = await alone(`
    const { createHost } = ${host};
    const apply = (hooks) => hooks.task.for('image.copy@1').tapPromise('slow', ${FOREVER});
    const plugin = { name: 'slow', version: '1', api: '1.0', needs: { tools: [] }, apply };
    const { value } = await createHost([{ plugin, options: {} }], {});
    const image = { kind: 'pinned', registry: 'r.example', path: 'a', digest: 'sha256:' + 'a'.repeat(64) };
    const work = (signal) => value.call('image.copy@1', { sources: [image], destination: image }, { signal });
    console.log(JSON.stringify(await createTimeLimit(new AbortController().signal, 20)(task, work)));`);
  const message = 'a#copy did not end within 0 s: plugin slow was still at work';
  expect(JSON.parse(said)).toMatchObject({ ok: false, failure: { tool: 'image.copy@1', message } });
});

test('a step that does not notice that it is to stop is left behind', async () => {
  const said = await alone(`
    const control = new AbortController();
    const running = createTimeLimit(control.signal, 60_000)(task, ${FOREVER});
    control.abort();
    console.log(JSON.stringify(await running));`);
  expect(JSON.parse(said)).toMatchObject({ ok: false, failure: { class: 'cancelled' } });
});

test('one that ends leaves nothing that would keep the process', async () => {
  expect(
    await alone(`
    const control = new AbortController();
    const running = createTimeLimit(control.signal, 60_000)(task, async () => ({ ok: true }));
    control.abort();
    console.log(JSON.stringify(await running));`),
  ).toBe('{"ok":true}');
});
