/** One image, from the first source that has it to its destination. */
import { copyFromFirst, fail, formatPinned, ok } from '@slipway/core';
import type { ContractInput, ContractOutput, Pinned, Result, TaskContext } from '@slipway/core';
import { explain } from './failure.ts';
import { leavesLayers } from './foreign-layers.ts';
import { ownSettings, type OwnSettings } from './own-settings.ts';

export async function copyImage(
  input: ContractInput<'image.copy@1'>,
  context: TaskContext,
): Promise<Result<ContractOutput<'image.copy@1'>>> {
  if (input.foreignLayers === true) {
    return fail(leavesLayers(formatPinned(input.destination)));
  }
  const version = await context.toolVersion('skopeo');
  if (!version.ok) return version;
  const settings = await ownSettings(context.files.work);
  const copy = (source: Pinned) => copyFrom(source, input.destination, context, settings, version.value);
  return copyFromFirst(input, context, copy);
}

async function copyFrom(
  source: Pinned,
  destination: Pinned,
  context: TaskContext,
  settings: OwnSettings,
  version: string,
): Promise<Result<void>> {
  const args = [
    ...settings.flags,
    ...['copy', '--quiet', '--all', '--preserve-digests'],
    // Skopeo means its own simple signatures, kept beside the registry; what Slipway attaches it never sees.
    '--remove-signatures',
    // Each end has its own flag, so an end that speaks TLS never loses it because the other does not.
    ...(context.plainHttp(source.registry) ? ['--src-tls-verify=false'] : []),
    ...(context.plainHttp(destination.registry) ? ['--dest-tls-verify=false'] : []),
    ...[`docker://${formatPinned(source)}`, `docker://${formatPinned(destination)}`],
  ];
  const hosts = [...new Set([source.registry, destination.registry])];
  const done = await context.exec('skopeo', args, { hosts, env: settings.env });
  return done.ok ? ok(undefined) : fail(explain(done.failure, source, destination, version));
}
