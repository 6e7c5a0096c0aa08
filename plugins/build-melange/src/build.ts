/**
 * `package.build@1`: one melange config becomes a repository of its own, with the packages, one signed index for each
 * architecture, and the public key. Nobody else writes into it, so there is no index that two builds could tear apart.
 */
import { apkArchitectureOf, configFailure, fail, ok } from '@slipway/core';
import type { ContractInput, ContractOutput, Result, TaskContext } from '@slipway/core';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageCache } from './cache.ts';
import { explain } from './explain.ts';
import { createKeys, writeKey, type SigningKey } from './key.ts';
import type { MelangeOptions } from './options.ts';
import { hashInputs, makeWorkspace, type Inputs, type Workspace } from './workspace.ts';

type Input = ContractInput<'package.build@1'>;
type Output = ContractOutput<'package.build@1'>;

/** Relative to the workspace. */
const OUT = '../packages';

export function createBuilder(
  options: MelangeOptions,
): (input: Input, context: TaskContext) => Promise<Result<Output>> {
  const keys = createKeys(options.signingKey);
  return async (input, context) => {
    const architectures = apkNames(input);
    if (!architectures.ok) return architectures;
    const { files, log } = context;
    const workspace = await makeWorkspace(context, input.config, input.repositories);
    if (!workspace.ok) return workspace;
    const key = await keys.keyFor(context);
    if (!key.ok) return key;
    const version = await context.toolVersion('melange');
    if (!version.ok) return version;
    const cache = packageCache(join(files.cache, 'packages'), options.maxAge);
    const hash = hashInputs([
      ...workspace.value.inputs,
      ...howBuilt(options, architectures.value, key.value, version.value),
    ]);
    const repository = join(await mkdtemp(join(files.shared, 'packages-')), 'repository');
    if (await cache.take(hash, repository)) {
      log('made from the same inputs before: not built again');
      return describe(repository, architectures.value);
    }
    const made = await make(context, options, workspace.value, architectures.value, key.value);
    if (!made.ok) return made;
    await rename(made.value, repository);
    const described = await describe(repository, architectures.value);
    // A key of this run alone is never met again.
    if (described.ok && options.signingKey !== undefined) await cache.keep(hash, repository);
    return described;
  };
}

/** Never empty: without `--arch` melange builds for every architecture it knows. */
function apkNames({ config, architectures }: Input): Result<readonly string[]> {
  const names: string[] = [];
  for (const architecture of architectures) {
    const name = apkArchitectureOf(architecture);
    if (name === undefined) return fail(configFailure(`melange cannot build "${config}" for ${architecture}`));
    if (!names.includes(name)) names.push(name);
  }
  return ok(names.sort());
}

function howBuilt(
  { runner, sourceDateEpoch }: MelangeOptions,
  architectures: readonly string[],
  key: SigningKey,
  version: string,
): Inputs {
  return [
    ['architectures', architectures.join(',')],
    ['signing key', `${key.name} ${key.fingerprint}`],
    ['melange', version],
    ['runner', runner],
    ['date', String(sourceDateEpoch)],
  ];
}

/** Builds and indexes; the folder with the packages, in the task's own. */
async function make(
  context: TaskContext,
  { runner, sourceDateEpoch }: MelangeOptions,
  { folder, config, source, repositories, keyring, pipelines }: Workspace,
  architectures: readonly string[],
  key: SigningKey,
): Promise<Result<string>> {
  const { exec, files } = context;
  const keyFile = await writeKey(key, files.work);
  const out = join(folder, OUT);
  await rm(out, { recursive: true, force: true });
  const env = { SOURCE_DATE_EPOCH: String(sourceDateEpoch) };
  const args = [
    ...['build', '--runner', runner, '--arch', architectures.join(','), '--signing-key', keyFile, '--out-dir', OUT],
    ...[
      '--generate-index=false',
      '--cache-dir',
      await cacheFolder(files.cache, 'fetched'),
      '--apk-cache-dir',
      await cacheFolder(files.cache, 'apk'),
    ],
    // Otherwise the checkout's commit gets into the package, and each commit makes another one.
    ...['--git-commit', 'unknown', '--git-repo-url', 'https://unknown/unknown/unknown'],
    ...(source === undefined ? ['--empty-workspace'] : ['--source-dir', source]),
    ...repositories.flatMap((path) => ['--repository-append', path]),
    ...keyring.flatMap((path) => ['--keyring-append', path]),
    ...pipelines.flatMap((path) => ['--pipeline-dirs', path]),
  ];
  const built = await exec('melange', [...args, '--', config], { cwd: folder, env });
  if (!built.ok) return fail(explain(built.failure));
  for (const architecture of architectures) {
    const packages = await packagesIn(out, architecture);
    if (packages.length === 0) {
      return fail(
        toolFailure(
          `melange made no package of ${config} for ${architecture}`,
          'see target-architecture of the package',
        ),
      );
    }
    const index = ['index', '--output', 'APKINDEX.tar.gz', '--arch', architecture, '--signing-key', keyFile];
    const indexed = await exec('melange', [...index, '--', ...packages], { cwd: join(out, architecture), env });
    if (!indexed.ok) return indexed;
  }
  await writeFile(join(out, `${key.name}.pub`), key.publicKey);
  return ok(out);
}

async function cacheFolder(cache: string, name: string): Promise<string> {
  const folder = join(cache, name);
  await mkdir(folder, { recursive: true });
  return folder;
}

async function describe(repository: string, architectures: readonly string[]): Promise<Result<Output>> {
  const packages: string[] = [];
  for (const architecture of architectures) {
    for (const name of await packagesIn(repository, architecture)) packages.push(`${architecture}/${name}`);
  }
  return ok({ repository, packages });
}

async function packagesIn(folder: string, architecture: string): Promise<readonly string[]> {
  const items = await readdir(join(folder, architecture), { withFileTypes: true }).catch(() => []);
  return items
    .filter((item) => item.isFile() && item.name.endsWith('.apk'))
    .map(({ name }) => name)
    .sort();
}

function toolFailure(message: string, hint: string) {
  return { reason: 'tool', class: 'permanent', tool: 'melange', message, hint } as const;
}
