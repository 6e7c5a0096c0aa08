/** One image, from the first source that has it to its destination. */
import { copy, copyFromFirst, ok } from '@slipway/core';
import type { ContractInput, ContractOutput, Pinned, Result, TaskContext } from '@slipway/core';

export function copyImage(
  input: ContractInput<'image.copy@1'>,
  context: TaskContext,
): Promise<Result<ContractOutput<'image.copy@1'>>> {
  return copyFromFirst(input, context, (source) => copyFrom(source, input, context));
}

async function copyFrom(
  source: Pinned,
  { destination, foreignLayers }: ContractInput<'image.copy@1'>,
  { registry, log, progress, signal }: TaskContext,
): Promise<Result<void>> {
  // The mirrors are among the sources: each is read by itself, so that a failure names the one that failed.
  const from = registry.content(source, 'source', { exact: true });
  const to = registry.content(destination, 'destination');
  const copied = await copy(from, to, destination.digest, {
    source: source.registry,
    signal,
    onBytes: progress,
    foreignLayers: foreignLayers === true,
  });
  if (!copied.ok) return copied;
  const { blobs, bytes } = copied.value;
  log(blobs === 0 ? 'every blob was there' : `sent ${blobs} ${blobs === 1 ? 'blob' : 'blobs'}, ${bytes} bytes`);
  return ok(undefined);
}
