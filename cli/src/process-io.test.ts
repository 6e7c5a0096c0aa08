/** Plugins run in the process of the command: what they do to it is told, and does no harm to whoever waits for its answer. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folderWith, type Ran } from '../testing.ts';

/** `plan` with a plugin that does this when it is loaded. */
function planWith(code: string, ...args: readonly string[]): Promise<Ran> {
  const plugin = "export default { name: 'rude', version: '1.0.0', api: '1.0', needs: { tools: [] }, apply() {} };";
  const cwd = folderWith({
    'config.yaml': 'sync: [{ source: a.example/x:1, destination: b.example/x:1 }]\n',
    'slipway.config.yaml': 'plugins: [./rude.mjs]\n',
    'rude.mjs': `${plugin}\n${code}\n`,
  });
  const { promise, resolve } = Promise.withResolvers<Ran>();
  // One that hangs is ended by SIGTERM, and has another code.
  const options = { cwd, timeout: 60_000 };
  const child = execFile(join(import.meta.dirname, '../bin/slipway'), ['plan', ...args], options, (_, stdout, stderr) =>
    resolve({ code: child.exitCode ?? -1, stdout, stderr }),
  );
  return promise;
}

it.each([0, 3])(
  'a plugin that calls process.exit(%d) is named, and nobody takes it for the end of the command',
  async (code) => {
    const told = await planWith(`process.exit(${code});`);
    expect(told.code).toBe(1);
    expect(told.stderr).toMatch(
      /^slipway: process\.exit was called at .*\/rude\.mjs:2:9 before the command had ended\n/,
    );
  },
);

it('a plugin that throws where nobody waits is named', async () => {
  const told = await planWith("setTimeout(() => { throw new Error('nobody waits'); });");
  expect(told.code).toBe(1);
  expect(told.stderr).toMatch(/^slipway: this is a bug: nobody waits \(.*\/rude\.mjs:2:26\)\n/);
});

it('a plugin that leaves a timer running does not keep the process', async () => {
  const told = await planWith('setInterval(() => {}, 1000);');
  expect(told.code).toBe(0);
  expect(told.stdout).toContain('1 entry');
  expect(told.stderr).toContain('a plugin left something open');
  // The command's own code is kept.
  expect(await planWith('setInterval(() => {}, 1000);', '--only', 'nothing')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('a plugin left something open'),
  });
});

it('what a plugin prints does not come between the lines of an answer', async () => {
  const told = await planWith("console.log('hello'); process.stdout.write('there\\n');", '--json');
  expect(JSON.parse(told.stdout)).toMatchObject({ command: 'plan', ok: true });
  expect(told.stderr).toBe('hello\nthere\n');
});
