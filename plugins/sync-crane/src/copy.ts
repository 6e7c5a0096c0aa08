/** One image, from the first source that has it to its destination. */
import { fail, formatPinned, ok } from '@slipway/core';
import type { ContractInput, ContractOutput, Failure, Pinned, Result, TaskContext } from '@slipway/core';
import { join } from 'node:path';
import { explain } from './failure.ts';

/**
 * Tries the sources in order. A failure at the destination ends the attempt: another mirror would meet the same one.
 * When every source failed, the last failure is reported, with all that were tried.
 */
export async function copyImage(
  input: ContractInput<'image.copy@1'>,
  context: TaskContext,
  jobs: number,
): Promise<Result<ContractOutput<'image.copy@1'>>> {
  const { sources, destination } = input;
  if (sources.some((source) => source.digest !== destination.digest)) {
    // Writing under a digest that the bytes do not have cannot succeed; say it before anything is sent.
    return fail({
      reason: 'registry',
      class: 'permanent',
      side: 'source',
      host: sources[0].registry,
      message: `a source of ${formatPinned(destination)} has another digest`,
    });
  }
  const tried: string[] = [];
  let last: Failure | undefined;
  for (const source of sources) {
    const copied = await copyFrom(source, destination, context, jobs);
    if (copied.ok) return ok({ digest: destination.digest });
    last = copied.failure;
    tried.push(formatPinned(source));
    const anotherMayHelp = last.reason === 'tool' || (last.reason === 'registry' && last.side === 'source');
    if (!anotherMayHelp || context.signal.aborted) break;
    context.log(last.message);
  }
  if (last === undefined) throw new Error('image.copy@1 was called without a source');
  return fail(tried.length < 2 ? last : { ...last, message: `${last.message} (tried ${tried.join(', ')})` });
}

/**
 * `--insecure` lets crane speak plain HTTP and accept any certificate, and that at both ends. An end that is to be
 * spoken to by TLS must not lose it because the other is not, so then the image goes through a layout in two halves.
 */
async function copyFrom(
  source: Pinned,
  destination: Pinned,
  context: TaskContext,
  jobs: number,
): Promise<Result<void>> {
  const crane = async (args: readonly string[]): Promise<Result<void>> => {
    const done = await context.exec('crane', args, { hosts: [...new Set([source.registry, destination.registry])] });
    if (!done.ok) return fail(explain(done.failure, source, destination));
    return ok(undefined);
  };
  const from = insecure(source.registry, context);
  const to = insecure(destination.registry, context);
  const mixed = from !== to && !isLoopback(from ? destination.registry : source.registry);
  if (!mixed) {
    const flags = from || to ? ['--insecure'] : [];
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
  return crane(['push', ...(to ? ['--insecure'] : []), layout, formatPinned(destination)]);
}

/** Crane finds out by itself that a registry on loopback speaks plain HTTP. */
function insecure(host: string, context: TaskContext): boolean {
  return context.plainHttp(host) && !isLoopback(host);
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.0\.0\.1)(?::\d+)?$/.test(host);
}
