/** What the tests of requests share: small images with names, one sync as the copy step does it, and what it asked for. */
import { onTestFinished } from 'vitest';
import { mediaType, type Descriptor } from '../oci/model.ts';
import { pin, type Digest } from '../reference.ts';
import { startScriptedRegistry, type ScriptedOptions, type ScriptedRegistry } from '../testing/scripted-registry.ts';
import { copy } from './copy.ts';
import type { Registry } from './model.ts';
import { client, must, repository } from './test-client.ts';

export const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** What each digest is called in a trace. */
export const names = new Map<string, string>();

export function blob(registry: ScriptedRegistry, name: string, type = LAYER, bytes = name): Descriptor {
  const digest = registry.putBlob('from', bytes);
  names.set(digest, name);
  return { mediaType: type, digest, size: Buffer.byteLength(bytes) };
}

export function image(registry: ScriptedRegistry, name: string, layers: readonly string[]): Descriptor {
  const config = JSON.stringify({ os: 'linux', architecture: 'amd64', name });
  const manifest = registry.putManifest('from', {
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    config: blob(registry, `${name} config`, mediaType.ociConfig, config),
    layers: layers.map((layer) => blob(registry, layer)),
  });
  names.set(manifest.digest, name);
  return manifest;
}

export function index(registry: ScriptedRegistry, name: string, manifests: readonly Descriptor[]): Descriptor {
  const made = registry.putManifest('from', { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests });
  names.set(made.digest, name);
  return made;
}

export async function pair(options: { readonly destination?: ScriptedOptions } = {}) {
  const [source, destination] = await Promise.all([
    startScriptedRegistry(),
    startScriptedRegistry(options.destination ?? {}),
  ]);
  const registry = client();
  onTestFinished(async () => {
    await registry.close();
    await Promise.all([source.close(), destination.close()]);
  });
  return { source, destination, registry };
}

/** As the copy step does it: looked at, copied, read back. */
export async function sync(
  { source, destination, registry }: Awaited<ReturnType<typeof pair>>,
  { digest }: Descriptor,
  path = 'to',
): Promise<void> {
  const at = pin(repository(destination.host, path), digest);
  if (must(await registry.head(at, 'destination')) === undefined) {
    const from = registry.content(repository(source.host, 'from'), 'source');
    must(await copy(from, registry.content(at, 'destination'), digest));
  }
  await readBack(registry, at, digest);
}

async function readBack(registry: Registry, at: ReturnType<typeof pin>, digest: Digest): Promise<void> {
  const content = must(await registry.manifest({ ...at, digest }, 'destination'));
  if (content?.kind !== 'index') return;
  for (const child of content.value.manifests) await readBack(registry, at, child.digest);
}

/** `PUT to blob`, `mount to base from to`: sorted, since what is asked at once comes in any order. */
export function trace(server: ScriptedRegistry, since = 0): readonly string[] {
  return server.log
    .slice(since)
    .map(({ method, url }) => {
      const { pathname, searchParams } = new URL(url, 'http://x');
      const [, path = '', kind = '', name = ''] = /^\/v2\/(.+?)\/(manifests|blobs)\/(.*)$/.exec(pathname) ?? [];
      const digest = searchParams.get('digest') ?? searchParams.get('mount');
      const what = names.get(digest ?? name) ?? (kind === 'blobs' ? 'upload' : name);
      if (searchParams.has('mount')) return `MOUNT ${path} ${what} from ${searchParams.get('from')}`;
      return `${method} ${path} ${what}`;
    })
    .sort();
}

export const got = (...parts: readonly string[]) => parts.map((part) => `GET from ${part}`).sort();
export const sent = (path: string, ...parts: readonly string[]) =>
  parts.flatMap((part) => [`MOUNT ${path} ${part} from ${path}`, `PUT ${path} ${part}`]);
