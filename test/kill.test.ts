/** Killed with SIGKILL, which nothing can handle, Slipway leaves no process behind: the kernel ends the tool's namespace. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { processesMarked } from '../core/src/exec/descendants.ts';
import { pidNamespace } from '../core/src/exec/namespace.ts';
import { listen } from '../demo/world/listen.ts';
import { freshFolder, launcher, slipway } from './world.ts';

const engine = `
  import { runProcess } from ${JSON.stringify(join(import.meta.dirname, '../core/src/exec/process.ts'))};
  await runProcess({
    path: '/bin/sh',
    args: ['-c', 'trap "" TERM INT; setsid sleep 300 & echo ready >&2; sleep 300'],
    cwd: '/tmp', env: { PATH: '/usr/bin:/bin', SLIPWAY_TEST: process.argv[1] }, timeout: 600000, maxOutput: 1024,
    signal: new AbortController().signal, onStderrLine: (line) => console.log(line),
  });
`;

describe('SIGKILL', () => {
  it('ends what the tools started, in sessions of their own too', async () => {
    expect(await pidNamespace(process.env), 'npm test installs bubblewrap').toBeDefined();
    const mark = randomUUID();
    const options = ['--conditions=slipway-source', '--disable-warning=ExperimentalWarning', '--input-type=module'];
    const child = spawn(process.execPath, [...options, '-e', engine, mark], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect(line.toString()).toBe('ready\n');
    expect(processesMarked(`SLIPWAY_TEST=${mark}`).length).toBeGreaterThan(2);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expect.poll(() => processesMarked(`SLIPWAY_TEST=${mark}`), { timeout: 5_000 }).toEqual([]);
  });

  it('of a command that only looks leaves nothing once the next one has begun', async () => {
    const TMPDIR = await freshFolder();
    const asked = Promise.withResolvers<void>();
    let answers = false;
    const server = createServer((_, response) => {
      asked.resolve();
      if (answers) response.writeHead(404).end();
    });
    const args = ['show', `127.0.0.1:${await listen(server)}/a:1`];
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const child = spawn(launcher(), args, {
      cwd: TMPDIR,
      env: { ...process.env, TMPDIR },
      stdio: 'ignore',
    });
    await asked.promise;
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await readdir(TMPDIR)).not.toEqual([]);
    answers = true;
    expect((await slipway(args, { cwd: TMPDIR, env: { TMPDIR } })).code).toBe(1);
    expect(await readdir(TMPDIR)).toEqual([]);
  });
});
