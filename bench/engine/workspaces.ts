/** The same number of tasks for engines of JavaScript workspaces: a package each, in a git repository as people have it. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run } from '../../demo/world/processes.ts';
import type { Command } from '../kit/measure.ts';
import { npmPackage } from '../kit/npm.ts';
import type { Builder } from './builders.ts';

export const workspaces: readonly Builder[] = [
  turbo('turbo', ['--output-logs=none', '--ui=stream'], 'FULL TURBO'),
  turbo('turbo --dry-run', ['--dry-run=json'], '"tasks"'),
  { name: 'nx', prepare: prepareNx },
];

/** No daemon, no telemetry, and nobody at the other end of the network should one of them look for somebody. */
const QUIET: Readonly<Record<string, string>> = {
  ...{ NODE_OPTIONS: '', DO_NOT_TRACK: '1', CI: 'true', NO_COLOR: '1' },
  ...{ TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
  ...{ NX_DAEMON: 'false', NX_TUI: 'false', NX_NO_CLOUD: 'true' },
  ...{ HTTP_PROXY: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9' },
};

/** https://turborepo.dev/docs/reference/run */
function turbo(name: string, flags: readonly string[], done: string): Builder {
  return {
    name,
    async prepare(folder, tasks) {
      const script = { version: '1.0.0', scripts: { t: 'true' } };
      writePackages(folder, tasks, (task) => ['package.json', { name: task, ...script }]);
      const paths = Array.from({ length: tasks }, (_, n) => `packages/t${n}`);
      const locked = paths.map((path, n): [string, object] => [path, { name: `t${n}`, version: '1.0.0' }]);
      const links = paths.map((path, n): [string, object] => [`node_modules/t${n}`, { resolved: path, link: true }]);
      const root = { name: 'all', workspaces: ['packages/*'] };
      write(folder, 'package.json', { ...root, private: true, packageManager: 'npm@11.0.0' });
      const packages = Object.fromEntries([['', root], ...links, ...locked]);
      write(folder, 'package-lock.json', { name: 'all', lockfileVersion: 3, requires: true, packages });
      write(folder, 'turbo.json', { tasks: { t: {} } });
      // The first run, which is not measured, would start npm for every task, and take minutes.
      const programs = join(folder, 'bin');
      mkdirSync(programs);
      writeFileSync(join(programs, 'npm'), '#!/bin/sh\nexit 0\n');
      chmodSync(join(programs, 'npm'), 0o755);
      const path = `${programs}${delimiter}${process.env['PATH'] ?? ''}`;
      const command = await commandIn(folder, 'turbo', ['bin', 'turbo'], ['run', 't', ...flags], { PATH: path });
      await doAll(command, done);
      return command;
    },
  };
}

/** https://nx.dev/reference/core-api/nx/documents/run-many */
async function prepareNx(folder: string, tasks: number): Promise<Command> {
  const t = { executor: 'nx:run-commands', options: { command: 'true' }, cache: true };
  writePackages(folder, tasks, (name) => ['project.json', { name, targets: { t } }]);
  write(folder, 'package.json', { name: 'all', private: true });
  write(folder, 'nx.json', { analytics: false });
  const args = ['run-many', '-t', 't', '--outputStyle=static'];
  const command = await commandIn(folder, 'nx', ['dist', 'bin', 'nx.js'], args, {});
  await doAll(command, `${tasks}/${tasks} hit`);
  return command;
}

/** Once to do what there is to do; a second time it must say that everything was done. */
async function doAll({ path, args, cwd, env = {} }: Command, says: string): Promise<void> {
  await run(path, args, { cwd, env, timeout: 3_600_000 });
  const again = await run(path, args, { cwd, env, timeout: 3_600_000 });
  if (!again.stdout.includes(says)) throw new Error(`it is not all done: ${again.stdout.slice(-1000)}`);
}

function writePackages(folder: string, tasks: number, file: (task: string) => readonly [string, object]): void {
  for (let n = 0; n < tasks; n += 1) {
    const at = join(folder, 'packages', `t${n}`);
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, 'in'), `${n}\n`);
    write(at, ...file(`t${n}`));
  }
}

function write(folder: string, name: string, content: object): void {
  writeFileSync(join(folder, name), JSON.stringify(content));
}

/** With the engine's package in place and all of it committed; what its package's command starts. */
async function commandIn(
  folder: string,
  name: 'nx' | 'turbo',
  program: readonly string[],
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Command> {
  await symlink(await npmPackage(name), join(folder, 'node_modules'));
  writeFileSync(join(folder, '.gitignore'), 'bin\nhome\nnode_modules\n.nx\n.turbo\n');
  mkdirSync(join(folder, 'home'));
  const git = (...words: readonly string[]) => run('git', ['-c', 'gc.auto=0', ...words], { cwd: folder });
  await git('init', '--quiet');
  await git('add', '--all');
  await git('-c', 'user.name=bench', '-c', 'user.email=bench@slipway.example', 'commit', '--quiet', '--message', 'all');
  return {
    path: process.execPath,
    args: [join(folder, 'node_modules', name, ...program), ...args],
    cwd: folder,
    // Both keep caches in the home of whoever starts them.
    env: { ...QUIET, ...env, HOME: join(folder, 'home') },
  };
}
