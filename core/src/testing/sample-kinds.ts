/** One image of each kind that registries hold, for copying. */
import { mediaType, type Descriptor } from '../oci/model.ts';
import { seedImage } from './sample-images.ts';
import type { ScriptedRegistry } from './scripted-registry.ts';

type Seed = (registry: ScriptedRegistry, repository: string) => Descriptor;

const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64' };
const UNKNOWN = { os: 'unknown', architecture: 'unknown' };

/** Name → puts it into a repository, and gives the descriptor of its manifest or index. */
export const imageKinds: Readonly<Record<string, Seed>> = {
  'a single manifest': (registry, repository) => seedImage(registry, repository, 'single'),
  'an index of two platforms': (registry, repository) =>
    seedImage(registry, repository, 'index', { platforms: [AMD64, ARM64] }),
  'an index with an attestation': (registry, repository) =>
    seedImage(registry, repository, 'attested', { platforms: [AMD64, UNKNOWN] }),
  'a Docker manifest list': dockerList,
  'an index whose entries have an artifactType': (registry, repository) =>
    index(registry, repository, [
      { ...seedImage(registry, repository, 'typed'), artifactType: mediaType.ociConfig, platform: AMD64 },
    ]),
  'an index that holds an index': (registry, repository) =>
    index(registry, repository, [
      seedImage(registry, repository, 'inner', { platforms: [AMD64, ARM64] }),
      { ...seedImage(registry, repository, 'outer'), platform: AMD64 },
    ]),
  'an artifact': artifact,
};

function index(registry: ScriptedRegistry, repository: string, manifests: readonly Descriptor[]): Descriptor {
  return registry.putManifest(repository, { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests });
}

function dockerList(registry: ScriptedRegistry, repository: string): Descriptor {
  const manifests = [AMD64, ARM64].map((platform) => {
    const config = JSON.stringify({ ...platform, rootfs: { type: 'layers', diff_ids: [] } });
    const layer = `Docker ${platform.architecture}`;
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaType.dockerManifest,
      config: blob(registry, repository, mediaType.dockerConfig, config),
      layers: [blob(registry, repository, 'application/vnd.docker.image.rootfs.diff.tar', layer)],
    };
    return { ...registry.putManifest(repository, manifest), platform };
  });
  return registry.putManifest(repository, { schemaVersion: 2, mediaType: mediaType.dockerList, manifests });
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage */
function artifact(registry: ScriptedRegistry, repository: string): Descriptor {
  return registry.putManifest(repository, {
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    artifactType: 'application/vnd.example.notes',
    config: blob(registry, repository, mediaType.empty, '{}'),
    layers: [blob(registry, repository, 'text/plain', 'notes')],
  });
}

function blob(registry: ScriptedRegistry, repository: string, type: string, content: string): Descriptor {
  return { mediaType: type, digest: registry.putBlob(repository, content), size: Buffer.byteLength(content) };
}
