import { existsSync, mkdtempSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { processesMarked } from './descendants.ts';
import { startersOf } from './fixtures.ts';
import { runProcess, type ProcessRequest } from './process.ts';

function request(args: readonly string[], more: Partial<ProcessRequest> = {}): ProcessRequest {
  return {
    path: process.execPath,
    args,
    cwd: tmpdir(),
    env: { PATH: '/usr/bin:/bin' },
    timeout: 15_000,
    maxOutput: 1024 * 1024,
    signal: new AbortController().signal,
    ...more,
  };
}

function shell(script: string, more: Partial<ProcessRequest> = {}): ProcessRequest {
  return request(['-c', script], { path: '/bin/sh', ...more });
}

/** Resolves once the file is there: the script has got that far. */
async function appeared(file: string): Promise<void> {
  while (!existsSync(file)) {
    await wait(10);
  }
}

async function abortWhenReady(script: (ready: string) => string, more: Partial<ProcessRequest> = {}) {
  const ready = join(mkdtempSync(join(tmpdir(), 'slipway-process-')), 'ready');
  const mark = `SLIPWAY_TEST=${ready}`;
  const abort = new AbortController();
  const running = runProcess(
    shell(script(ready), { signal: abort.signal, env: { PATH: '/usr/bin:/bin', SLIPWAY_TEST: ready }, ...more }),
  );
  await appeared(ready);
  const start = performance.now();
  abort.abort();
  const outcome = await running;
  return { outcome, ms: performance.now() - start, left: processesMarked(mark) };
}

/** Where there is no namespace to be had, the first round is the second one. */
describe.each(['auto', 'off'])('runProcess with SLIPWAY_PID_NAMESPACE=%s', (namespace) => {
  beforeEach(() => void vi.stubEnv('SLIPWAY_PID_NAMESPACE', namespace));
  afterEach(() => void vi.unstubAllEnvs());

  it('ends with the program, though a stranger that it left holds its pipes', async () => {
    // Neither the group nor the environment says whose it is.
    const running = runProcess(shell('env -i setsid sleep 12 & echo done', { timeout: 10_000 }));
    expect(await running).toMatchObject({ end: 'exit', code: 0, stdout: 'done\n' });
  });

  it('tells each process once that it is to stop', async () => {
    const lines: string[] = [];
    const script = (ready: string) =>
      `trap 'echo told >&2' TERM; touch ${ready}; i=0; while [ $i -lt 7 ]; do sleep 0.1; i=$((i+1)); done`;
    await abortWhenReady(script, { onStderrLine: (line) => lines.push(line) });
    expect(lines.filter((line) => line === 'told')).toHaveLength(1);
  });

  it('gives stdout, stderr by line, and the exit code', async () => {
    const lines: string[] = [];
    const outcome = await runProcess(
      shell('echo out; echo one >&2; printf two >&2; exit 3', { onStderrLine: (line) => lines.push(line) }),
    );
    expect(outcome).toEqual({ end: 'exit', code: 3, stdout: 'out\n', stderr: 'one\ntwo' });
    expect(lines).toEqual(['one', 'two']);
  });

  it('passes arguments as they are: nothing is expanded', async () => {
    const args = ['--help', '$(id)', '*', 'a b', '; true', ''];
    const outcome = await runProcess(
      request(['-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', ...args]),
    );
    expect(outcome.end === 'exit' && JSON.parse(outcome.stdout)).toEqual(args);
  });

  it('refuses a NUL and a path that would be looked up', async () => {
    expect(await runProcess(request(['a\0b']))).toEqual({
      end: 'not-started',
      message: 'an argument holds a NUL character',
    });
    expect(await runProcess(request([], { path: 'node' }))).toMatchObject({ end: 'not-started' });
    expect(await runProcess(request([], { path: '/does/not/exist' }))).toMatchObject({
      end: 'not-started',
      message: /does not exist/,
    });
  });

  it('gives nothing but the given environment, and an empty stdin', async () => {
    process.env['SLIPWAY_CANARY'] = 'canary-value';
    const outcome = await runProcess(shell('env; cat'));
    delete process.env['SLIPWAY_CANARY'];
    expect(outcome.end === 'exit' && outcome.stdout).not.toContain('canary');
  });

  it('sends input to stdin, and survives a program that does not read it', async () => {
    expect(await runProcess(shell('cat', { input: 'hello' }))).toMatchObject({ end: 'exit', stdout: 'hello' });
    expect(await runProcess(shell('exit 0', { input: Buffer.alloc(4 * 1024 * 1024) }))).toMatchObject({
      end: 'exit',
      code: 0,
    });
  });

  it('ends a program that writes too much', async () => {
    const outcome = await runProcess(shell('head -c 100000000 /dev/zero; sleep 20'));
    expect(outcome.end).toBe('overflow');
  });

  it('keeps the last 64 KiB of 100 MB of stderr', async () => {
    const script =
      'const l="x".repeat(999)+"\\n";for(let i=0;i<100000;i++)require("fs").writeSync(2,l);require("fs").writeSync(2,"the end")';
    const outcome = await runProcess(request(['-e', script]));
    if (outcome.end !== 'exit') {
      throw new Error(outcome.end);
    }
    expect(outcome.stderr.length).toBeLessThanOrEqual(64 * 1024);
    expect(outcome.stderr.endsWith('the end')).toBe(true);
  });

  it('ends at its time limit', async () => {
    expect(await runProcess(shell('echo begun >&2; exec sleep 30', { timeout: 300 }))).toEqual({
      end: 'timeout',
      stderr: 'begun',
    });
  });

  it('says which signal ended it', async () => {
    expect(await runProcess(shell('kill -KILL $$'))).toMatchObject({ end: 'signal', signal: 'SIGKILL' });
  });

  it('does not start when it is cancelled already', async () => {
    expect(await runProcess(shell('exit 0', { signal: AbortSignal.abort() }))).toEqual({
      end: 'cancelled',
      stderr: '',
    });
  });

  it('ends a program that ignores SIGTERM within two seconds', async () => {
    const { outcome, ms, left } = await abortWhenReady(
      (ready) => `trap '' TERM; touch ${ready}; while :; do sleep 0.1; done`,
    );
    expect(outcome.end).toBe('cancelled');
    expect(ms).toBeLessThan(2000);
    expect(left).toEqual([]);
  });

  it('lets a program that handles SIGTERM clean up', async () => {
    const { outcome, ms } = await abortWhenReady(
      (ready) => `trap 'echo cleaned >&2; exit 0' TERM; touch ${ready}; while :; do sleep 0.05; done`,
    );
    expect(outcome).toMatchObject({ end: 'cancelled', stderr: expect.stringContaining('cleaned') });
    expect(ms).toBeLessThan(1000);
  });

  it('ends grandchildren that ignore SIGTERM while their parent obeys it', async () => {
    const stubborn = (ready: string): string => `trap "" TERM; touch ${ready}; while :; do sleep 0.1; done`;
    const { ms, left } = await abortWhenReady((ready) => `sh -c '${stubborn(ready)}' >/dev/null 2>&1 & exec sleep 60`);
    expect(ms).toBeLessThan(2000);
    expect(left).toEqual([]);
  });

  it('ends grandchildren in a session of their own that hold the pipes', async () => {
    const { ms, left } = await abortWhenReady(
      (ready) =>
        `setsid sh -c 'trap "" TERM; touch ${ready}; while :; do sleep 0.1; done' & while [ ! -e ${ready} ]; do sleep 0.01; done`,
    );
    expect(ms).toBeLessThan(2500);
    expect(left).toEqual([]);
  });

  it('does not wait for a helper that a program leaves behind, and ends it', async () => {
    const mark = `left-${process.pid}`;
    const start = performance.now();
    const outcome = await runProcess(
      shell('sleep 60 & echo done', { env: { PATH: '/usr/bin:/bin', SLIPWAY_TEST: mark } }),
    );
    expect(outcome).toMatchObject({ end: 'exit', stdout: 'done\n' });
    expect(performance.now() - start).toBeLessThan(5000);
    expect(processesMarked(`SLIPWAY_TEST=${mark}`)).toEqual([]);
  });

  it('ends with what starts it, and the next is started by another one', async () => {
    const killed: number[] = [];
    const mark = `SLIPWAY_TEST=lost-${process.pid}`;
    const outcome = await runProcess(
      shell('setsid sleep 60 & echo ready >&2; exec sleep 60', {
        env: { PATH: '/usr/bin:/bin', SLIPWAY_TEST: mark.slice('SLIPWAY_TEST='.length) },
        onStderrLine: () => {
          killed.push(...startersOf(process.pid));
          for (const pid of killed) process.kill(pid, 'SIGKILL');
        },
      }),
    );
    expect(killed.length).toBeGreaterThan(0);
    expect(outcome).toEqual({ end: 'signal', signal: 'SIGKILL', stderr: 'ready' });
    expect(processesMarked(mark)).toEqual([]);
    expect(await runProcess(shell('echo again'))).toMatchObject({ end: 'exit', stdout: 'again\n' });
    expect(startersOf(process.pid)).not.toEqual(killed);
  });

  it('has another one start programs too, where many follow one another', async () => {
    const mark = `SLIPWAY_TEST=haste-${process.pid}`;
    const env = { PATH: '/usr/bin:/bin', SLIPWAY_TEST: mark.slice('SLIPWAY_TEST='.length) };
    await runProcess(shell('true'));
    const outcomes = await Promise.all(Array.from({ length: 80 }, () => runProcess(shell('echo x', { env }))));
    expect(new Set(outcomes.map(({ end }) => end))).toEqual(new Set(['exit']));
    // It gives itself its name once it has begun.
    await expect.poll(() => startersOf(process.pid)).toHaveLength(Math.min(2, availableParallelism()));
    expect(processesMarked(mark)).toEqual([]);
  });

  it('redacts lines before anything sees them, also when they come in pieces', async () => {
    const lines: string[] = [];
    const outcome = await runProcess(
      shell('printf "my can" >&2; sleep 0.05; printf "ary here\\n" >&2', {
        redact: (text) => text.replaceAll('canary', '***'),
        onStderrLine: (line) => lines.push(line),
      }),
    );
    expect(lines).toEqual(['my *** here']);
    expect(outcome).toMatchObject({ stderr: 'my *** here' });
  });
});
