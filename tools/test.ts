/**
 * `npm test`: installs what is missing, then proves everything, the end-to-end tests with the real tools included.
 * Arguments go to vitest; then only the tests run, without the checks. The last line is `N passed, N failed`.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { prepare } from '../demo/world/prepare.ts';
import { runChecks, staticChecks, vitest } from './checks.ts';
import { child, root } from './child.ts';

interface Count {
  readonly passed: number;
  readonly failed: number;
}

const debianPackages = ['bubblewrap', 'busybox-static', 'chromium', 'runc', 'skopeo'];
const resultFile = join(root, 'node_modules', '.cache', 'slipway', 'vitest.json');

async function main(args: readonly string[]): Promise<number> {
  try {
    await install();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return close([{ passed: 0, failed: 1 }], 1);
  }
  const checks = args.length > 0 ? { passed: 0, failed: 0 } : await runChecks(staticChecks);
  const tests = await runTests(args);
  return close([checks, tests.count], tests.code === 0 && checks.failed > 0 ? 1 : tests.code);
}

async function install(): Promise<void> {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  process.on('SIGINT', abort).on('SIGTERM', abort);
  await prepare({ packages: debianPackages, log: console.log, signal: stop.signal });
  process.off('SIGINT', abort).off('SIGTERM', abort);
  stop.signal.throwIfAborted();
}

async function runTests(args: readonly string[]): Promise<{ readonly code: number; readonly count: Count }> {
  await mkdir(dirname(resultFile), { recursive: true });
  // What an earlier run left must not be counted when this one crashes.
  await rm(resultFile, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`];
  const { code } = await child(process.execPath, [vitest, 'run', ...reporters, ...args], { output: 'show' });
  const text = await readFile(resultFile, 'utf8').catch(() => '{}');
  return { code, count: countTests(JSON.parse(text) as Partial<Report>, code) };
}

/** The part of vitest's JSON report that is read. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

function countTests(
  { numPassedTests = 0, numFailedTests = 0, testResults = [] }: Partial<Report>,
  code: number,
): Count {
  // A file that cannot even be loaded has failed without a failing test in it.
  const broken = testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  );
  const failed = numFailedTests + broken.length;
  return { passed: numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed };
}

function close(counts: readonly Count[], code: number): number {
  const sum = (key: keyof Count): number => counts.reduce((total, count) => total + count[key], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  return code;
}

process.exitCode = await main(process.argv.slice(2));
