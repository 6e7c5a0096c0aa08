/**
 * The table of signals: which one the engine gets, and what tool is at work then. Nothing that the tool started is left in any
 * cell, with PID namespaces and without. Where somebody can be told anything the exit code says that the run was interrupted.
 */
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { pidNamespace } from '../core/src/exec/namespace.ts';
import { worldSettings } from '../demo/world/settings.ts';
import { processesWith, project, type Project, type Running } from './chain/project.ts';
import { freshPath, world } from './world.ts';

/** Milliseconds from the signal to the end of the engine and of everything that it started. */
const LIMIT = 2_500;

/** By what they do when they are told to stop; each says so once it can be told. */
const TOOLS = {
  obeys: 'echo ready >&2; exec sleep 300',
  ignores: `trap '' TERM INT; echo ready >&2; while :; do sleep 300; done`,
  'has a grandchild in a session of its own':
    'setsid sh -c \'trap "" TERM INT; echo ready >&2; while :; do sleep 300; done\' & wait',
} as const;

/** A mode whose build is one call of such a tool. */
const plugin = `
const inputs = async ({ source }) => ({ ok: true, value: {
  files: [source], packageIndexes: [], bases: [], platforms: [{ os: 'linux', architecture: 'amd64' }], packages: [], options: {},
} });
const build = async ({ exec }) => {
  const ran = await exec('hang', []);
  return ran.ok ? { ok: false, failure: { reason: 'tool', class: 'permanent', tool: 'hang', message: 'it ended by itself' } } : ran;
};
const mode = { name: 'hang', claims: (source) => source.endsWith('.hang'), inputs, build };
export default {
  name: 'build-hang', version: '1.0.0', api: '1.0', needs: { tools: [{ name: 'hang', range: '>=1' }] },
  apply: (hooks) => hooks.mode.tapPromise('build-hang', async (modes) => modes.add(mode)),
};
`;

async function hanging(tool: keyof typeof TOOLS): Promise<{ readonly made: Project; readonly path: string }> {
  const plugins = worldSettings(world())['plugins'] as readonly unknown[];
  const made = await project({
    build: [{ source: './image.hang', destination: `${world().destination.host}/${freshPath('signal')}:1` }],
    settings: { plugins: [...plugins, './hang.mjs'] },
    files: {
      'image.hang': '',
      'hang.mjs': plugin,
      'bin/hang': `#!/bin/sh\nif [ "$1" = --version ]; then echo 1.0.0; exit; fi\n${TOOLS[tool]}\n`,
    },
  });
  await chmod(join(made.folder, 'bin/hang'), 0o755);
  return { made, path: `${join(made.folder, 'bin')}:/usr/bin:/bin` };
}

/** Resolves when the tool is at work; a run that ends before is an error. */
async function atWork({ child, ended }: Running): Promise<void> {
  const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream });
  const ready = new Promise<void>((resolve) =>
    lines.on('line', (line) => {
      if (line.includes('"line":"ready"')) resolve();
    }),
  );
  const early = ended.then(({ stdout, stderr }) => Promise.reject(new Error(`it ended by itself: ${stdout}${stderr}`)));
  early.catch(() => undefined);
  await Promise.race([ready, early]);
}

/** Whatever it comes to itself, it leaves nothing of the run that was killed. */
async function nextRun(made: Project, path: string): Promise<void> {
  await writeFile(
    join(made.folder, 'bin/hang'),
    '#!/bin/sh\nif [ "$1" = --version ]; then echo 1.0.0; exit; fi\nexit 1\n',
  );
  const env = { PATH: path, SLIPWAY_PID_NAMESPACE: 'off' };
  expect((await made.runWith({ env }, 'run')).code).toBe(1);
  expect(await processesWith(made.folder)).toEqual([]);
  expect(await readdir(join(made.folder, '.slipway', 'tmp'))).toEqual([]);
}

const cells = (signals: readonly NodeJS.Signals[]) =>
  signals.flatMap((signal) => Object.keys(TOOLS).map((tool) => ({ signal, tool: tool as keyof typeof TOOLS })));

describe.each([
  { namespace: 'auto', signals: ['SIGINT', 'SIGTERM', 'SIGKILL'] },
  { namespace: 'off', signals: ['SIGINT', 'SIGTERM', 'SIGKILL'] },
] as const)('with SLIPWAY_PID_NAMESPACE=$namespace', ({ namespace, signals }) => {
  test.each(cells(signals))('$signal while a tool is at work that $tool', async ({ signal, tool }) => {
    expect(await pidNamespace(process.env), 'npm test installs bubblewrap').toBeDefined();
    const { made, path } = await hanging(tool);
    const running = made.startWith({ PATH: path, SLIPWAY_PID_NAMESPACE: namespace }, 'run', '--progress', 'json');
    await atWork(running);
    const tools = await processesWith(made.folder);
    expect(tools.filter((line) => line.includes('sleep') || line.includes('hang')).length).toBeGreaterThan(0);

    const from = performance.now();
    running.child.kill(signal);
    const ran = await running.ended;
    const ended = performance.now() - from;
    if (signal === 'SIGKILL') {
      expect(ran.signal).toBe(signal);
      // The kernel ends them, or what has started them; nobody waits for that.
      await expect.poll(() => processesWith(made.folder), { timeout: LIMIT, interval: 20 }).toEqual([]);
      if (namespace === 'off') await nextRun(made, path);
    } else {
      expect([ran.code, ran.signal]).toEqual([130, null]);
      expect(await processesWith(made.folder)).toEqual([]);
      expect(ran.answer.entries.map(({ outcome }) => outcome)).toEqual(['cancelled']);
    }
    expect(ended).toBeLessThan(LIMIT);
  });
});
