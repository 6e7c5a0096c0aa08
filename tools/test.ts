/**
 * `npm test`: installs what is missing, then proves everything, the end-to-end tests with the real tools included.
 * Arguments go to vitest; then only the tests run, without the checks. The last line is `N passed, N failed`.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { catalogue, createToolFinder, ensureDebianPackages, installTools, pinnedNeed } from '@slipway/tools';
import type { Failure, Result } from '@slipway/core';
import type { InstallProgress } from '@slipway/tools';
import { runChecks, staticChecks, vitest } from './checks.ts';
import { child, root } from './child.ts';

interface Count {
  readonly passed: number;
  readonly failed: number;
}

const debianPackages = ['bubblewrap', 'busybox-static', 'chromium', 'runc', 'skopeo'];
const resultFile = join(root, 'node_modules', '.cache', 'slipway', 'vitest.json');

async function main(args: readonly string[]): Promise<number> {
  const ready = await prepare();
  if (!ready.ok) {
    tell(ready.failure);
    return close([{ passed: 0, failed: 1 }], 1);
  }
  const checks = args.length > 0 ? { passed: 0, failed: 0 } : await runChecks(staticChecks);
  const tests = await runTests(args);
  return close([checks, tests.count], tests.code === 0 && checks.failed > 0 ? 1 : tests.code);
}

async function prepare(): Promise<Result<unknown>> {
  const debian = await ensureDebianPackages(debianPackages, {
    run: (program, args, env) => child(program, args, { output: 'keep', env }),
    onInstall: (missing) => console.log(`installing the Debian packages ${missing.join(', ')} (under a minute)`),
  });
  if (!debian.ok) return debian;
  const finder = createToolFinder({ env: process.env });
  // Only benchmarks need those that remain.
  const needed = catalogue.filter(({ kind }) => kind !== 'bench');
  const found = await Promise.all(needed.map((pin) => finder.find(pinnedNeed(pin))));
  const missing = needed.filter((_, index) => found[index]?.ok !== true);
  if (missing.length === 0) return debian;
  const minutes = Math.ceil(missing.reduce((sum, pin) => sum + pin.expectedSeconds, 0) / 60);
  const names = missing.map((pin) => pin.name);
  console.log(`building ${names.join(', ')} from pinned sources: about ${minutes} min on two idle cores, once`);
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  process.on('SIGINT', abort).on('SIGTERM', abort);
  const installed = await installTools({ names, env: process.env, signal: stop.signal, onProgress: progressPrinter() });
  process.off('SIGINT', abort).off('SIGTERM', abort);
  return installed;
}

/** A line when a build begins and ends, and one every half minute, so that a log shows that something happens. */
function progressPrinter(): (progress: InstallProgress) => void {
  let shown = '';
  return ({ state, tool, index, total, seconds, expectedSeconds }) => {
    const key = `${state} ${tool} ${Math.floor(seconds / 30)}`;
    if (key === shown) return;
    shown = key;
    const time = state === 'built' ? `${seconds.toFixed(0)} s` : `${seconds.toFixed(0)} of about ${expectedSeconds} s`;
    console.log(
      state === 'waiting'
        ? `waiting for another installation: ${time}`
        : `[${index}/${total}] ${state} ${tool}: ${time}`,
    );
  };
}

function tell(failure: Failure): void {
  console.error(
    [failure.message, 'output' in failure ? failure.output : undefined, failure.hint].filter(Boolean).join('\n'),
  );
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
