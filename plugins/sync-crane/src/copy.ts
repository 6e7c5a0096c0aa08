/** One image, from the first source that has it to its destination. */
import { copyFromFirst, fail, formatPinned, ok } from '@slipway/core';
import type { ContractInput, ContractOutput, Pinned, Result, TaskContext } from '@slipway/core';
import { join } from 'node:path';
import { explain } from './failure.ts';

/** `jobs`: blobs and child images that are sent at once. */
export function copyImage(
  input: ContractInput<'image.copy@1'>,
  context: TaskContext,
  jobs: number,
): Promise<Result<ContractOutput<'image.copy@1'>>> {
  return copyFromFirst(input, context, (source) => copyFrom(source, input, context, jobs));
}

/**
 * `--insecure` lets crane speak plain HTTP and accept any certificate, and that at both ends. An end that is to be
 * spoken to by TLS must not lose it because the other is not, so then the image goes through a layout in two halves.
 */
async function copyFrom(
  source: Pinned,
  { destination, foreignLayers }: ContractInput<'image.copy@1'>,
  context: TaskContext,
  jobs: number,
): Promise<Result<void>> {
  const foreign = foreignLayers === true ? ['--allow-nondistributable-artifacts'] : [];
  const crane = async (args: readonly string[]): Promise<Result<void>> => {
    const done = await context.exec('crane', args, { hosts: [...new Set([source.registry, destination.registry])] });
    if (!done.ok) return fail(explain(done.failure, source, destination));
    return ok(undefined);
  };
  const from = insecure(source.registry, context);
  const to = insecure(destination.registry, context);
  const mixed = from !== to && !isLoopback(from ? destination.registry : source.registry);
  if (!mixed) {
    const flags = [...(from || to ? ['--insecure'] : []), ...foreign];
    return crane(['copy', ...flags, '--jobs', String(jobs), formatPinned(source), formatPinned(destination)]);
  }
  const layout = join(context.files.work, 'layout');
  const pulled = await crane([
    'pull',
    ...(from ? ['--insecure'] : []),
    '--format',
    'oci',
    formatPinned(source),
    layout,
  ]);
  if (!pulled.ok) return pulled;
  return crane(['push', ...(to ? ['--insecure'] : []), ...foreign, layout, formatPinned(destination)]);
}

/** Crane finds out by itself that a registry on loopback speaks plain HTTP. */
function insecure(host: string, context: TaskContext): boolean {
  return context.plainHttp(host) && !isLoopback(host);
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.0\.0\.1)(?::\d+)?$/.test(host);
}
