/** What must hold before a change is done, apart from the tests with the real tools. */
import { join } from 'node:path';
import { child, root } from './child.ts';

export interface Check {
  readonly name: string;
  /** Arguments of the Node.js that runs this script. */
  readonly args: readonly string[];
}

const installed = (path: string): string => join(root, 'node_modules', path);

export const vitest = installed('vitest/vitest.mjs');

/** Without running the code. */
export const staticChecks: readonly Check[] = [
  { name: 'types', args: [installed('typescript/bin/tsc'), '-p', '.'] },
  { name: 'unused code', args: [installed('knip/bin/knip.js'), '--no-progress'] },
  { name: 'lint', args: [installed('oxlint/bin/oxlint'), '--deny-warnings', '.'] },
  { name: 'format', args: [installed('oxfmt/bin/oxfmt'), '--check', '.'] },
];

/** Import rules are among the unit tests. */
export const unitTests: Check = { name: 'unit tests', args: [vitest, 'run', '--project', 'unit'] };

/** Two at a time; prints a line for each and the whole output of those that fail. Returns how many passed and failed. */
export async function runChecks(
  checks: readonly Check[],
): Promise<{ readonly passed: number; readonly failed: number }> {
  const waiting = [...checks];
  let failed = 0;
  const worker = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      if (!(await passes(check))) failed += 1;
    }
  };
  await Promise.all([worker(), worker()]);
  return { passed: checks.length - failed, failed };
}

async function passes({ name, args }: Check): Promise<boolean> {
  const start = performance.now();
  const { ok, stdout, stderr } = await child(process.execPath, args, { output: 'keep' });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(12)} ${seconds.padStart(5)} s`);
  if (!ok) console.log(`${stdout}${stderr}`.trimEnd());
  return ok;
}
