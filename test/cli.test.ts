/** The command as a process: streams, exit codes, the published schemas, terminals. */
/* oxlint-disable no-control-regex -- terminals are spoken to in control characters */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answerOf, complaintsAbout } from '../cli/testing.ts';
import { worldEnvironment } from '../demo/world/settings.ts';
import { run } from '../demo/world/processes.ts';
import { project, type Project } from './chain/project.ts';
import { leakyImage, source } from './chain/shorthand.ts';
import { freshFolder, freshPath, launcher, slipway, world, writeFiles } from './world.ts';

/** One image that is published, one that the gate refuses. */
async function twoImages(name: string, settings: Readonly<Record<string, unknown>> = {}): Promise<Project> {
  const [good, leaky] = [await source(name), await source(`${name}-leaky`, leakyImage(name))];
  const entry = ({ path }: { readonly path: string }): Readonly<Record<string, unknown>> => ({
    source: `hub.slipway.example/${path}:1`,
    destination: `${world().destination.host}/${freshPath(name)}:1`,
  });
  const one = await project({
    sync: [entry(good), entry(leaky)],
    settings: { policy: { overrides: [{ match: '*', verdict: 'report' }] }, ...settings },
  });
  return one;
}

describe('answers and events', () => {
  test('every command answers by the published schema, on stdout alone', async () => {
    const one = await twoImages('answers');
    const at = { cwd: one.folder };
    const said = await slipway(['run', '--json', '--progress', 'json'], at);
    expect(said.code, said.stderr).toBe(0);
    const { entries } = answerOf(said);
    expect(entries).toHaveLength(2);

    const events = said.stderr
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(events.flatMap(complaintsAbout)).toEqual([]);
    const typeOf = (event: unknown): string => (event as { readonly type: string }).type;
    // What takes a while tells how far it is, and no journal keeps that.
    const kept = events.filter((event) => typeOf(event) !== 'task.progress');
    expect(new Set(kept.map(typeOf))).toEqual(
      new Set([
        'run.start',
        'entry.chain',
        'task.start',
        'task.log',
        'task.tool',
        'task.done',
        'tag.move',
        'image',
        'entry.done',
        'run.done',
      ]),
    );
    expect(await one.journals()).toEqual([kept]);

    const [first] = entries as readonly unknown[] as readonly { readonly destination: string }[];
    for (const args of [
      ['plan', '--resolve'],
      ['scan'],
      ['verify', '--deep'],
      ['doctor'],
      ['show', '--sbom', first?.destination ?? ''],
      ['show', first?.destination ?? '', '--sbom', '--platform', 'linux/amd64'],
    ]) {
      const options = args[0] === 'show' ? [] : ['--progress', 'quiet'];
      const ran = await slipway([...args, '--json', ...options], at);
      expect(ran, args.join(' ')).toMatchObject({ code: 0, stderr: '' });
      expect(answerOf(ran)).toMatchObject({ command: args[0], ok: true });
    }
  });

  test('failures of every exit code answer by it too', async () => {
    const one = await twoImages('refusals');
    const at = { cwd: one.folder };
    await one.change({ settings: { policy: { sync: 'refuse' } } });
    const gate = await slipway(['run', '--json', '--progress', 'json'], at);
    expect(gate.code).toBe(3);
    expect(answerOf(gate)).toMatchObject({ ok: false });
    const events = gate.stderr
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(events.flatMap(complaintsAbout)).toEqual([]);
    const verified = await slipway(['verify', '--json'], at);
    expect(verified.code).toBe(1);
    expect(answerOf(verified)).toMatchObject({ ok: false, entries: [{ ok: true }, { ok: false, missing: ['tag'] }] });
    const none = await slipway(['show', '--json', `${world().destination.host}/test/no-such:1`], at);
    expect(none.code).toBe(1);
    expect(answerOf(none).failures[0]).toMatchObject({ reason: 'registry', side: 'destination' });
  });
});

