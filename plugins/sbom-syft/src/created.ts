/** When an image says it was made: syft's documents do not say it, and the clock would differ with every run. */
import { fail, formatPinned, mediaType, ok } from '@slipway/core';
import type { Failure, Pinned, Registry, Result } from '@slipway/core';

/** `other`: not a container image, as a chart or an attestation. */
export type Created = { readonly kind: 'image'; readonly created?: string } | { readonly kind: 'other' };

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties */
export async function createdOf(image: Pinned, registry: Registry): Promise<Result<Created>> {
  const content = await registry.manifest(image, 'destination');
  if (!content.ok) return content;
  if (content.value === undefined) return fail(missing(image));
  if (content.value.kind !== 'manifest') return ok({ kind: 'other' });
  const { config } = content.value.value;
  if (config.mediaType !== mediaType.ociConfig && config.mediaType !== mediaType.dockerConfig) {
    return ok({ kind: 'other' });
  }
  const bytes = await registry.readBlob(image, config, 'destination');
  if (!bytes.ok) return bytes;
  const created = createdIn(Buffer.from(bytes.value).toString('utf8'));
  return ok({ kind: 'image', ...(created === undefined ? {} : { created }) });
}

function createdIn(config: string): string | undefined {
  try {
    const value: unknown = JSON.parse(config);
    const created = typeof value === 'object' && value !== null && 'created' in value ? value.created : undefined;
    return typeof created === 'string' ? created : undefined;
  } catch {
    // Syft says better than we what is wrong with it.
    return undefined;
  }
}

function missing(image: Pinned): Failure {
  return {
    reason: 'registry',
    class: 'permanent',
    side: 'destination',
    host: image.registry,
    status: 404,
    message: `${formatPinned(image)} is not there`,
    hint: 'was it deleted since it was copied? Run again',
  };
}
