/** What this machine lacks for building the packages of a plan, found without starting anything. */
import { fail, ok, type Failure, type MissingToolFailure, type PreflightRequest, type Result } from '@slipway/core';
import { access, constants, readdir, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { givenKey } from './key.ts';
import { parseOptions, type Runner } from './options.ts';
import { emulatorOf, foreignArchitectures } from './runner.ts';

/** https://docs.kernel.org/admin-guide/binfmt-misc.html */
const EMULATORS = '/proc/sys/fs/binfmt_misc';

export async function preflight({ tasks, options, root, env }: PreflightRequest): Promise<readonly Failure[]> {
  const { runner, signingKey } = parseOptions(options);
  const failures: Failure[] = [];
  if (runner === 'bubblewrap') {
    const found = await onPath('bwrap', env['PATH'] ?? '');
    if (!found.ok) failures.push(found.failure);
  }
  if (signingKey !== undefined) {
    const key = await givenKey(signingKey, root, env);
    if (!key.ok) failures.push(key.failure);
  }
  const machine = { processor: process.arch, emulators: await readEmulators(EMULATORS) };
  return [...failures, ...foreignFailures(tasks, runner, machine)];
}

/** One failure per architecture that some package is to be built for and that nothing here can run. */
export function foreignFailures(
  tasks: PreflightRequest['tasks'],
  runner: Runner,
  machine: { readonly processor: string; readonly emulators: ReadonlySet<string> },
): readonly MissingToolFailure[] {
  // It starts a machine of the wanted architecture.
  if (runner === 'qemu') return [];
  const users = new Map<string, string[]>();
  for (const { input } of tasks) {
    const { config, architectures } = input as { readonly config: string; readonly architectures: readonly string[] };
    for (const name of foreignArchitectures(architectures, machine))
      users.set(name, [...(users.get(name) ?? []), config]);
  }
  return [...users].map(([architecture, configs]) => ({
    reason: 'missing-tool',
    class: 'permanent',
    tool: emulatorOf(architecture),
    message: `this machine cannot run programs for ${architecture}, for which ${configs.join(', ')} ${configs.length === 1 ? 'is' : 'are'} to be built`,
    hint: `register ${emulatorOf(architecture)} with the kernel (docker run --privileged --rm tonistiigi/binfmt --install all, or the package qemu-user-static), run on such a machine, or leave the platform out`,
  }));
}

/** Names of the emulators that the kernel knows and that are switched on; none where it has no such list. */
export async function readEmulators(folder: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith('qemu-')) continue;
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    if (text.startsWith('enabled')) found.add(name);
  }
  return found;
}

async function onPath(program: string, path: string): Promise<Result<string>> {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue;
    const file = join(folder, program);
    const executable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return ok(file);
  }
  return fail({
    reason: 'missing-tool',
    class: 'permanent',
    tool: program,
    message: `${program} is not installed, which packages are built in`,
    hint: 'install it (apt-get install bubblewrap), or set runner: docker in the options of build-melange',
  });
}