describe('what people read', () => {
  test('a run without a terminal: steps with their seconds on stderr, the table on stdout, each failure once', async () => {
    const one = await twoImages('people');
    await one.change({ settings: { policy: { sync: 'refuse' } } });
    const { code, stdout, stderr } = await slipway(['run'], { cwd: one.folder });
    expect(code).toBe(3);
    expect(stdout).not.toMatch(/\u001b/);
    expect(stderr).not.toMatch(/\u001b/);
    expect(stderr).toMatch(/^run \d{8}-\d{6}-[0-9a-f]{8}: 2 entries\n/);
    expect(stderr).toMatch(/#copy ended \(\d+\.\d s\)\n/);
    // What the tools chatter stays in the journal.
    expect(stderr.trimEnd().split('\n').length).toBeLessThan(25);
    expect(stdout).toMatch(/^destination +outcome /);
    expect(stdout).toMatch(/refused .* see below\n/);
    expect(stdout.match(/CVE-2026-10001/g)).toHaveLength(1);
    expect(stdout).toMatch(/\n1 published, 1 refused in .* s; journal: \.slipway\/runs\/.*\.ndjson\n$/);
  });

  test('a tool that fails: its own words whole, once, last; in progress only the step', async () => {
    const one = await twoImages('tool', { use: { 'image.copy': 'sync-crane' } });
    const bin = join(await freshFolder(), 'bin');
    const script =
      '#!/bin/sh\ncase "$1" in version) echo 0.22.1;; *) echo "line one" >&2; echo "line two" >&2; exit 7;; esac\n';
    await writeFiles(bin, { crane: script });
    await run('chmod', ['+x', join(bin, 'crane')]);
    const { code, stdout, stderr } = await slipway(['run'], { cwd: one.folder, env: { PATH: `${bin}:/usr/bin:/bin` } });
    expect(code).toBe(1);
    expect(stderr).not.toContain('line one');
    expect(stdout).toContain('    | line one\n    | line two\n');
    expect(stdout).toMatch(/failed sync:.*\n {2}tool: crane ended with exit code 7/);
  });

  test('a reader that goes away is no failure', async () => {
    const folder = await freshFolder();
    const entries = Array.from(
      { length: 20_000 },
      (_, n) => `  - { source: "a.example/b:${n}", destination: "c.example/d:${n}" }\n`,
    );
    await writeFiles(folder, { 'config.yaml': `sync:\n${entries.join('')}` });
    const { stdout, stderr } = await run('bash', ['-c', 'set -o pipefail; "$0" plan | head -n 1', launcher()], {
      cwd: folder,
    });
    expect(stdout).toBe('sync (20000)\n');
    expect(stderr).toBe('');
  });

  test('a result that cannot be written is one', async () => {
    const folder = await freshFolder();
    await writeFiles(folder, { 'config.yaml': 'sync: []\n' });
    const script = '"$0" plan > /dev/full; echo "code $?"';
    const { stdout, stderr } = await run('sh', ['-c', script, launcher()], { cwd: folder });
    expect(stdout).toBe('code 1\n');
    expect(stderr).toContain('ENOSPC');
  });
});

describe('before anything runs', () => {
  test('a missing tool is exit 5 and names the command', async () => {
    const one = await twoImages('missing');
    const empty = await freshFolder();
    // sh, to start with; and nothing else.
    await mkdir(join(empty, 'bin'));
    for (const name of ['sh', 'readlink', 'dirname', 'uname'])
      await run('ln', ['-s', `/bin/${name}`, join(empty, 'bin', name)]);
    const env = { PATH: join(empty, 'bin'), SLIPWAY_TOOLS: join(empty, 'tools') };
    const { code, stdout, stderr } = await slipway(['run'], { cwd: one.folder, env });
    expect(code).toBe(5);
    expect(stdout).toBe('');
    expect(stderr).toContain('slipway tools install');
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(await one.journals()).toEqual([]);
  });

  test.each([
    ['a timer', "setTimeout(() => { throw new Error('nobody waits'); });"],
    ['a promise', "void Promise.reject(new Error('nobody waits'));"],
  ])('a plugin that throws in %s is told in a sentence', async (_, code) => {
    const folder = await freshFolder();
    const plugin = "export default { name: 'late', version: '1.0.0', api: '1.0', needs: { tools: [] }, apply() {} };";
    await writeFiles(folder, {
      'config.yaml': 'sync: [{ source: a:1, destination: r.example/a:1 }]\n',
      'slipway.config.yaml': 'plugins: [./late.mjs]\n',
      'late.mjs': `${plugin}\n${code}\n`,
    });
    const told = await slipway(['plan'], { cwd: folder });
    expect(told.code).toBe(1);
    expect(told.stderr).toMatch(
      /^slipway: this is a bug: nobody waits \(.*late\.mjs:2:[0-9]+\)\nset SLIPWAY_DEBUG=1 .*\n$/,
    );
  });

  test('no key and no identity is exit 2', async () => {
    const one = await twoImages('nobody');
    await one.change({ settings: { signing: undefined } });
    const { code, stderr } = await slipway(['run', '--json'], { cwd: one.folder });
    expect(code).toBe(2);
    expect(stderr).toContain('signing.key');
    expect(await one.journals()).toEqual([]);
  });
});

/** Runs Slipway in a pseudo-terminal of 100 columns; everything it wrote, stdout and stderr in one. */
async function inTerminal(
  one: Project,
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<string> {
  const command = [launcher(), ...args].map((word) => `'${word}'`).join(' ');
  // Either of them would turn off what is looked at, whatever its value.
  const { CI: _ci, NO_COLOR: _color, ...surroundings } = process.env;
  const child = spawn('script', ['-qec', `stty cols 100; ${command}`, '/dev/null'], {
    cwd: one.folder,
    env: { ...surroundings, TERM: 'xterm-256color', ...worldEnvironment(world()), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await new Promise((resolve) => child.on('close', resolve));
  return text;
}

describe('in a terminal', () => {
  test('progress is drawn in place, calmly, and goes away; the cursor is never hidden', async () => {
    const text = await inTerminal(await twoImages('tty'), {}, 'run');
    // Terminals that know these marks show a frame as a whole.
    const [begin, end] = ['\u001b[?2026h', '\u001b[?2026l'];
    const frames = text.split(begin).slice(1);
    expect(frames.length).toBeGreaterThan(3);
    // At most ten times a second, and only when something changed.
    expect(frames.length).toBeLessThan(150);
    expect(text).toMatch(/0 s {2}0\/2 entries/);
    expect(text).not.toContain('\u001b[?25l');
    const after = text.slice(text.lastIndexOf(end) + end.length);
    expect(after).toMatch(/^destination +outcome /);
    expect(after).toContain('\u001b[32mpublished');
    expect(after).not.toContain('entries');
    for (const line of text.slice(0, text.lastIndexOf(end)).split(/\r?\n/)) {
      const shown = line.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r', '');
      expect(shown.length, shown).toBeLessThan(100);
    }
  });

  test('NO_COLOR leaves out colours', async () => {
    expect(await inTerminal(await twoImages('nocolor'), { NO_COLOR: '1' }, 'run')).not.toMatch(/\u001b\[\d+m/);
  });
});
