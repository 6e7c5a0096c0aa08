/** Small images to put into a scripted registry: the same name gives the same bytes. */
import { mediaType, type Descriptor, type Platform } from '../oci/model.ts';
import type { ScriptedRegistry } from './scripted-registry.ts';

export interface SampleOptions {
  /** One image for each; a single manifest when there is one platform. */
  readonly platforms?: readonly Platform[];
  readonly tag?: string;
  /** Bytes of each layer. */
  readonly layerSize?: number;
}

const AMD64: Platform = { os: 'linux', architecture: 'amd64' };

/** Puts an image with two layers, one of them shared by all platforms, and returns the descriptor of manifest or index. */
export function seedImage(
  registry: ScriptedRegistry,
  repository: string,
  name: string,
  options: SampleOptions = {},
): Descriptor {
  const { platforms = [AMD64], tag, layerSize = 1000 } = options;
  const single = platforms.length === 1;
  const children = platforms.map((platform) => {
    const text = `${name} ${platform.os} ${platform.architecture}`;
    const config = JSON.stringify({
      os: platform.os,
      architecture: platform.architecture,
      rootfs: { type: 'layers', diff_ids: [] },
      name,
    });
    const layers = [`${name} shared`, text].map((seed) => seed.padEnd(layerSize, '.'));
    const descriptor = registry.putManifest(
      repository,
      {
        schemaVersion: 2,
        mediaType: mediaType.ociManifest,
        config: part(registry, repository, mediaType.ociConfig, config),
        layers: layers.map((layer) => part(registry, repository, 'application/vnd.oci.image.layer.v1.tar', layer)),
      },
      single ? tag : undefined,
    );
    return { ...descriptor, platform };
  });
  const [first] = children;
  if (single && first !== undefined) return { mediaType: first.mediaType, digest: first.digest, size: first.size };
  return registry.putManifest(
    repository,
    { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: children },
    tag,
  );
}

function part(registry: ScriptedRegistry, repository: string, type: string, content: string): Descriptor {
  return { mediaType: type, digest: registry.putBlob(repository, content), size: Buffer.byteLength(content) };
}
