/** Plugins run in the process of the command: what they do to it is told, and does no harm to whoever waits for its answer. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folderWith, type Ran } from '../testing.ts';

/** `plan` with a plugin that does this when it is loaded. */
function planWith(code: string, ...args: readonly string[]): Promise<Ran> {
  const plugin = "export default { name: 'rude', version: '1.0.0', api: '1.0', needs: { tools: [] }, apply() {} };";
  const cwd = folderWith({
    'config.yaml': 'sync: [{ source: a:1, destination: r.example/a:1 }]\n',
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

it('a plugin that calls process.exit(0) is named, and nobody takes it for the end of the command', async () => {
  const told = await planWith('process.exit(0);');
  expect(told.code).toBe(1);
  expect(told.stderr).toMatch(/^slipway: process\.exit was called at .*\/rude\.mjs:2:9 before the command had ended\n/);
});

it('a plugin that calls process.exit(0) once the command has ended does not change its code', async () => {
  const told = await planWith("process.on('beforeExit', () => process.exit(0));", '--only', 'nothing');
  expect(told.code).toBe(2);
});

it('what a plugin prints does not come between the lines of an answer, and a timer that it leaves does not keep the process', async () => {
  const told = await planWith(
    "console.log('hello'); process.stdout.write('there\\n'); setInterval(() => {}, 1000);",
    '--json',
  );
  expect(told.code).toBe(0);
  expect(JSON.parse(told.stdout)).toMatchObject({ command: 'plan', ok: true });
  expect(told.stderr).toMatch(/^hello\nthere\nslipway: ended, though a plugin left something open.*\n$/);
});
