/** Implements `image.copy@1` with the core's registry client, without any tool. */
import { fail, implement, ok } from '@slipway/core';
import type { ContractInput, ContractOutput, Digest, Plugin, Registry, Result, TaskContext } from '@slipway/core';

const name = 'sync-example';

type Content = ReturnType<Registry['content']>;

async function copy(
  { sources, destination }: ContractInput<'image.copy@1'>,
  { registry, log }: TaskContext,
): Promise<Result<ContractOutput<'image.copy@1'>>> {
  const to = registry.content(destination, 'destination');
  let copied: Result<void> = ok(undefined);
  // Mirrors come first; the last source is the origin.
  for (const source of sources) {
    copied = await copyManifest(registry.content(source, 'source'), to, source.digest);
    if (copied.ok) return ok({ digest: destination.digest });
    log(copied.failure.message);
  }
  return copied.ok ? ok({ digest: destination.digest }) : copied;
}

/** What it refers to first: a registry refuses a manifest whose parts it has not. */
async function copyManifest(from: Content, to: Content, digest: Digest): Promise<Result<void>> {
  const content = await from.manifest(digest);
  if (!content.ok) return content;
  if (content.value === undefined) {
    return fail({ reason: 'trust', class: 'permanent', message: `${digest} is not at its source` });
  }
  const { kind, value } = content.value;
  if (kind === 'index') {
    for (const child of value.manifests) {
      const copied = await copyManifest(from, to, child.digest);
      if (!copied.ok) return copied;
    }
  } else {
    for (const blob of [value.config, ...value.layers]) {
      const there = await to.hasBlob(blob);
      if (!there.ok) return there;
      const sent = there.value ? ok(undefined) : await to.putBlob(blob, () => from.blob(blob));
      if (!sent.ok) return sent;
    }
  }
  return to.putManifest(content.value);
}

const plugin: Plugin = {
  name,
  version: '1.0.0',
  api: '1.0',
  needs: { tools: [] },
  apply: (hooks) => implement(hooks, 'image.copy@1', name, copy),
};

export default plugin;
